-- The sandboxes of all orgs behind (p_org, p_sandbox), in order, at most p_most.
-- SECURITY: runs as the owner, because the spooler has no right on the registry: it learns numbers and nothing else.
CREATE OR REPLACE FUNCTION consign.sweep_places(p_org integer, p_sandbox integer, p_most integer)
    RETURNS TABLE (org integer, sandbox integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT s.org, s.sandbox FROM consign.sandbox s WHERE (s.org, s.sandbox) > (p_org, p_sandbox)
    ORDER BY s.org, s.sandbox LIMIT p_most
$$;
