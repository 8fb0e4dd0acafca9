-- Removes idempotency keys that have ended (idempotency_claim), the oldest first and at most p_most of them.
-- Answers how many. Another call may be at the same keys, or take one of them anew.
CREATE OR REPLACE FUNCTION consign.idempotency_expire(p_most integer)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    oldest  bigint := consign.now_ms() - 86400000;
    removed bigint;
BEGIN
    DELETE FROM consign.idempotency_key k
        WHERE k.created_ms < oldest AND (k.org, k.sandbox, k.route, k.key_sha256) IN (
            SELECT x.org, x.sandbox, x.route, x.key_sha256 FROM consign.idempotency_key x
            WHERE x.created_ms < oldest ORDER BY x.created_ms LIMIT p_most);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
