-- Takes the staged records (record_load) of messages of a dataset into the profile store; the caller's transaction took
-- the messages (stream_take). p_entry is the queue entry of the attempt. What came and what became of it is told by a
-- batch of the catalog, one for each quarter of an hour in which messages were loaded: p_batch, if it has to be made.
-- Answers the batch.
-- p_errors: [{file, line, byte_offset, code, reason, record}, ...]; a batch keeps p_errors_kept.
--   CN410  the attempt does not own its entry any more
CREATE OR REPLACE FUNCTION consign.stream_load(
    p_org integer, p_sandbox integer, p_dataset text, p_entry text, p_attempt text, p_batch text, p_started_ms bigint,
    p_input bigint, p_failed bigint, p_input_bytes bigint, p_output_bytes bigint, p_errors text, p_errors_kept bigint)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    quarter  constant bigint := 900000;
    moment   bigint := consign.now_ms();
    stamp_ms bigint;
    source   consign.dataset;
    told     text;
    kept     bigint;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_entry, p_attempt, false);
    SELECT * INTO STRICT source FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset;
    IF p_input > p_failed THEN
        stamp_ms := consign.record_load(p_org, p_sandbox, p_dataset, source.class, p_input - p_failed);
    END IF;

    -- nobody else makes one meanwhile: all that changes a sandbox's store is done one after the other
    SELECT b.batch INTO told FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset AND b.stream
            AND b.created_ms >= moment - moment % quarter
        ORDER BY b.created_ms DESC LIMIT 1;
    IF NOT FOUND THEN
        told := p_batch;
        INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, stream, status, created_ms, updated_ms, started_ms,
                                   created_client, version, input_records, output_records, failed_records, input_bytes,
                                   output_bytes)
            VALUES (p_org, p_sandbox, told, p_dataset, 'ingest', true, 'success', moment, moment, p_started_ms,
                    'stream', 0, 0, 0, 0, 0, 0);
    END IF;
    IF p_failed > 0 THEN
        SELECT count(*) INTO kept FROM consign.batch_error e
            WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.batch = told;
        INSERT INTO consign.batch_error (org, sandbox, batch, number, file, line, byte_offset, code, reason, record)
            SELECT p_org, p_sandbox, told, kept + e.place - 1, e.item->>'file', (e.item->>'line')::bigint,
                   (e.item->>'byte_offset')::bigint, e.item->>'code', e.item->>'reason', e.item->>'record'
            FROM jsonb_array_elements(p_errors::jsonb) WITH ORDINALITY AS e(item, place)
            WHERE kept + e.place <= p_errors_kept;
    END IF;
    UPDATE consign.batch b
        SET updated_ms = moment, completed_ms = moment, version = b.version + 1,
            input_records = b.input_records + p_input, failed_records = b.failed_records + p_failed,
            output_records = b.output_records + p_input - p_failed, input_bytes = b.input_bytes + p_input_bytes,
            output_bytes = b.output_bytes + p_output_bytes, first_stamp_ms = least(b.first_stamp_ms, stamp_ms),
            last_stamp_ms = greatest(b.last_stamp_ms, stamp_ms)
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = told
        RETURNING b.batch INTO STRICT told;
    RETURN told;
END
$$;
