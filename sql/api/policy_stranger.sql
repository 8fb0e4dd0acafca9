-- The place, from 0, of the first of p_datasets that is no dataset of profile records of this sandbox; no row
-- when all are.
CREATE OR REPLACE FUNCTION consign.policy_stranger(p_org integer, p_sandbox integer, p_datasets text[])
    RETURNS SETOF bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
SELECT o.ordinality - 1 FROM unnest(p_datasets) WITH ORDINALITY AS o(dataset, ordinality)
WHERE NOT EXISTS (SELECT FROM consign.dataset d WHERE d.org = p_org AND d.sandbox = p_sandbox
    AND d.dataset = o.dataset AND d.class = 'profile')
ORDER BY 1 LIMIT 1
$$;
