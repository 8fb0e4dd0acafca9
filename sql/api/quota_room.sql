-- How many bytes of the lake an org and its sandbox may still take; negative when it is over, NULL without a bound.
CREATE OR REPLACE FUNCTION consign.quota_room(p_org integer, p_sandbox integer)
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
    RETURN (SELECT least(most.org - coalesce(sum(u.bytes), 0),
                         most.sandbox - coalesce(sum(u.bytes) FILTER (WHERE u.sandbox = p_sandbox), 0))
            FROM consign.lake_usage u WHERE u.org = p_org);
END
$$;
