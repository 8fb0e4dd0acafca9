-- Whether a sandbox may have one more export job. Who posts at the same moment does not see each other, so the bound on
-- live jobs may be passed by as many: a counter would make all calls of an org wait for each other.
-- Planned under the settings of its caller, job_create.
--   CN429  the org or the sandbox has as many live export jobs as it may have
--   CN507  its room in the lake is used up
CREATE OR REPLACE FUNCTION consign.quota_admit(p_org integer, p_sandbox integer)
    RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$
DECLARE
    default_most constant integer := 10000; -- of an org without a quota of its own
    most record;
BEGIN
    SELECT coalesce(max(q.live_most) FILTER (WHERE q.sandbox = 0), default_most) AS org,
           max(q.live_most) FILTER (WHERE q.sandbox <> 0) AS sandbox, count(q.lake_bytes_most) > 0 AS room INTO most
        FROM consign.quota q WHERE q.org = p_org AND q.sandbox IN (0, p_sandbox);
    IF most.org = 0 OR EXISTS (SELECT FROM consign.work_queue q WHERE q.org = p_org AND q.kind = 'export'
            OFFSET most.org - 1 LIMIT 1) THEN
        RAISE EXCEPTION 'live jobs of the org' USING ERRCODE = 'CN429';
    ELSIF most.sandbox = 0 OR most.sandbox IS NOT NULL AND EXISTS (SELECT FROM consign.work_queue q
            WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.kind = 'export' OFFSET most.sandbox - 1 LIMIT 1) THEN
        RAISE EXCEPTION 'live jobs of the sandbox' USING ERRCODE = 'CN429';
    ELSIF most.room AND consign.quota_room(p_org, p_sandbox) <= 0 THEN
        RAISE EXCEPTION 'room in the lake' USING ERRCODE = 'CN507';
    END IF;
END
$$;
