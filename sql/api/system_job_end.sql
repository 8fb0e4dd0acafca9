-- The end of a system job; its entry leaves the queue. Whose profile it was is not kept. The caller holds the entry.
CREATE OR REPLACE FUNCTION consign.system_job_end(
    p_org integer, p_sandbox integer, p_job text, p_status text, p_removed bigint)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    ended text;
BEGIN
    UPDATE consign.system_job j
        SET status = p_status, removed = p_removed, value = NULL, updated_ms = consign.now_ms()
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job
        RETURNING j.job INTO STRICT ended; -- under another tenant's setting the entry must not go alone
    DELETE FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = 'delete-' || p_job;
END
$$;
