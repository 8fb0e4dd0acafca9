-- The registry: orgs, sandboxes, clients and which client may act for which org.
--
-- This is what a tenant is resolved from, so it cannot stand behind a policy that needs the tenant.
-- SECURITY: no program has a right on these tables; consign_api asks through two SECURITY DEFINER
-- functions (scope_find, client_secret) that answer for one client at a time.

-- Raises when no tenant is set. After an earlier SET LOCAL the setting reads '' and not NULL, so
-- both are refused: a policy that compared with NULL or '' would answer "no rows" instead.
CREATE FUNCTION consign.tenant_org() RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog AS
$$
DECLARE
    setting text := current_setting('consign.org', true);
BEGIN
    IF setting IS NULL OR setting = '' THEN
        RAISE EXCEPTION 'no tenant is set' USING ERRCODE = 'CN500';
    END IF;
    RETURN setting::integer;
END
$$;

CREATE FUNCTION consign.now_ms() RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS
$$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

CREATE TABLE consign.org (
    org         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ims_org_id  text NOT NULL UNIQUE CHECK (ims_org_id ~ '^([A-Za-z0-9]{1,64}@AdobeOrg|[A-Za-z0-9._-]{1,64})$'),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    active      boolean NOT NULL DEFAULT true,
    created_ms  bigint NOT NULL DEFAULT consign.now_ms()
);

CREATE TABLE consign.sandbox (
    org         integer NOT NULL REFERENCES consign.org,
    sandbox     integer GENERATED ALWAYS AS IDENTITY,
    name        text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,254}$'),
    active      boolean NOT NULL DEFAULT true,
    created_ms  bigint NOT NULL DEFAULT consign.now_ms(),
    PRIMARY KEY (org, sandbox),
    UNIQUE (org, name)
);

CREATE TABLE consign.client (
    client       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id    text NOT NULL UNIQUE CHECK (client_id ~ '^[A-Za-z0-9._-]{1,128}$'),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    secret_salt  bytea NOT NULL CHECK (length(secret_salt) = 16),
    secret_hash  bytea NOT NULL CHECK (length(secret_hash) = 32),
    rights       text[] NOT NULL,
    active       boolean NOT NULL DEFAULT true,
    created_ms   bigint NOT NULL DEFAULT consign.now_ms()
);

CREATE TABLE consign.client_org (
    client  integer NOT NULL REFERENCES consign.client,
    org     integer NOT NULL REFERENCES consign.org,
    PRIMARY KEY (client, org)
);
