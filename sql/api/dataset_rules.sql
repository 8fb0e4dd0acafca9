-- What the records of a dataset must be: its class; the document of the tenant's schema that they follow, NULL for a
-- base schema; and which members of it are identities, as JSON text [{property, namespace, primary}, ...]. No row: no
-- such dataset.
CREATE OR REPLACE FUNCTION consign.dataset_rules(p_org integer, p_sandbox integer, p_dataset text)
    RETURNS TABLE (class text, document text, identities text)
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
    SELECT d.class, s.document,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('property', i.property, 'namespace', i.namespace,
                                                         'primary', i.is_primary) ORDER BY i.property COLLATE "C"),
                            '[]')::text
            FROM consign.registry_descriptor i
            WHERE i.org = s.org AND i.sandbox = s.sandbox AND i.schema = s.schema)
    FROM consign.dataset d
    LEFT JOIN consign.registry_schema s
           ON s.org = d.org AND s.sandbox = d.sandbox AND s.schema = d.registry_schema
    WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset
$$;
