-- What a statement costs in a sandbox with a million jobs.

-- Lists read past nothing that their client may not see: the batches of exports that failed, were cancelled or have not
-- ended. The condition is that of BATCH_KEPT in fcgi/core/stmt_api.c.
DROP INDEX consign.batch_created, consign.batch_updated, consign.batch_dataset;
CREATE INDEX batch_created ON consign.batch (org, sandbox, created_ms, batch)
    WHERE expired_ms IS NULL AND (kind = 'ingest' OR status = 'success');
CREATE INDEX batch_updated ON consign.batch (org, sandbox, updated_ms, batch)
    WHERE expired_ms IS NULL AND (kind = 'ingest' OR status = 'success');
CREATE INDEX batch_dataset ON consign.batch (org, sandbox, dataset, created_ms, batch)
    WHERE expired_ms IS NULL AND (kind = 'ingest' OR status = 'success');
-- All of a dataset: what dataset_delete asks for, and the foreign key.
CREATE INDEX batch_of_dataset ON consign.batch (org, sandbox, dataset, status);
-- What has expired, the longest ago first: batch_forget.
DROP INDEX consign.batch_expired;
CREATE INDEX batch_expired ON consign.batch (org, sandbox, expired_ms) WHERE expired_ms IS NOT NULL;
-- Deleting a dataset read all jobs of its sandbox for this one. job_create makes a job for a dataset that it
-- holds, and a dataset goes after its jobs: dataset_delete archives them.
ALTER TABLE consign.export_job DROP CONSTRAINT export_job_org_sandbox_dataset_fkey;
