-- The number in the sequence of stream_message below which messages of the sandbox may be loaded now: that of the first
-- removal which waits, or else the largest. What was accepted after a removal is loaded after it.
CREATE OR REPLACE FUNCTION consign.system_job_horizon(p_org integer, p_sandbox integer)
    RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog SET enable_seqscan = off AS
$$
SELECT coalesce((SELECT q.horizon FROM consign.work_queue q
    WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.task = 'delete' ORDER BY q.entry LIMIT 1), 9223372036854775807)
$$;
