-- Takes the place of the default of a class from whoever holds it, save p_policy. Its version stays: what its
-- versions say of merging has not changed. The caller has the org's turn (policy_hold).
CREATE OR REPLACE FUNCTION consign.policy_unset_default(p_org integer, p_sandbox integer, p_class text, p_policy text)
    RETURNS void
    LANGUAGE sql SET search_path = pg_catalog AS
$$
UPDATE consign.merge_policy m SET is_default = false, updated_ms = consign.now_ms()
WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.class = p_class AND m.is_default AND m.policy <> p_policy
$$;
