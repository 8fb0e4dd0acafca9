-- Who is asking: what the registry says of a client, an org and a sandbox by their public names.
-- One row, always. client_active: the client is registered and active. entitled: it may act for
-- that org, which is active. sandbox: 0 when unknown or inactive there, or not entitled. version: of the
-- registry; while that is the same, so is this answer.
-- SECURITY: DEFINER, because it runs before a tenant is known; it tells of one client only.
CREATE OR REPLACE FUNCTION consign.scope_find(p_client_id text, p_ims_org_id text, p_sandbox_name text)
    RETURNS TABLE (client_active boolean, entitled boolean, org integer, sandbox integer, rights text, version uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
SELECT c.client IS NOT NULL, o.org IS NOT NULL, coalesce(o.org, 0), coalesce(s.sandbox, 0),
       coalesce(array_to_string(c.rights, ' '), ''), v.version
FROM consign.registry_version v
LEFT JOIN consign.client c ON c.client_id = p_client_id AND c.active
LEFT JOIN consign.client_org e ON e.client = c.client
    AND e.org = (SELECT x.org FROM consign.org x WHERE x.ims_org_id = p_ims_org_id AND x.active)
LEFT JOIN consign.org o ON o.org = e.org
LEFT JOIN consign.sandbox s ON s.org = o.org AND s.name = p_sandbox_name AND s.active
$$;
