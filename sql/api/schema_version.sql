-- Which of sql/schema/ the database has: the number of the last. The programs' --check compares it with their own.
-- SECURITY: DEFINER, because no program reads the table of migrations.
CREATE OR REPLACE FUNCTION consign.schema_version() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT max(version) FROM consign.schema_migration $$;
