-- Whether work waits that a worker could claim now, of any tenant: what work_claim would choose from. A load that
-- stands behind another one of its sandbox cannot be claimed: one tenant's queue of batches must not keep all
-- exports from being shared. The cost grows with the sandboxes that have work, as that of a claim.
CREATE OR REPLACE FUNCTION consign.work_waits()
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog SET enable_seqscan = off AS
$$
WITH RECURSIVE place AS (
    (SELECT q.org, q.sandbox FROM consign.work_queue q ORDER BY q.org, q.sandbox LIMIT 1)
    UNION ALL
    SELECT next.org, next.sandbox FROM place p CROSS JOIN LATERAL (
        SELECT q.org, q.sandbox FROM consign.work_queue q WHERE (q.org, q.sandbox) > (p.org, p.sandbox)
        ORDER BY q.org, q.sandbox LIMIT 1) next
)
SELECT EXISTS (
    SELECT FROM place p CROSS JOIN LATERAL (
        SELECT q.entry FROM consign.work_queue q
        WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'export' AND q.attempt IS NULL
            AND q.not_before_ms <= consign.now_ms()
        ORDER BY q.entry LIMIT 1) job)
    OR EXISTS (
    SELECT FROM place p CROSS JOIN LATERAL (
        SELECT q.attempt, q.not_before_ms FROM consign.work_queue q
        WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'ingest'
        ORDER BY q.entry LIMIT 1) load
    WHERE load.attempt IS NULL AND load.not_before_ms <= consign.now_ms())
$$;
