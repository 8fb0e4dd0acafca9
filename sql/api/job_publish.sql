-- Makes what an attempt wrote the job's result, all of it in one step: the batch becomes visible,
-- the job SUCCEEDED, the entry leaves the queue. p_files: [{name, rows, bytes, sha256}, ...].
--   CN410, CN408  as work_hold; then nothing of the attempt shows, and it removes its files
CREATE OR REPLACE FUNCTION consign.job_publish(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_push text, p_files text,
    p_profiles bigint, p_events bigint, p_by_namespace text, p_skipped text, p_watermark_ms bigint,
    p_export_end_ms bigint, p_write_start_ms bigint)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    total  bigint;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, true);
    INSERT INTO consign.batch_file (org, sandbox, batch, part, name, records, bytes, sha256)
        SELECT p_org, p_sandbox, p_batch, f.ordinality - 1, f.item->>'name', (f.item->>'rows')::bigint,
               (f.item->>'bytes')::bigint, f.item->>'sha256'
        FROM jsonb_array_elements(p_files::jsonb) WITH ORDINALITY AS f(item, ordinality);
    SELECT coalesce(sum(f.bytes), 0) INTO total FROM consign.batch_file f
        WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.batch = p_batch;
    UPDATE consign.batch b
        SET status = 'success', attempt = p_attempt, updated_ms = moment,
            started_ms = (SELECT j.export_start_ms FROM consign.export_job j
                          WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job),
            completed_ms = moment, output_records = p_profiles, output_bytes = total
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    UPDATE consign.export_job j
        SET status = 'SUCCEEDED', push = p_push, updated_ms = moment, ended_ms = moment,
            export_end_ms = p_export_end_ms, write_start_ms = p_write_start_ms, write_end_ms = moment,
            watermark_ms = p_watermark_ms, profiles = p_profiles, events = p_events,
            by_namespace = p_by_namespace, skipped = p_skipped
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job AND j.status = 'PROCESSING'
            AND j.attempt = p_attempt;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease' USING ERRCODE = 'CN410';
    END IF;
    DELETE FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
    DELETE FROM consign.export_progress p WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.job = p_job;
END
$$;
