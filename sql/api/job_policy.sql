-- The merge policy and version that a new job runs under. p_policy NULL: the sandbox's default, else the
-- built-in one, which has no row. p_version 0: the newest.
--   CN405  no such policy of the profile class      CN406  it has no such version
-- The lock makes a delete of the policy wait until the job is there and then find it.
CREATE OR REPLACE FUNCTION consign.job_policy(
    p_org integer, p_sandbox integer, p_policy text, p_version integer, OUT policy text, OUT version integer)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    SELECT m.policy, m.version INTO policy, version FROM consign.merge_policy m
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.class = '_xdm.context.profile'
            AND CASE WHEN p_policy IS NULL THEN m.is_default ELSE m.policy = p_policy END
        FOR KEY SHARE;
    IF NOT FOUND THEN
        policy := 'timestampOrdered-none-mp';
        version := 1;
        IF p_policy <> policy THEN
            RAISE EXCEPTION 'policy' USING ERRCODE = 'CN405';
        ELSIF p_version NOT IN (0, version) THEN
            RAISE EXCEPTION 'policy version' USING ERRCODE = 'CN406';
        END IF;
    ELSIF p_version <> 0 THEN
        version := p_version;
        PERFORM FROM consign.merge_policy_version v
            WHERE v.org = p_org AND v.sandbox = p_sandbox AND v.policy = job_policy.policy AND v.version = p_version;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'policy version' USING ERRCODE = 'CN406';
        END IF;
    END IF;
END
$$;
