-- Removing from the profile store, second part (013_system_job.sql): what was accepted before a removal, what after it.

-- Of a delete: a number out of the sequence of stream_message. Messages with a lower number were accepted before it,
-- those with a higher one after it; it removes the former and not the latter.
ALTER TABLE consign.work_queue ADD COLUMN horizon bigint;
CREATE INDEX work_queue_delete ON consign.work_queue (org, sandbox, entry) WHERE task = 'delete';
-- Removals of profiles have no dataset, and there may be many of them.
CREATE INDEX system_job_dataset ON consign.system_job (org, sandbox, dataset) WHERE dataset IS NOT NULL;
