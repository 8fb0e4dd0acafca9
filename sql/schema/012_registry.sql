-- The schema registry: a tenant's own schemas, and which of their members are identities.
-- (What may act for which org is another registry: 001_registry.sql.)

-- One schema. `schema` is its number as 40 hex digits; the $id that clients see is made from it. class is that of the
-- base schema it extends. document: what the client sent, without the service's own members.
CREATE TABLE consign.registry_schema (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    schema          text NOT NULL CHECK (schema ~ '^[0-9a-f]{40}$'),
    title           text NOT NULL CHECK (length(title) BETWEEN 1 AND 255),
    class           text NOT NULL CHECK (class IN ('profile', 'experienceevent')),
    document        text COMPRESSION lz4 NOT NULL,
    version         integer NOT NULL DEFAULT 1,
    created_ms      bigint NOT NULL,
    updated_ms      bigint NOT NULL,
    created_client  text NOT NULL,
    PRIMARY KEY (org, sandbox, schema),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);
CREATE INDEX registry_schema_created ON consign.registry_schema (org, sandbox, created_ms, schema);

-- One identity descriptor: the member at `property` (a path such as /_tenant/identities/crmId) holds an identity of
-- namespace `namespace`. At most one primary a schema.
CREATE TABLE consign.registry_descriptor (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    descriptor      text NOT NULL CHECK (descriptor ~ '^[0-9a-f]{40}$'),
    schema          text NOT NULL,
    property        text NOT NULL CHECK (length(property) BETWEEN 2 AND 1024),
    namespace       text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 255),
    is_primary      boolean NOT NULL,
    created_ms      bigint NOT NULL,
    created_client  text NOT NULL,
    PRIMARY KEY (org, sandbox, descriptor),
    FOREIGN KEY (org, sandbox, schema) REFERENCES consign.registry_schema
);
CREATE UNIQUE INDEX registry_descriptor_property ON consign.registry_descriptor (org, sandbox, schema, property);
CREATE UNIQUE INDEX registry_descriptor_primary ON consign.registry_descriptor (org, sandbox, schema) WHERE is_primary;

-- The tenant's schema that a dataset's records follow. NULL: one of the base schemas.
ALTER TABLE consign.dataset ADD COLUMN registry_schema text;
-- NOT VALID: nothing of before needs the check, which would ask the policies of all tenants at once.
ALTER TABLE consign.dataset
    ADD FOREIGN KEY (org, sandbox, registry_schema) REFERENCES consign.registry_schema NOT VALID;

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['registry_schema', 'registry_descriptor'] LOOP
        EXECUTE format('ALTER TABLE consign.%I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE consign.%I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY tenant ON consign.%I USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org())',
                       tenant_table);
    END LOOP;
END
$$;
