-- Gives a merge policy new content, as a new version, and answers it; when nothing differs the version stays.
-- p_from_version and p_from_default are what the caller made the new content of (NULL: of nothing); no row
-- when the policy is not that any more, and nothing has changed then.
--   CN404  no such policy                             CN400  a dataset of its order, as policy_hold
CREATE OR REPLACE FUNCTION consign.policy_replace(
    p_org integer, p_sandbox integer, p_policy text, p_from_version integer, p_from_default boolean, p_name text,
    p_rules text, p_datasets text[], p_active_on_edge boolean, p_default boolean)
    RETURNS SETOF consign.policy_document
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    held   consign.policy_document;
BEGIN
    SELECT * INTO held FROM consign.policy_document d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.policy = p_policy AND d.newest;
    IF NOT FOUND THEN -- rather than a fault of the datasets
        RAISE EXCEPTION 'policy' USING ERRCODE = 'CN404';
    END IF;
    -- an order that stays is not looked at again: its datasets were there when it was set
    PERFORM consign.policy_hold(p_org, p_sandbox, CASE WHEN held.rules <> p_rules THEN p_datasets END);
    PERFORM FROM consign.merge_policy m
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.policy = p_policy FOR NO KEY UPDATE;
    SELECT * INTO held FROM consign.policy_document d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.policy = p_policy AND d.newest;
    IF NOT FOUND THEN -- deleted meanwhile
        RAISE EXCEPTION 'policy' USING ERRCODE = 'CN404';
    ELSIF held.version <> p_from_version OR held.is_default <> p_from_default THEN
        RETURN;
    END IF;

    IF (held.name, held.rules, held.active_on_edge, held.is_default)
        IS DISTINCT FROM (p_name, p_rules, p_active_on_edge, p_default) THEN
        IF p_default THEN
            PERFORM consign.policy_unset_default(p_org, p_sandbox, held.class, p_policy);
        END IF;
        UPDATE consign.merge_policy m SET is_default = p_default, version = held.version + 1, updated_ms = moment
            WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.policy = p_policy;
        INSERT INTO consign.merge_policy_version (org, sandbox, policy, version, name, rules, active_on_edge, created_ms)
            VALUES (p_org, p_sandbox, p_policy, held.version + 1, p_name, p_rules, p_active_on_edge, moment);
    END IF;
    RETURN QUERY SELECT * FROM consign.policy_document d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.policy = p_policy AND d.newest;
END
$$;
