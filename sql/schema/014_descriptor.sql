-- What a descriptor's namespace is named by, as its xdm:property says: the namespace's code, or its id. Kept and shown;
-- the identities have the namespace as it is written either way.
ALTER TABLE consign.registry_descriptor
    ADD COLUMN namespace_by text NOT NULL DEFAULT 'xdm:code' CHECK (namespace_by IN ('xdm:code', 'xdm:id'));

-- dataset_create takes the tenant's schema too.
DROP FUNCTION IF EXISTS
    consign.dataset_create(integer, integer, text, text, text, text, text, text, text, text, text, text, text, text);
