-- Expires batches of a dataset that ended longer ago than the dataset keeps them (dataset_retention), the oldest first
-- and at most p_most: published ones of exports, and ingest batches however they ended. From the commit on they are
-- gone for clients, with their files, preview, refused records and bytes in lake_usage. Answers those whose files are to be
-- removed then, and ingest batches, which have none.
CREATE OR REPLACE FUNCTION consign.batch_expire(p_org integer, p_sandbox integer, p_dataset text, p_most integer)
    RETURNS TABLE (batch text, kind text)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    quarter constant bigint := 900000; -- of stream_load: the batch of the one that runs still counts
    moment  bigint := consign.now_ms();
    batches text[];
    freed   bigint;
BEGIN
    -- the condition's first two lines are those of the index batch_kept
    batches := ARRAY(
        SELECT b.batch FROM consign.batch b
            JOIN consign.dataset_retention r ON r.org = b.org AND r.sandbox = b.sandbox AND r.dataset = b.dataset
        WHERE b.expired_ms IS NULL AND b.completed_ms IS NOT NULL AND (b.kind = 'ingest' OR b.status = 'success')
            AND b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset
            AND b.completed_ms < moment - r.retain_ms
            AND NOT (b.stream AND b.created_ms >= moment - moment % quarter)
        ORDER BY b.completed_ms LIMIT p_most FOR NO KEY UPDATE OF b SKIP LOCKED);
    UPDATE consign.batch b SET expired_ms = moment
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    DELETE FROM consign.batch_file f WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.batch = ANY (batches);
    DELETE FROM consign.batch_error e WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.batch = ANY (batches);
    DELETE FROM consign.batch_upload u WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = ANY (batches);
    SELECT coalesce(sum(b.output_bytes), 0) INTO freed FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches) AND b.kind = 'export';
    IF freed > 0 THEN
        UPDATE consign.lake_usage u SET bytes = greatest(u.bytes - freed, 0)
            WHERE u.org = p_org AND u.sandbox = p_sandbox;
    END IF;
    -- after lake_usage, as job_publish
    DELETE FROM consign.dataset_preview p
        WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.dataset = p_dataset AND p.batch_ids && batches;
    RETURN QUERY SELECT b.batch, b.kind FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
END
$$;
