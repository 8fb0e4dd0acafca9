-- Registers a schema and answers it. With a key, the schema that the same key and body made within 24 h is answered
-- instead.
--   CN409  the sandbox has as many schemas, or as much of them, as it may have
--   CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.registry_schema_create(
    p_org integer, p_sandbox integer, p_schema text, p_title text, p_class text, p_document text, p_client text,
    p_key_sha256 text, p_body_sha256 text)
    RETURNS SETOF consign.registry_schema
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    most       constant integer := 1000;
    most_bytes constant bigint := 16777216; -- a union is made of all of them, in memory
    moment bigint := consign.now_ms();
    made   text := p_schema;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'schemas', p_key_sha256, p_body_sha256, p_schema);
    END IF;
    IF made = p_schema THEN
        IF (SELECT count(*) >= most OR coalesce(sum(octet_length(s.document)), 0) + octet_length(p_document) > most_bytes
            FROM consign.registry_schema s WHERE s.org = p_org AND s.sandbox = p_sandbox) THEN
            RAISE EXCEPTION 'schemas' USING ERRCODE = 'CN409';
        END IF;
        INSERT INTO consign.registry_schema (org, sandbox, schema, title, class, document, created_ms, updated_ms,
                created_client)
            VALUES (p_org, p_sandbox, p_schema, p_title, p_class, p_document, moment, moment, p_client);
    END IF;
    RETURN QUERY SELECT * FROM consign.registry_schema s
        WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.schema = made;
END
$$;
