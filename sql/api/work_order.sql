-- What could be claimed (work_ready), the best of each org, in this order:
--   of the orgs, first those that hold no more than their share, by weight, of the workers that orgs with waiting
--   work hold, the one that asks included: long work of one must not get hold of all workers one by one;
--   then whose next turn begins soonest (work_turn), so that claims are as the weights are;
--   of an org's sandboxes likewise, and of a sandbox the kind that was not claimed last: exports hold up no loads
--   and loads no exports for more than a turn.
-- No worker that may take work goes without while there is any.
CREATE OR REPLACE FUNCTION consign.work_order(p_express boolean)
    RETURNS TABLE (org integer, sandbox integer, entry bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET enable_seqscan = off SET jit = off
    SET plan_cache_mode = force_generic_plan AS
$$
BEGIN
    RETURN QUERY
    WITH in_sandbox AS (
        SELECT DISTINCT ON (r.org, r.sandbox) r.org, r.sandbox, r.entry, r.org_weight, r.org_running,
            r.sandbox_weight AS weight, r.sandbox_running AS running, t.begins
        FROM consign.work_ready(p_express) r LEFT JOIN LATERAL (
            SELECT w.begins, w.kind FROM consign.work_turn w WHERE w.org = r.org AND w.sandbox = r.sandbox OFFSET 0) t ON true
        ORDER BY r.org, r.sandbox, r.kind = t.kind, r.entry
    ), of_org AS (
        SELECT s.*, t.begins AS org_begins, greatest(t.clock, s.begins + 1000000 / s.weight) AS next,
            s.running * sum(s.weight) OVER org >= (sum(s.running) OVER org + 1) * s.weight AS over
        FROM in_sandbox s LEFT JOIN LATERAL (
            SELECT w.begins, w.clock FROM consign.work_turn w WHERE w.org = s.org AND w.sandbox = 0 OFFSET 0) t ON true
        WINDOW org AS (PARTITION BY s.org)
    ), in_org AS (
        SELECT DISTINCT ON (s.org) s.org, s.sandbox, s.entry, s.org_weight AS weight, s.org_running AS running,
            s.org_begins AS begins
        FROM of_org s ORDER BY s.org, s.over, s.next NULLS FIRST, s.begins NULLS FIRST, s.entry
    ), of_all AS (
        SELECT o.*, greatest(t.clock, o.begins + 1000000 / o.weight) AS next,
            o.running * sum(o.weight) OVER () >= (sum(o.running) OVER () + 1) * o.weight AS over
        FROM in_org o LEFT JOIN consign.work_turn t ON t.org = 0 AND t.sandbox = 0
    )
    SELECT o.org, o.sandbox, o.entry FROM of_all o
    ORDER BY o.over, o.next NULLS FIRST, o.begins NULLS FIRST, o.entry LIMIT 16;
END
$$;
