-- Makes a dataset, and answers its id. With p_registry_schema it follows that schema of the sandbox, whose class is
-- then the dataset's. With a key, the id that the same key and body made within 24 h is answered instead, NULL when that
-- dataset is gone.
-- p_webhook is told of the ends of jobs that export into it and name none.
--   CN400  no such schema     CN407  no such webhook     CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.dataset_create(
    p_org integer, p_sandbox integer, p_dataset text, p_name text, p_description text, p_schema_id text,
    p_content_type text, p_class text, p_format text, p_compression text, p_tags text, p_client text,
    p_key_sha256 text, p_body_sha256 text, p_registry_schema text, p_webhook text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    made   text := p_dataset;
    class_made text := p_class;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'dataSets', p_key_sha256, p_body_sha256, p_dataset);
    END IF;
    IF made = p_dataset THEN
        IF p_registry_schema IS NOT NULL THEN
            SELECT s.class INTO class_made FROM consign.registry_schema s
                WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.schema = p_registry_schema;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'schema' USING ERRCODE = 'CN400';
            END IF;
        END IF;
        PERFORM consign.webhook_look(p_org, p_sandbox, p_webhook);
        INSERT INTO consign.dataset (org, sandbox, dataset, name, description, schema_id, schema_content_type, class,
                format, compression, tags, created_ms, updated_ms, created_client, registry_schema, webhook)
            VALUES (p_org, p_sandbox, p_dataset, p_name, p_description, p_schema_id, p_content_type, class_made, p_format,
                p_compression, p_tags, moment, moment, p_client, p_registry_schema, p_webhook);
    END IF;
    RETURN (SELECT d.dataset FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = made);
END
$$;
