-- Which sql/api/ and grants.sql the database has: the SHA-256 of their texts, entered by the last migrate (row 0, since no file of
-- sql/schema/ has that number). The programs' --check compares it with their own.
-- SECURITY: DEFINER, because no program reads the table of migrations.
CREATE OR REPLACE FUNCTION consign.sql_digest() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT sha256 FROM consign.schema_migration WHERE version = 0 $$;
