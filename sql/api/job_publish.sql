-- Makes what an attempt and its helpers wrote the job's result, all of it in one step: the batches become
-- visible, the job SUCCEEDED, the entry leaves the queue. p_files: all files, of the helpers too,
-- [{batch, name, rows, bytes, sha256}, ...] in the order in which they are to be numbered; the other figures are
-- the attempt's own. p_skipped: {reason: profiles}. p_preview: as preview_keep.
--   CN410, CN408  as work_hold       CN507  it would pass the org's or the sandbox's quota of the lake
-- After any of them nothing of the attempt shows, and it removes its files.
CREATE OR REPLACE FUNCTION consign.job_publish(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_push text, p_files text,
    p_profiles bigint, p_events bigint, p_by_namespace text, p_skipped text, p_watermark_ms bigint,
    p_export_end_ms bigint, p_write_start_ms bigint, p_preview text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    lake constant integer := 6; -- among advisory locks of two numbers
    moment bigint := consign.now_ms();
    helped record;
    batches text[] := p_batch || ARRAY(SELECT t.batch FROM consign.export_target t
        WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.job = p_job);
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, true);
    INSERT INTO consign.batch_file (org, sandbox, batch, part, name, records, bytes, sha256)
        SELECT p_org, p_sandbox, f.item->>'batch',
               row_number() OVER (PARTITION BY f.item->>'batch' ORDER BY f.ordinality) - 1, f.item->>'name',
               (f.item->>'rows')::bigint, (f.item->>'bytes')::bigint, f.item->>'sha256'
        FROM jsonb_array_elements(p_files::jsonb) WITH ORDINALITY AS f(item, ordinality);
    UPDATE consign.batch b
        SET status = 'success', attempt = p_attempt, updated_ms = moment,
            started_ms = (SELECT j.export_start_ms FROM consign.export_job j
                          WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job),
            completed_ms = moment,
            output_records = (SELECT coalesce(sum(f.records), 0) FROM consign.batch_file f
                              WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.batch = b.batch),
            output_bytes = (SELECT coalesce(sum(f.bytes), 0) FROM consign.batch_file f
                            WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.batch = b.batch)
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    IF consign.quota_room(p_org, p_sandbox) IS NOT NULL THEN -- two jobs must not take the same room
        PERFORM pg_advisory_xact_lock(lake, p_org);
    END IF;
    INSERT INTO consign.lake_usage AS u (org, sandbox, bytes)
        SELECT p_org, p_sandbox, coalesce(sum((f.item->>'bytes')::bigint), 0)
        FROM jsonb_array_elements(p_files::jsonb) AS f(item)
        ON CONFLICT (org, sandbox) DO UPDATE SET bytes = u.bytes + EXCLUDED.bytes;
    IF consign.quota_room(p_org, p_sandbox) < 0 THEN
        RAISE EXCEPTION 'room in the lake' USING ERRCODE = 'CN507';
    END IF;
    SELECT coalesce(sum(h.profiles), 0) AS profiles, coalesce(sum(h.events), 0) AS events,
           coalesce(sum(h.too_many), 0) AS too_many, coalesce(sum(h.too_large), 0) AS too_large INTO helped
        FROM consign.export_helper h
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.status = 'done';
    UPDATE consign.export_job j
        SET status = 'SUCCEEDED', push = p_push, updated_ms = moment, ended_ms = moment,
            export_end_ms = p_export_end_ms, write_start_ms = p_write_start_ms, write_end_ms = moment,
            watermark_ms = p_watermark_ms, profiles = p_profiles + helped.profiles,
            events = p_events + helped.events,
            by_namespace = consign.counts_sum(ARRAY(
                SELECT h.by_namespace FROM consign.export_helper h
                WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.status = 'done') || p_by_namespace),
            skipped = nullif(consign.counts_sum(ARRAY[coalesce(p_skipped, '{}'),
                json_build_object('tooManyIdentities', helped.too_many, 'tooLarge', helped.too_large)::text]), '{}')
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job AND j.status = 'PROCESSING'
            AND j.attempt = p_attempt;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease' USING ERRCODE = 'CN410';
    END IF;
    PERFORM consign.preview_keep(p_org, p_sandbox, p_job, batches, p_preview);
    PERFORM consign.share_clear(p_org, p_sandbox, p_job);
    DELETE FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
    DELETE FROM consign.export_progress p WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.job = p_job;
END
$$;
