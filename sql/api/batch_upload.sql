-- Enters a file that lies in the inbox as p_object. A file of the same name is replaced; answers the
-- objects that nothing refers to any more, to be removed.
-- p_encoding: identity, gzip or zstd. p_total: of a file that comes in pieces, how long it is to be; this is the first.
--   CN404  no such batch of that dataset   CN409  not in the state "loading"   CN507  as inbox_take
CREATE OR REPLACE FUNCTION consign.batch_upload(
    p_org integer, p_sandbox integer, p_batch text, p_dataset text, p_name text, p_object text, p_bytes bigint,
    p_encoding text DEFAULT 'identity', p_total bigint DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    replaced text[];
    sizes    bigint[];
BEGIN
    PERFORM consign.batch_hold_files(p_org, p_sandbox, p_batch, p_dataset);
    SELECT array_agg(o.object), array_agg(o.bytes) INTO replaced, sizes FROM (
        SELECT u.object, u.bytes FROM consign.batch_upload u
            WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch AND u.name = p_name
                AND u.total_bytes IS NULL -- the first piece is among the others
        UNION ALL
        SELECT p.object, p.bytes FROM consign.batch_upload_part p
            WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.batch = p_batch AND p.name = p_name) o;
    DELETE FROM consign.batch_upload_part p
        WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.batch = p_batch AND p.name = p_name;
    INSERT INTO consign.batch_upload (org, sandbox, batch, name, object, bytes, encoding, total_bytes, whole)
        VALUES (p_org, p_sandbox, p_batch, p_name, p_object, p_bytes, p_encoding, p_total,
                p_total IS NULL OR p_total = p_bytes)
        ON CONFLICT (org, sandbox, batch, name) DO UPDATE
            SET object = EXCLUDED.object, bytes = EXCLUDED.bytes, encoding = EXCLUDED.encoding,
                total_bytes = EXCLUDED.total_bytes, whole = EXCLUDED.whole;
    IF p_total IS NOT NULL THEN
        INSERT INTO consign.batch_upload_part (org, sandbox, batch, name, first_byte, object, bytes)
            VALUES (p_org, p_sandbox, p_batch, p_name, 0, p_object, p_bytes);
    END IF;
    PERFORM consign.inbox_take(p_org, p_sandbox, p_batch, p_bytes, sizes);
    RETURN QUERY SELECT unnest(replaced);
END
$$;
