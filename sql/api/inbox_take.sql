-- Counts a file or piece of p_bytes that came into the inbox for a batch, in the place of those that had p_replaced bytes.
-- Each counts as 64 KiB at least, so that many small ones have a bound too. The caller holds the batch.
--   CN507  there is no room for it
CREATE OR REPLACE FUNCTION consign.inbox_take(
    p_org integer, p_sandbox integer, p_batch text, p_bytes bigint, p_replaced bigint[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    least_bytes constant bigint := 65536;
    more bigint := greatest(p_bytes, least_bytes)
        - (SELECT coalesce(sum(greatest(r.bytes, least_bytes)), 0) FROM unnest(p_replaced) AS r(bytes));
BEGIN
    UPDATE consign.batch b SET updated_ms = consign.now_ms(), inbox_bytes = b.inbox_bytes + more
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    IF more > 0 AND consign.inbox_room(p_org, p_sandbox) < 0 THEN
        RAISE EXCEPTION 'the inbox quota of the org or sandbox is used up' USING ERRCODE = 'CN507';
    END IF;
END
$$;
