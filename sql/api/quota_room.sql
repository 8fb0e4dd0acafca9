-- How many bytes of the lake an org and its sandbox may still take; negative when it is over, NULL without a bound. With
-- p_entry, what the exports that run and were queued before that entry have written is taken already: each looks at
-- those before it only, so that of several that have no room together the first ones go on.
CREATE OR REPLACE FUNCTION consign.quota_room(p_org integer, p_sandbox integer, p_entry bigint DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    most record;
BEGIN
    SELECT max(q.lake_bytes_most) FILTER (WHERE q.sandbox = 0) AS org,
           max(q.lake_bytes_most) FILTER (WHERE q.sandbox <> 0) AS sandbox INTO most
        FROM consign.quota q WHERE q.org = p_org AND q.sandbox IN (0, p_sandbox);
    IF most.org IS NULL AND most.sandbox IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT least(most.org - coalesce(sum(t.bytes), 0),
                         most.sandbox - coalesce(sum(t.bytes) FILTER (WHERE t.sandbox = p_sandbox), 0))
            FROM (SELECT u.sandbox, u.bytes FROM consign.lake_usage u WHERE u.org = p_org
                  UNION ALL
                  SELECT p.sandbox, p.bytes FROM consign.work_queue q JOIN consign.export_progress p USING (org, sandbox, job)
                  WHERE q.org = p_org AND q.attempt IS NOT NULL AND q.entry < p_entry) t);
END
$$;
