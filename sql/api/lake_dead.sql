-- Which directories of attempts in a sandbox's published places nobody will ask for again: those that are neither what
-- a batch that has not expired consists of, nor of an attempt that is at work. Three arrays of one length; the attempt
-- '-' stands for a batch's directory without any in it, which is dead unless an attempt may be about to fill it.
-- Answers their places in the arrays from 1, in order, and whether the batch still waits to be published.
-- The caller lists first and asks then: an attempt has its queue entry before its directory gets its place and until
-- the transaction that publishes it, so one snapshot of both tables can't miss it.
CREATE OR REPLACE FUNCTION consign.lake_dead(
    p_org integer, p_sandbox integer, p_datasets text[], p_batches text[], p_attempts text[])
    RETURNS TABLE (place bigint, awaited boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
    SELECT x.place, coalesce(b.status = 'active', false)
    FROM unnest(p_datasets, p_batches, p_attempts) WITH ORDINALITY AS x(dataset, batch, attempt, place)
        LEFT JOIN consign.batch b ON b.org = p_org AND b.sandbox = p_sandbox AND b.batch = x.batch
    WHERE CASE WHEN x.attempt = '-' THEN b.status IS DISTINCT FROM 'active'
          ELSE NOT coalesce(b.status = 'success' AND b.expired_ms IS NULL AND b.attempt = x.attempt
                            AND b.dataset = x.dataset, false)
              AND NOT EXISTS (SELECT FROM consign.work_queue q WHERE q.org = p_org AND q.attempt = x.attempt) END
    ORDER BY x.place
$$;
