-- Takes the staged records (record_load) of a batch into the profile store and ends the batch, whole or not at all.
-- p_errors: [{file, line, byte_offset, code, reason, record}, ...].
--   CN410  the attempt does not own the batch any more
CREATE OR REPLACE FUNCTION consign.batch_load(
    p_org integer, p_sandbox integer, p_batch text, p_attempt text, p_started_ms bigint, p_input bigint,
    p_failed bigint, p_errors text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    stamp_ms bigint;
    target   consign.dataset;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    SELECT d.* INTO STRICT target FROM consign.batch b JOIN consign.dataset d USING (org, sandbox, dataset)
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    stamp_ms := consign.record_load(p_org, p_sandbox, target.dataset, target.class, p_input - p_failed);
    UPDATE consign.batch b SET first_stamp_ms = stamp_ms, last_stamp_ms = stamp_ms
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    PERFORM consign.batch_end(p_org, p_sandbox, p_batch, 'success', p_started_ms, p_input, p_failed, p_errors, NULL);
END
$$;
