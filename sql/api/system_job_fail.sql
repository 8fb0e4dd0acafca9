-- An attempt gives a system job up: ERROR, and nothing was removed.
--   CN410  the attempt does not own it any more
CREATE OR REPLACE FUNCTION consign.system_job_fail(p_org integer, p_sandbox integer, p_batch text, p_attempt text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    PERFORM consign.system_job_end(p_org, p_sandbox, substr(p_batch, length('delete-') + 1), 'ERROR', NULL);
END
$$;
