-- A page of the active sandboxes of the tenant's org in order of name, or the one of that name (p_name). With the number
-- of all in each row; a page on which there is none is one row without a name.
-- SECURITY: DEFINER, because no program reads the registry; it tells of the org that the transaction works for, and of
-- no other.
CREATE OR REPLACE FUNCTION consign.sandbox_list(
    p_org integer, p_sandbox integer, p_name text, p_limit integer, p_offset bigint)
    RETURNS TABLE (name text, created_ms bigint, total bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
WITH active AS (
    SELECT s.name, s.created_ms FROM consign.sandbox s
    WHERE s.org = p_org AND s.org = consign.tenant_org() AND s.active AND (p_name IS NULL OR s.name = p_name))
SELECT page.name, page.created_ms, all_of.total FROM (SELECT count(*) AS total FROM active) all_of
LEFT JOIN (SELECT a.name, a.created_ms FROM active a ORDER BY a.name COLLATE "C" LIMIT p_limit OFFSET p_offset) page ON true
ORDER BY page.name COLLATE "C"
$$;
