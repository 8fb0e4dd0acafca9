-- Ends a job that publishes nothing (FAILED with its errors, or CANCELLED), with all its batches, and takes
-- its entry from the queue. The caller holds the lock on the queue entry.
CREATE OR REPLACE FUNCTION consign.job_end(
    p_org integer, p_sandbox integer, p_job bigint, p_status text, p_errors text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    first_batch text;
    batches text[];
BEGIN
    UPDATE consign.export_job j
        SET status = p_status, errors = p_errors, updated_ms = moment, ended_ms = moment
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job
            AND j.status IN ('NEW', 'PROCESSING', 'CANCELLING')
        RETURNING j.batch INTO STRICT first_batch;
    batches := first_batch || ARRAY(SELECT t.batch FROM consign.export_target t
        WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.job = p_job);
    UPDATE consign.batch b
        SET status = CASE p_status WHEN 'FAILED' THEN 'failed' ELSE 'aborted' END, updated_ms = moment,
            completed_ms = moment
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    DELETE FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = first_batch;
    DELETE FROM consign.export_progress p WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.job = p_job;
END
$$;
