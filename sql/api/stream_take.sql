-- Takes the oldest messages of a dataset out of their table, with numbers beyond p_after and up to p_to: at most p_rows,
-- and none that begins beyond p_bytes of what is before it. They are gone when the caller's transaction, which
-- loads them, commits.
-- One statement, so one snapshot: exactly what was counted goes.
CREATE OR REPLACE FUNCTION consign.stream_take(
    p_org integer, p_sandbox integer, p_dataset text, p_after bigint, p_to bigint, p_rows integer, p_bytes bigint)
    RETURNS TABLE (number bigint, xaction text, bytes integer, body text)
    LANGUAGE sql SET search_path = pg_catalog SET enable_seqscan = off SET enable_bitmapscan = off
    SET work_mem = '32MB' AS
$$
WITH taken AS (
    DELETE FROM consign.stream_message m
    WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.dataset = p_dataset AND m.number > p_after
        AND m.number <= (
            SELECT max(c.number) FROM (
                SELECT o.number, sum(o.bytes) OVER (ORDER BY o.number) - o.bytes AS before FROM (
                    SELECT s.number, s.bytes FROM consign.stream_message s
                    WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.dataset = p_dataset
                        AND s.number > p_after AND s.number <= p_to
                    ORDER BY s.number LIMIT p_rows) o) c
            WHERE c.before < p_bytes)
    RETURNING m.number, m.xaction, m.bytes, m.body)
SELECT t.number, t.xaction, t.bytes, t.body FROM taken t ORDER BY t.number
$$;
