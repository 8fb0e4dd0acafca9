-- Enters a helper that help_begin() found work for; from here on the attempt knows of it.
--   CN410  the job is not open any more
CREATE OR REPLACE FUNCTION consign.help_enter(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_helper text, p_liveness bigint)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch
        AND q.attempt = p_attempt AND q.snapshot IS NOT NULL AND NOT q.cancel FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'closed' USING ERRCODE = 'CN410';
    END IF;
    INSERT INTO consign.export_helper (org, sandbox, job, helper, attempt, liveness, status, beat_ms)
        VALUES (p_org, p_sandbox, p_job, p_helper, p_attempt, p_liveness, 'working', consign.now_ms());
END
$$;
