-- How long batches are kept, and where finished jobs go.

-- Set by the operator (consignctl retention); no row: for ever. The sweep finds here whose batches may have expired.
CREATE TABLE consign.dataset_retention (
    org        integer NOT NULL,
    sandbox    integer NOT NULL,
    dataset    text NOT NULL,
    retain_ms  bigint NOT NULL CHECK (retain_ms > 0),
    PRIMARY KEY (org, sandbox, dataset),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset ON DELETE CASCADE
);
ALTER TABLE consign.dataset_retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.dataset_retention FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.dataset_retention TO consign_api
    USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
CREATE POLICY claim ON consign.dataset_retention FOR SELECT TO consign_spooler USING (true);
CREATE POLICY operator ON consign.dataset_retention TO consign_owner USING (true) WITH CHECK (true);

-- An expired batch is answered 410: its files are removed after this is set, and its row stays so that it can be told
-- from one that never was.
ALTER TABLE consign.batch ADD COLUMN expired_ms bigint;
-- What may expire, oldest end first.
CREATE INDEX batch_kept ON consign.batch (org, sandbox, dataset, completed_ms)
    WHERE expired_ms IS NULL AND completed_ms IS NOT NULL AND (kind = 'ingest' OR status = 'success');
CREATE INDEX batch_expired ON consign.batch (org, sandbox, dataset, expired_ms) WHERE expired_ms IS NOT NULL;
-- Lists show what has not expired, and read past nothing that has.
DROP INDEX consign.batch_created, consign.batch_updated, consign.batch_dataset;
CREATE INDEX batch_created ON consign.batch (org, sandbox, created_ms, batch) WHERE expired_ms IS NULL;
CREATE INDEX batch_updated ON consign.batch (org, sandbox, updated_ms, batch) WHERE expired_ms IS NULL;
CREATE INDEX batch_dataset ON consign.batch (org, sandbox, dataset, created_ms, batch) WHERE expired_ms IS NULL;

-- Finished export jobs of long ago (setting jobs.keep_days), out of the way of lists and claims, as their documents were.
-- A job is still found by its number. No foreign keys: dataset and batch may be gone. What the view gets later, this gets
-- too: job_archive_move and job_create name no columns.
CREATE TABLE consign.export_job_archive (LIKE consign.job_document);
ALTER TABLE consign.export_job_archive ADD PRIMARY KEY (org, sandbox, job);
ALTER TABLE consign.export_job_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.export_job_archive FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.export_job_archive USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

CREATE INDEX export_job_ended ON consign.export_job (org, sandbox, ended_ms) WHERE ended_ms IS NOT NULL;
-- A batch's row is deleted only when no job and no removal names it: what asks so, and the foreign keys.
CREATE INDEX export_job_batch ON consign.export_job (org, sandbox, batch);
CREATE INDEX export_target_batch ON consign.export_target (org, sandbox, batch);
CREATE INDEX system_job_batch ON consign.system_job (org, sandbox, batch) WHERE batch IS NOT NULL;
