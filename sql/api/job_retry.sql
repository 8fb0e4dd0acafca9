-- The operator has a job tried again: one that waits for its next attempt goes on at once, with all its attempts
-- before it; one that FAILED becomes NEW again, with the batches it had. Answers the status before.
--   CN404  no such job          CN409  it is neither waiting nor failed, or it is in the archive
CREATE OR REPLACE FUNCTION consign.job_retry(p_org integer, p_sandbox integer, p_job bigint)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    target consign.export_job;
    moment bigint := consign.now_ms();
BEGIN
    PERFORM FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.job = p_job FOR UPDATE;
    SELECT * INTO target FROM consign.export_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job FOR UPDATE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM consign.export_job_archive a
                WHERE a.org = p_org AND a.sandbox = p_sandbox AND a.job = p_job) THEN
            RAISE EXCEPTION 'the job is in the archive' USING ERRCODE = 'CN409';
        END IF;
        RAISE EXCEPTION 'no such job' USING ERRCODE = 'CN404';
    END IF;
    UPDATE consign.work_queue q SET not_before_ms = 0, attempts = 0
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.job = p_job AND q.attempt IS NULL;
    IF FOUND THEN
        RETURN target.status;
    ELSIF target.status <> 'FAILED' THEN
        RAISE EXCEPTION 'the job is %, neither waiting nor FAILED', target.status USING ERRCODE = 'CN409';
    END IF;
    UPDATE consign.batch b SET status = 'active', updated_ms = moment, completed_ms = NULL
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (target.batch || ARRAY(
            SELECT t.batch FROM consign.export_target t
            WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.job = p_job));
    UPDATE consign.export_job j SET status = 'NEW', attempt = NULL, errors = NULL, ended_ms = NULL, updated_ms = moment
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job;
    INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms)
        VALUES (p_org, p_sandbox, 'export', p_job, target.batch, moment);
    RETURN target.status;
END
$$;
