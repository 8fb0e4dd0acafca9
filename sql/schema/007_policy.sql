-- Merge policies: how the fragments of a profile become one (contract.md sections 5 and 6). They belong to a
-- sandbox. The built-in policy timestampOrdered-none-mp has no row: it always exists, and is the default while
-- none of these is.

CREATE TABLE consign.merge_policy (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    policy          text NOT NULL CHECK (policy ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    class           text NOT NULL CHECK (class = '_xdm.context.profile'),
    is_default      boolean NOT NULL,
    version         integer NOT NULL CHECK (version >= 1), -- the newest
    created_ms      bigint NOT NULL,
    updated_ms      bigint NOT NULL,
    created_client  text NOT NULL,
    PRIMARY KEY (org, sandbox, policy),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);
CREATE UNIQUE INDEX merge_policy_default ON consign.merge_policy (org, sandbox, class) WHERE is_default;

-- What each version of a policy says. Never changed: jobs name a version. Gone with the policy.
CREATE TABLE consign.merge_policy_version (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    policy          text NOT NULL,
    version         integer NOT NULL CHECK (version >= 1),
    name            text CHECK (length(name) BETWEEN 1 AND 255),
    rules           text NOT NULL, -- fcgi/core/policy.h
    active_on_edge  boolean NOT NULL,
    created_ms      bigint NOT NULL,
    PRIMARY KEY (org, sandbox, policy, version),
    FOREIGN KEY (org, sandbox, policy) REFERENCES consign.merge_policy ON DELETE CASCADE
);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['merge_policy', 'merge_policy_version'] LOOP
        EXECUTE format('ALTER TABLE consign.%I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE consign.%I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY tenant ON consign.%I USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org())',
                       tenant_table);
    END LOOP;
END
$$;

-- A policy as clients see it, one row a version. A version that is not the newest was last changed when it
-- was made.
CREATE VIEW consign.policy_document WITH (security_invoker = true) AS
SELECT p.org, p.sandbox, p.policy, v.version, v.name, p.class, v.rules, v.active_on_edge, p.is_default,
       CASE WHEN v.version = p.version THEN p.updated_ms ELSE v.created_ms END AS updated_ms,
       v.version = p.version AS newest
FROM consign.merge_policy p JOIN consign.merge_policy_version v USING (org, sandbox, policy);
