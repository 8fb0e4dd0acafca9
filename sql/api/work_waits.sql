-- Whether work waits that a worker could claim now, of any tenant: what work_claim would choose from. What can not be
-- claimed (a load that stands behind another one of its sandbox, work of an org that runs as much as its quota
-- allows) must not keep exports from being shared.
CREATE OR REPLACE FUNCTION consign.work_waits()
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
SELECT EXISTS (SELECT FROM consign.work_ready(false))
$$;
