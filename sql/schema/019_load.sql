-- What a load did once a row, done once a statement or not at all.

-- Row level security asks for the tenant with every row that is written. As an SQL expression the planner puts it in
-- place of the call: 0.5 us against 3.0 us. Its names were looked up when it was made, so nobody's search_path has a say.
CREATE FUNCTION consign.tenant_missing() RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog AS
$$
BEGIN
    RAISE EXCEPTION 'no tenant is set' USING ERRCODE = 'CN500';
END
$$;
CREATE OR REPLACE FUNCTION consign.tenant_org() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN pg_catalog.current_setting('consign.org', true) <> ''
        THEN pg_catalog.current_setting('consign.org', true)::integer ELSE consign.tenant_missing() END;

-- Foreign keys cost a query a row, a fourth of a load. What they say is held by one row for all of a load: whoever
-- writes a dataset's records has its batch and its observed_schema row, which refer to the dataset, and identities
-- are made under the sandbox's ingest_clock row, which refers to the sandbox.
ALTER TABLE consign.profile_fragment DROP CONSTRAINT profile_fragment_org_sandbox_dataset_fkey;
ALTER TABLE consign.profile_event DROP CONSTRAINT profile_event_org_sandbox_dataset_fkey;
ALTER TABLE consign.identity DROP CONSTRAINT identity_org_sandbox_fkey;
