-- The end of an ingest batch: its status, figures and refused records; its entry leaves the queue.
-- The caller holds the queue entry. p_reason: [{code, description}] of a failed batch, else NULL.
CREATE OR REPLACE FUNCTION consign.batch_end(
    p_org integer, p_sandbox integer, p_batch text, p_status text, p_started_ms bigint, p_input bigint,
    p_failed bigint, p_errors text, p_reason text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    ended  text;
BEGIN
    INSERT INTO consign.batch_error (org, sandbox, batch, number, file, line, byte_offset, code, reason, record)
        SELECT p_org, p_sandbox, p_batch, e.ordinality - 1, e.item->>'file', (e.item->>'line')::bigint,
               (e.item->>'byte_offset')::bigint, e.item->>'code', e.item->>'reason', e.item->>'record'
        FROM jsonb_array_elements(p_errors::jsonb) WITH ORDINALITY AS e(item, ordinality);
    UPDATE consign.batch b
        SET status = p_status, updated_ms = moment, started_ms = p_started_ms, completed_ms = moment,
            input_records = p_input, failed_records = p_failed,
            output_records = CASE p_status WHEN 'success' THEN p_input - p_failed ELSE 0 END,
            errors = p_reason
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch
        RETURNING b.batch INTO STRICT ended; -- under another tenant's setting the entry must not go alone
    DELETE FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
END
$$;
