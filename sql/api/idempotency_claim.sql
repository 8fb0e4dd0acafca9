-- Takes an idempotency key for p_object, or finds what it was taken for: the object of the call
-- that holds the key. A key lasts 24 h. Two calls with one key wait for each other on its row.
--   CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.idempotency_claim(
    p_org integer, p_sandbox integer, p_route text, p_key_sha256 text, p_body_sha256 text, p_object text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held consign.idempotency_key;
    moment bigint := consign.now_ms();
BEGIN
    LOOP
        INSERT INTO consign.idempotency_key AS k (org, sandbox, route, key_sha256, body_sha256, object, created_ms)
            VALUES (p_org, p_sandbox, p_route, p_key_sha256, p_body_sha256, p_object, moment)
            ON CONFLICT (org, sandbox, route, key_sha256) DO UPDATE
                SET body_sha256 = EXCLUDED.body_sha256, object = EXCLUDED.object, created_ms = EXCLUDED.created_ms
                WHERE k.created_ms < moment - 86400000
            RETURNING * INTO held;
        EXIT WHEN FOUND;
        SELECT * INTO held FROM consign.idempotency_key k
            WHERE k.org = p_org AND k.sandbox = p_sandbox AND k.route = p_route AND k.key_sha256 = p_key_sha256;
        EXIT WHEN FOUND; -- else it ended, and was removed, in between
    END LOOP;
    IF held.body_sha256 <> p_body_sha256 THEN
        RAISE EXCEPTION 'key' USING ERRCODE = 'CN422';
    END IF;
    RETURN held.object;
END
$$;
