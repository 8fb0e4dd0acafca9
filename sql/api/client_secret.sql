-- What the token endpoint compares a client secret with. No row: unknown or inactive client.
-- SECURITY: DEFINER, because no program reads the client table.
CREATE OR REPLACE FUNCTION consign.client_secret(p_client_id text)
    RETURNS TABLE (secret_salt bytea, secret_hash bytea, rights text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
SELECT c.secret_salt, c.secret_hash, array_to_string(c.rights, ' ')
FROM consign.client c WHERE c.client_id = p_client_id AND c.active
$$;
