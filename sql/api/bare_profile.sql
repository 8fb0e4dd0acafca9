-- The profile that a person (p_identity NULL) or an identity without records has for its events' sake:
-- {"identityMap":{...}}. Of a person all identities, primary those that have events; of more than 50, 51.
-- A person may have very many identities, and this is asked for each that has events: so the rows are looked up in
-- identity_person, the only one that gives this order without sorting, whatever the planner knows of the table.
CREATE OR REPLACE FUNCTION consign.bare_profile(p_org integer, p_sandbox integer, p_person bigint, p_identity bigint)
    RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET enable_sort = off SET enable_seqscan = off
    SET enable_bitmapscan = off AS
$$
BEGIN
    IF p_identity IS NOT NULL THEN
        RETURN (
            SELECT json_build_object('identityMap', json_build_object(i.ns,
                json_build_array(json_build_object('id', i.value, 'primary', true))))
            FROM consign.identity i
            WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.person IS NOT NULL
                AND (i.person, i.identity) >= (p_person, p_identity) AND (i.person, i.identity) <= (p_person, p_identity)
            ORDER BY i.person, i.identity LIMIT 1);
    END IF;
    RETURN (
        SELECT json_build_object('identityMap', json_object_agg(named.ns, named.list))
        FROM (SELECT i.ns, json_agg(CASE
                  WHEN EXISTS (
                      SELECT FROM consign.profile_event e
                      WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = i.person AND e.identity = i.identity)
                  THEN json_build_object('id', i.value, 'primary', true)
                  ELSE json_build_object('id', i.value) END) AS list
              FROM (SELECT * FROM consign.identity one
                    WHERE one.org = p_org AND one.sandbox = p_sandbox AND one.person BETWEEN p_person AND p_person
                    ORDER BY one.person LIMIT 51) i
              GROUP BY i.ns) named);
END
$$;
