-- An attempt begins: the job is PROCESSING under it and starts its figures anew. Answers its orders.
--   CN410, CN408  as work_hold
CREATE OR REPLACE FUNCTION consign.job_start(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text)
    RETURNS TABLE (dataset text, format text, compression text, fields text, additional_fields text, filter text,
        policy text, segment_per_batch boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, true);
    UPDATE consign.export_job j
        SET status = 'PROCESSING', attempt = p_attempt, updated_ms = moment, export_start_ms = moment
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job;
    DELETE FROM consign.export_progress p WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.job = p_job;
    PERFORM consign.share_clear(p_org, p_sandbox, p_job);
    RETURN QUERY SELECT * FROM consign.job_orders(p_org, p_sandbox, p_job);
END
$$;
