-- The database roles. Runs as the operator (a superuser, or the owner of the database with CREATEROLE),
-- before every migration, and by psql before a backup is restored; harmless when repeated.
--
--   consign_owner    owns every object; nobody logs in as it
--   consign_api      the FastCGI pool
--   consign_spooler  the export and ingest workers
--   consign_sender   the spooler's process that sends the events of webhooks
--   consign_metrics  counts for monitoring, no tenant rows
--
-- SECURITY: none of them is superuser or BYPASSRLS; the programs check that at every start.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['consign_owner', 'consign_api', 'consign_spooler', 'consign_sender', 'consign_metrics'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT %s', wanted,
                           CASE WHEN wanted = 'consign_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);
        END IF;
    END LOOP;
    -- The operator works as consign_owner. Before PostgreSQL 16 members may; from 16 on SET is a right of its own, which who
    -- made the role may give.
    IF NOT pg_has_role('consign_owner', CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
        GRANT consign_owner TO CURRENT_USER;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO consign_api, consign_spooler, consign_sender, consign_metrics', current_database());
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO consign_owner', current_database());
    -- the spooler stages a batch in a temporary table that its transaction drops
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO consign_spooler', current_database());
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
