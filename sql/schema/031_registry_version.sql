-- Which state of the registry (org, sandbox, client, client_org) this is, so that the pool may trust what it was told of
-- a client for as long as nothing has changed (fcgi/core/scope.h). Random and no counter: after a failover or a restore
-- the same number could stand for something else. New with the transaction that changes anything, and at its end, so that
-- two such transactions wait for each other's end and never for each other.
CREATE TABLE consign.registry_version (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    version  uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO consign.registry_version DEFAULT VALUES;

-- Once a transaction, however many rows it changes.
CREATE FUNCTION consign.registry_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    UPDATE consign.registry_version v SET version = gen_random_uuid() WHERE v.one AND v.xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['org', 'sandbox', 'client', 'client_org'] LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE ON consign.%I
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION consign.registry_changed()', name);
    END LOOP;
END
$$;

-- Tells the version as well now.
DROP FUNCTION IF EXISTS consign.scope_find(text, text, text);
