-- Of each sandbox with work the entries that could be claimed now: its oldest export that is due, and of what changes its
-- store the first, if it is due and nobody has it: batches of one sandbox are loaded one after the other in the order
-- in which they were completed, since which record is the later one must not depend on which worker was faster.
-- What an org or sandbox has over its quota of running work is left out; with p_express all orgs for which anything
-- runs. With the weights, and how much runs.
--
-- Due is also what was given back, or accepted and not tried yet, at a later time than now: the clock was set back, or another
-- server took over whose clock is slower. So nothing waits longer than its own pause once more, nor what stands behind it.
--
-- The cost grows with the sandboxes that have work, not with how much they have: one tenant's long queue must
-- not make every claim slow. Hence the index scans, also while the planner takes the table for a small one, and
-- OFFSET 0, which keeps it from joining with all quotas that there are.
CREATE OR REPLACE FUNCTION consign.work_ready(p_express boolean)
    RETURNS TABLE (org integer, sandbox integer, kind text, entry bigint, org_weight integer, org_running integer,
                   sandbox_weight integer, sandbox_running integer)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET enable_seqscan = off SET jit = off
    SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    moment constant bigint := consign.now_ms();
BEGIN
    RETURN QUERY
    WITH RECURSIVE place AS ( -- the sandboxes with work, found without reading all of it
        (SELECT q.org, q.sandbox FROM consign.work_queue q ORDER BY q.org, q.sandbox LIMIT 1)
        UNION ALL
        SELECT next.org, next.sandbox FROM place p CROSS JOIN LATERAL (
            SELECT q.org, q.sandbox FROM consign.work_queue q WHERE (q.org, q.sandbox) > (p.org, p.sandbox)
            ORDER BY q.org, q.sandbox LIMIT 1) next
    ), busy AS MATERIALIZED (
        SELECT q.org, q.sandbox, count(*)::integer AS running FROM consign.work_queue q WHERE q.attempt IS NOT NULL
        GROUP BY q.org, q.sandbox
    ), busy_org AS MATERIALIZED (
        SELECT b.org, sum(b.running)::integer AS running FROM busy b GROUP BY b.org
    ), ready AS (
        SELECT p.org, p.sandbox, 'export'::text AS kind, job.entry FROM place p CROSS JOIN LATERAL (
            SELECT q.entry FROM consign.work_queue q
            WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'export' AND q.attempt IS NULL
                AND (q.not_before_ms <= moment OR q.released_ms > moment OR (q.created_ms > moment AND q.attempts = 0))
            ORDER BY q.entry LIMIT 1) job
        UNION ALL
        SELECT p.org, p.sandbox, 'ingest', load.entry FROM place p CROSS JOIN LATERAL (
            SELECT q.* FROM consign.work_queue q
            WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'ingest'
            ORDER BY q.entry LIMIT 1) load
        WHERE load.attempt IS NULL AND (load.not_before_ms <= moment OR load.released_ms > moment
            OR (load.created_ms > moment AND load.attempts = 0))
    )
    SELECT r.org, r.sandbox, r.kind, r.entry, coalesce(o.weight, 1), coalesce(ob.running, 0),
           coalesce(s.weight, 1), coalesce(sb.running, 0)
    FROM ready r
    LEFT JOIN LATERAL (SELECT q.* FROM consign.quota q WHERE q.org = r.org AND q.sandbox = 0 OFFSET 0) o ON true
    LEFT JOIN LATERAL (SELECT q.* FROM consign.quota q WHERE q.org = r.org AND q.sandbox = r.sandbox OFFSET 0) s ON true
    LEFT JOIN busy_org ob ON ob.org = r.org
    LEFT JOIN busy sb ON sb.org = r.org AND sb.sandbox = r.sandbox
    WHERE coalesce(ob.running < o.running_most, true) AND coalesce(sb.running < s.running_most, true)
        AND NOT (p_express AND coalesce(ob.running, 0) > 0);
END
$$;
