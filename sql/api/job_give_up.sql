-- An attempt ends its job without a result: FAILED with p_errors, or CANCELLED.
--   CN410  the attempt does not own the job any more
CREATE OR REPLACE FUNCTION consign.job_give_up(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_status text, p_errors text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    PERFORM consign.job_end(p_org, p_sandbox, p_job, p_status, p_errors);
    PERFORM consign.share_clear(p_org, p_sandbox, p_job);
END
$$;
