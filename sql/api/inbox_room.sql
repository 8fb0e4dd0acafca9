-- How many bytes of the inbox an org and its sandbox may still take; negative when it is over, or when so many of the
-- org's uploads have not ended that counting them would take long: twice as many as batch_create opens, so who was given a
-- batch can fill it. Who uploads at the same moment does not see each other, so the bound may be passed by what they
-- bring: with a counter uploads and the ends of loads would wait for each other. Of many batches the planner would
-- rather read all.
CREATE OR REPLACE FUNCTION consign.inbox_room(p_org integer, p_sandbox integer)
    RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS
$$
DECLARE
    default_most constant bigint := 107374182400; -- 100 GiB, of an org without a quota of its own
    batches_most constant bigint := 20000;
    most  record;
    taken record;
BEGIN
    SELECT coalesce(max(q.inbox_bytes_most) FILTER (WHERE q.sandbox = 0), default_most) AS org,
           max(q.inbox_bytes_most) FILTER (WHERE q.sandbox <> 0) AS sandbox INTO most
        FROM consign.quota q WHERE q.org = p_org AND q.sandbox IN (0, p_sandbox);
    SELECT count(*) AS batches, coalesce(sum(u.inbox_bytes), 0) AS org,
           coalesce(sum(u.inbox_bytes) FILTER (WHERE u.sandbox = p_sandbox), 0) AS sandbox INTO taken
        FROM (SELECT b.sandbox, b.inbox_bytes FROM consign.batch b
              WHERE b.org = p_org AND b.status IN ('loading', 'processing') LIMIT batches_most + 1) u;
    RETURN CASE WHEN taken.batches > batches_most THEN -1
                ELSE least(most.org - taken.org, most.sandbox - taken.sandbox) END;
END
$$;
