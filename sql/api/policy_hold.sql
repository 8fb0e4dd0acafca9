-- What making and replacing a policy begin with: the org's turn, held to the end of the transaction, so that
-- its policies are counted and its defaults moved by one call at a time; and a look at the datasets of an
-- order (NULL: none), which stay until the transaction ends.
--   CN400  one of them is no dataset of profile records of this sandbox
-- The turn is an advisory lock because an org without policies has no row that its tenant could lock; it is
-- that of the tenant which is set. Locks of two numbers are this function's, those of one the queue's.
CREATE OR REPLACE FUNCTION consign.policy_hold(p_org integer, p_sandbox integer, p_datasets text[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    turn constant integer := 1;
BEGIN
    PERFORM pg_advisory_xact_lock(turn, consign.tenant_org());
    PERFORM FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = ANY (p_datasets) AND d.class = 'profile'
        FOR KEY SHARE;
    IF EXISTS (SELECT FROM consign.policy_stranger(p_org, p_sandbox, p_datasets)) THEN
        RAISE EXCEPTION 'policy dataset' USING ERRCODE = 'CN400';
    END IF;
END
$$;
