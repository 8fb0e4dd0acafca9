-- Makes a merge policy and answers it; the new default takes that place from the old one. With a key, the
-- policy that the same key and body made within 24 h is answered instead, as it is now; no row when it is gone.
--   CN400  a dataset of its order, as policy_hold     CN409  the org has as many of the class as it may have
--   CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.policy_create(
    p_org integer, p_sandbox integer, p_policy text, p_class text, p_name text, p_rules text, p_datasets text[],
    p_active_on_edge boolean, p_default boolean, p_client text, p_key_sha256 text, p_body_sha256 text)
    RETURNS SETOF consign.policy_document
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    most   constant integer := 5; -- as the reference has it, over all sandboxes of the org
    moment bigint := consign.now_ms();
    made   text := p_policy;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'mergePolicies', p_key_sha256, p_body_sha256, p_policy);
    END IF;
    IF made = p_policy THEN
        PERFORM consign.policy_hold(p_org, p_sandbox, p_datasets);
        IF (SELECT count(*) FROM consign.merge_policy m WHERE m.org = p_org AND m.class = p_class) >= most THEN
            RAISE EXCEPTION 'policies' USING ERRCODE = 'CN409';
        END IF;
        IF p_default THEN
            PERFORM consign.policy_unset_default(p_org, p_sandbox, p_class, p_policy);
        END IF;
        INSERT INTO consign.merge_policy (org, sandbox, policy, class, is_default, version, created_ms, updated_ms,
                created_client)
            VALUES (p_org, p_sandbox, p_policy, p_class, p_default, 1, moment, moment, p_client);
        INSERT INTO consign.merge_policy_version (org, sandbox, policy, version, name, rules, active_on_edge, created_ms)
            VALUES (p_org, p_sandbox, p_policy, 1, p_name, p_rules, p_active_on_edge, moment);
    END IF;
    RETURN QUERY SELECT * FROM consign.policy_document d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.policy = made AND d.newest;
END
$$;
