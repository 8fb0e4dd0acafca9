-- Makes an identity descriptor and answers it. With a key, the descriptor that the same key and body made within
-- 24 h is answered instead. That the schema has such a property is the caller's to know: schemas never change.
--   CN409  the property has a descriptor, the schema has a primary one, or as many as it may have; nothing is made
--   CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.registry_descriptor_create(
    p_org integer, p_sandbox integer, p_descriptor text, p_schema text, p_property text, p_namespace text,
    p_namespace_by text, p_primary boolean, p_client text, p_key_sha256 text, p_body_sha256 text)
    RETURNS SETOF consign.registry_descriptor
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    turn constant integer := 3; -- among advisory locks of two numbers
    most constant integer := 100; -- profile/schema.h
    made text := p_descriptor;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'descriptors', p_key_sha256, p_body_sha256, p_descriptor);
    END IF;
    IF made = p_descriptor THEN
        -- two calls for one schema take turns, or both could be its last
        PERFORM pg_advisory_xact_lock(turn, hashtext(p_schema));
        INSERT INTO consign.registry_descriptor (org, sandbox, descriptor, schema, property, namespace, is_primary,
                created_ms, created_client, namespace_by)
            SELECT p_org, p_sandbox, p_descriptor, p_schema, p_property, p_namespace, p_primary, consign.now_ms(), p_client,
                p_namespace_by
            WHERE (SELECT count(*) FROM consign.registry_descriptor d
                WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.schema = p_schema) < most
            ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'descriptor' USING ERRCODE = 'CN409';
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM consign.registry_descriptor d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.descriptor = made;
END
$$;
