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
CREATE INDEX batch_kept ON consign.batch (org, sandbox, dataset, completed_ms)
    WHERE expired_ms IS NULL AND completed_ms IS NOT NULL;

-- Finished export jobs of long ago (setting jobs.keep_days), out of the way of lists and claims. A job is still found
-- by its number. No foreign keys: dataset and batch may be gone.
CREATE TABLE consign.export_job_archive (LIKE consign.export_job INCLUDING DEFAULTS);
ALTER TABLE consign.export_job_archive ADD COLUMN targets text; -- as in job_document
ALTER TABLE consign.export_job_archive ADD PRIMARY KEY (org, sandbox, job);
ALTER TABLE consign.export_job_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.export_job_archive FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.export_job_archive USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
