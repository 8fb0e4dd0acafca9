-- An attempt ends an ingest batch of which nothing is kept.
--   CN410  the attempt does not own the batch any more
CREATE OR REPLACE FUNCTION consign.batch_fail(
    p_org integer, p_sandbox integer, p_batch text, p_attempt text, p_started_ms bigint, p_input bigint,
    p_failed bigint, p_errors text, p_reason text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    PERFORM consign.batch_end(p_org, p_sandbox, p_batch, 'failed', p_started_ms, p_input, p_failed, p_errors, p_reason);
END
$$;
