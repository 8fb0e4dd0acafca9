-- The profile that a person (p_identity NULL) or an identity without records has for its events' sake:
-- {"identityMap":{...}}. Of a person all identities, primary those that have events; of more than 50, 51.
-- The settings undo those of an export's long reads, which would have this read all identities in order.
CREATE OR REPLACE FUNCTION consign.bare_profile(p_org integer, p_sandbox integer, p_person bigint, p_identity bigint)
    RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET enable_sort = on SET enable_seqscan = off AS
$$
BEGIN
    RETURN (
        SELECT json_build_object('identityMap', json_object_agg(named.ns, named.list))
        FROM (SELECT i.ns, json_agg(CASE
                  WHEN p_identity IS NOT NULL OR EXISTS (
                      SELECT FROM consign.profile_event e
                      WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = i.person AND e.identity = i.identity)
                  THEN json_build_object('id', i.value, 'primary', true)
                  ELSE json_build_object('id', i.value) END) AS list
              FROM (SELECT * FROM consign.identity one
                    WHERE one.org = p_org AND one.sandbox = p_sandbox AND one.person = p_person
                        AND (p_identity IS NULL OR one.identity = p_identity)
                    ORDER BY one.person LIMIT 51) i
              GROUP BY i.ns) named);
END
$$;
