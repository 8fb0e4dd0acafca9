-- Cancels a live job. One that nobody has claimed ends at once; a claimed one is asked to stop.
-- On a finished job nothing changes, archived or not. Returns the status after the call.
--   CN404  no such job
-- Locks the queue entry before the job, as every other function does.
CREATE OR REPLACE FUNCTION consign.job_cancel(p_org integer, p_sandbox integer, p_job bigint)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held   consign.work_queue;
    target consign.export_job;
    archived text;
    moment bigint := consign.now_ms();
BEGIN
    SELECT * INTO target FROM consign.export_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job;
    IF NOT FOUND THEN
        SELECT a.status INTO archived FROM consign.export_job_archive a
            WHERE a.org = p_org AND a.sandbox = p_sandbox AND a.job = p_job;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such job' USING ERRCODE = 'CN404';
        END IF;
        RETURN archived;
    END IF;
    SELECT * INTO held FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = target.batch FOR UPDATE;
    IF NOT FOUND THEN
        RETURN (SELECT j.status FROM consign.export_job j
            WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job);
    END IF;
    IF held.attempt IS NULL THEN
        PERFORM consign.job_end(p_org, p_sandbox, p_job, 'CANCELLED', NULL);
        RETURN 'CANCELLED';
    END IF;
    UPDATE consign.work_queue q SET cancel = true, not_before_ms = 0
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.entry = held.entry;
    UPDATE consign.export_job j SET status = 'CANCELLING', updated_ms = moment
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job AND j.status IN ('NEW', 'PROCESSING');
    RETURN 'CANCELLING';
END
$$;
