-- How a look-up merges: the newest version of a merge policy. p_policy NULL: the sandbox's default, else the built-in
-- one, which has no row. As job_policy, but nothing is locked: a look-up ends before anybody could wait for it.
-- graph: the profile is a person, else an identity. datasets: of dataSetPrecedence, the strongest first; else NULL.
--   CN405  no such policy of the profile class
CREATE OR REPLACE FUNCTION consign.entity_policy(
    p_org integer, p_sandbox integer, p_policy text, OUT policy text, OUT graph boolean, OUT datasets text[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$
DECLARE
    rules json;
BEGIN
    SELECT m.policy, v.rules INTO policy, rules
        FROM consign.merge_policy m JOIN consign.merge_policy_version v
            ON v.org = m.org AND v.sandbox = m.sandbox AND v.policy = m.policy AND v.version = m.version
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.class = '_xdm.context.profile'
            AND CASE WHEN p_policy IS NULL THEN m.is_default ELSE m.policy = p_policy END;
    IF NOT FOUND THEN
        policy := 'timestampOrdered-none-mp';
        graph := false;
        IF p_policy <> policy THEN
            RAISE EXCEPTION 'policy' USING ERRCODE = 'CN405';
        END IF;
        RETURN;
    END IF;
    graph := rules #>> '{identityGraph,type}' = 'pdg';
    IF rules #>> '{attributeMerge,type}' = 'dataSetPrecedence' THEN
        datasets := ARRAY(SELECT json_array_elements_text(rules #> '{attributeMerge,order}'));
    END IF;
END
$$;
