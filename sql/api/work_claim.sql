-- Gives the calling session the next piece of work under a new attempt, or no row.
--
-- First what somebody claimed and then died: an entry with an attempt whose advisory lock is free.
-- The lock belongs to the session of the worker, so it goes when the worker or its connection
-- does, and never by elapsed time. Then the ready entries: of each org its oldest, the org with the
-- least work running first, so that a tenant with a long queue does not delay the others. Batches of one
-- sandbox are loaded one after the other in the order in which they were completed: which record is the
-- later one must not depend on which worker was faster.
--
-- The cost grows with the sandboxes that have work, not with how much they have: one tenant's long queue must
-- not make every claim slow. Hence the index scans, also while the planner takes the table for a small one.
--
-- previous is the attempt that died on it, or NULL: its files are to be removed.
CREATE OR REPLACE FUNCTION consign.work_claim(p_attempt text)
    RETURNS TABLE (org integer, sandbox integer, entry bigint, kind text, job bigint, batch text,
                   previous text, attempts integer, cancel boolean, task text)
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off AS
$$
DECLARE
    candidate record;
    moment    bigint := consign.now_ms();
BEGIN
    PERFORM pg_advisory_unlock_all();
    FOR candidate IN
        SELECT q.org, q.sandbox, q.entry, q.attempt FROM consign.work_queue q
        WHERE q.attempt IS NOT NULL ORDER BY q.entry
    LOOP
        IF pg_try_advisory_lock(candidate.entry) THEN
            RETURN QUERY SELECT * FROM consign.work_take(candidate.org, candidate.sandbox, candidate.entry,
                                                         candidate.attempt, p_attempt);
            IF FOUND THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_unlock(candidate.entry);
        END IF;
    END LOOP;

    FOR candidate IN
        WITH RECURSIVE place AS ( -- the sandboxes with work, found without reading all of it
            (SELECT q.org, q.sandbox FROM consign.work_queue q ORDER BY q.org, q.sandbox LIMIT 1)
            UNION ALL
            SELECT next.org, next.sandbox FROM place p CROSS JOIN LATERAL (
                SELECT q.org, q.sandbox FROM consign.work_queue q WHERE (q.org, q.sandbox) > (p.org, p.sandbox)
                ORDER BY q.org, q.sandbox LIMIT 1) next
        ), ready AS (
            SELECT p.org, p.sandbox, job.entry FROM place p CROSS JOIN LATERAL (
                SELECT q.entry FROM consign.work_queue q
                WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'export' AND q.attempt IS NULL
                    AND q.not_before_ms <= moment
                ORDER BY q.entry LIMIT 1) job
            UNION ALL
            SELECT p.org, p.sandbox, load.entry FROM place p CROSS JOIN LATERAL (
                SELECT q.entry, q.attempt, q.not_before_ms FROM consign.work_queue q
                WHERE q.org = p.org AND q.sandbox = p.sandbox AND q.kind = 'ingest'
                ORDER BY q.entry LIMIT 1) load
            WHERE load.attempt IS NULL AND load.not_before_ms <= moment
        )
        SELECT o.org, o.sandbox, o.entry
        FROM (SELECT DISTINCT ON (r.org) r.org, r.sandbox, r.entry FROM ready r ORDER BY r.org, r.entry) o
        ORDER BY (SELECT count(*) FROM consign.work_queue busy WHERE busy.org = o.org AND busy.attempt IS NOT NULL),
                 o.entry
        LIMIT 16
    LOOP
        IF pg_try_advisory_lock(candidate.entry) THEN
            RETURN QUERY SELECT * FROM consign.work_take(candidate.org, candidate.sandbox, candidate.entry,
                                                         NULL, p_attempt);
            IF FOUND THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_unlock(candidate.entry);
        END IF;
    END LOOP;
END
$$;
