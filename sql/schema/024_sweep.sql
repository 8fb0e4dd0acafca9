-- What the sweep knows from one time to the next, whichever worker of whichever host makes it. No tenant's rows: one for
-- the sweep as a whole, and one for each step that goes on where it ended.
CREATE TABLE consign.sweep_mark (
    step      text PRIMARY KEY,
    began_ms  bigint NOT NULL DEFAULT 0, -- of the step 'sweep': when the last one began
    place     text NOT NULL DEFAULT ''   -- behind which the step goes on: org/sandbox, and more by step; '': from the start
);

-- SECURITY: a program deletes no job that has not ended and no batch that a client may still see, whatever statement it
-- is brought to run.
CREATE POLICY ended ON consign.export_job AS RESTRICTIVE FOR DELETE TO consign_api, consign_spooler
    USING (status IN ('SUCCEEDED', 'FAILED', 'CANCELLED'));
CREATE POLICY ended ON consign.batch AS RESTRICTIVE FOR DELETE TO consign_api, consign_spooler
    USING (expired_ms IS NOT NULL OR (kind = 'export' AND status IN ('failed', 'aborted')));
-- What hangs on them goes with them, so that neither needs a right to delete it alone. NOT VALID: what is there was
-- checked when it came, and checking it again would ask the policies of all tenants at once.
ALTER TABLE consign.export_target DROP CONSTRAINT export_target_org_sandbox_job_fkey,
    ADD FOREIGN KEY (org, sandbox, job) REFERENCES consign.export_job ON DELETE CASCADE NOT VALID;
ALTER TABLE consign.batch_file DROP CONSTRAINT batch_file_org_sandbox_batch_fkey,
    ADD FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch ON DELETE CASCADE NOT VALID;
ALTER TABLE consign.batch_error DROP CONSTRAINT batch_error_org_sandbox_batch_fkey,
    ADD FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch ON DELETE CASCADE NOT VALID;
ALTER TABLE consign.batch_upload DROP CONSTRAINT batch_upload_org_sandbox_batch_fkey,
    ADD FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch ON DELETE CASCADE NOT VALID;
ALTER TABLE consign.batch_upload_part DROP CONSTRAINT batch_upload_part_org_sandbox_batch_name_fkey,
    ADD FOREIGN KEY (org, sandbox, batch, name) REFERENCES consign.batch_upload ON DELETE CASCADE NOT VALID;
-- The spooler also takes it from batches that expire and stay.
CREATE POLICY expired ON consign.batch_file AS RESTRICTIVE FOR DELETE TO consign_spooler
    USING (EXISTS (SELECT FROM consign.batch b WHERE b.org = batch_file.org AND b.sandbox = batch_file.sandbox
                   AND b.batch = batch_file.batch AND b.expired_ms IS NOT NULL));
CREATE POLICY expired ON consign.batch_error AS RESTRICTIVE FOR DELETE TO consign_spooler
    USING (EXISTS (SELECT FROM consign.batch b WHERE b.org = batch_error.org AND b.sandbox = batch_error.sandbox
                   AND b.batch = batch_error.batch AND b.expired_ms IS NOT NULL));
CREATE POLICY expired ON consign.batch_upload AS RESTRICTIVE FOR DELETE TO consign_spooler
    USING (EXISTS (SELECT FROM consign.batch b WHERE b.org = batch_upload.org AND b.sandbox = batch_upload.sandbox
                   AND b.batch = batch_upload.batch AND b.expired_ms IS NOT NULL));
