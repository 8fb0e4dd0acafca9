-- Removes a merge policy with all its versions.
--   CN404  no such policy      CN409  a live job uses it, whichever version
-- The lock waits for jobs that are being accepted under the policy (job_policy), and they for it.
CREATE OR REPLACE FUNCTION consign.policy_delete(p_org integer, p_sandbox integer, p_policy text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM FROM consign.merge_policy m
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.policy = p_policy FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'policy' USING ERRCODE = 'CN404';
    END IF;
    IF EXISTS (SELECT FROM consign.export_job j WHERE j.org = p_org AND j.sandbox = p_sandbox
            AND j.status IN ('NEW', 'PROCESSING', 'CANCELLING') AND j.merge_policy = p_policy) THEN
        RAISE EXCEPTION 'policy in use' USING ERRCODE = 'CN409';
    END IF;
    DELETE FROM consign.merge_policy m
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.policy = p_policy;
END
$$;
