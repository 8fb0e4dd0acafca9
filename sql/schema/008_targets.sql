-- Export jobs with a batch for each segment (destination.segmentPerBatch).

ALTER TABLE consign.export_job ADD COLUMN segment_per_batch boolean NOT NULL DEFAULT false;

-- The batches of such a job, in the order of filter.segments; none for other jobs. The first one is also
-- the job's `batch`, by which queue entry and attempt name the job.
CREATE TABLE consign.export_target (
    org         integer NOT NULL,
    sandbox     integer NOT NULL,
    job         bigint NOT NULL,
    number      integer NOT NULL CHECK (number >= 0),
    batch       text NOT NULL,
    segment_ns  text NOT NULL,
    segment_id  text NOT NULL,
    statuses    text NOT NULL, -- JSON array of realized, existing, exited
    PRIMARY KEY (org, sandbox, job, number),
    FOREIGN KEY (org, sandbox, job) REFERENCES consign.export_job,
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);
ALTER TABLE consign.export_target ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.export_target FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.export_target USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- Their new forms are in sql/api, which replaces a function only when its arguments and its result stay.
DROP FUNCTION IF EXISTS consign.job_create;
DROP FUNCTION IF EXISTS consign.job_start;
DROP VIEW consign.job_document;

-- `targets` is destination.batches as clients see it, of a job that has some. Under the CASE a job without
-- a batch a segment pays nothing for it. The members are put together by hand because json_build_object()
-- puts blanks around its colons.
CREATE VIEW consign.job_document WITH (security_invoker = true) AS
SELECT j.*, p.phase, p.profiles_done, p.profiles_estimated, p.files_written,
       CASE WHEN j.segment_per_batch THEN (
           SELECT '[' || string_agg(format('{"segmentId":%s,"segmentNs":%s,"status":%s,"batchId":"%s"}',
                      to_json(t.segment_id), to_json(t.segment_ns), t.statuses, t.batch), ',' ORDER BY t.number) || ']'
           FROM consign.export_target t WHERE t.org = j.org AND t.sandbox = j.sandbox AND t.job = j.job) END AS targets
FROM consign.export_job j LEFT JOIN consign.export_progress p USING (org, sandbox, job);
