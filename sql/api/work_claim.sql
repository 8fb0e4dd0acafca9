-- Gives the calling session the next piece of work under a new attempt, or no row.
--
-- First what somebody claimed and then died: an entry with an attempt whose advisory lock is free.
-- The lock belongs to the session of the worker, so it goes when the worker or its connection
-- does, and never by elapsed time. Then the ready entries: of each org its oldest, the org with the
-- least work running first, so that a tenant with a long queue does not delay the others. Batches of one
-- sandbox are loaded one after the other in the order in which they were completed: which record is the
-- later one must not depend on which worker was faster.
--
-- previous is the attempt that died on it, or NULL: its files are to be removed.
CREATE OR REPLACE FUNCTION consign.work_claim(p_attempt text)
    RETURNS TABLE (org integer, sandbox integer, entry bigint, kind text, job bigint, batch text,
                   previous text, attempts integer, cancel boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    candidate record;
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
        SELECT ready.org, ready.sandbox, ready.entry
        FROM (SELECT DISTINCT ON (q.org) q.org, q.sandbox, q.entry FROM consign.work_queue q
              WHERE q.attempt IS NULL AND q.not_before_ms <= consign.now_ms()
                AND NOT (q.kind = 'ingest' AND EXISTS (
                    SELECT FROM consign.work_queue earlier WHERE earlier.org = q.org AND earlier.sandbox = q.sandbox
                        AND earlier.kind = 'ingest' AND earlier.entry < q.entry))
              ORDER BY q.org, q.entry) ready
        ORDER BY (SELECT count(*) FROM consign.work_queue busy WHERE busy.org = ready.org AND busy.attempt IS NOT NULL),
                 ready.entry
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
