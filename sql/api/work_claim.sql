-- Gives the calling session the next piece of work under a new attempt, or no row. p_express: only work of an org for
-- which nothing runs.
--
-- First what somebody claimed and then died: an entry with an attempt whose advisory lock is free.
-- The lock belongs to the session of the worker, so it goes when the worker or its connection
-- does, and never by elapsed time. Then what is ready, in the order of work_order.
--
-- previous is the attempt that died on it, or NULL: its files are to be removed.
CREATE OR REPLACE FUNCTION consign.work_claim(p_attempt text, p_express boolean DEFAULT false)
    RETURNS TABLE (org integer, sandbox integer, entry bigint, kind text, job bigint, batch text,
                   previous text, attempts integer, cancel boolean, task text)
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off AS
$$
DECLARE
    rounds constant integer := 3; -- who loses its choice to somebody who claims at the same moment looks again
    candidate record;
    chosen    boolean;
BEGIN
    PERFORM pg_advisory_unlock_all();
    FOR candidate IN
        SELECT q.org, q.sandbox, q.entry, q.attempt FROM consign.work_queue q
        WHERE q.attempt IS NOT NULL ORDER BY q.entry
    LOOP
        IF pg_try_advisory_lock(candidate.entry) THEN
            -- its worker may stand still, and what it left under way hold the entry's row
            PERFORM consign.session_end(candidate.attempt);
            RETURN QUERY SELECT * FROM consign.work_take(candidate.org, candidate.sandbox, candidate.entry,
                                                         candidate.attempt, p_attempt);
            IF FOUND THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_unlock(candidate.entry);
        END IF;
    END LOOP;

    -- An idle service asks this many times a second, and the order below costs several times as much.
    PERFORM FROM consign.work_queue q WHERE q.attempt IS NULL ORDER BY q.org, q.sandbox LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_express THEN -- whoever has just ended a piece of work of an org takes its next one
        IF NOT EXISTS (SELECT FROM consign.work_order(true)) THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.05);
    END IF;
    FOR round IN 1 .. rounds LOOP
        chosen := false;
        FOR candidate IN
            SELECT o.org, o.sandbox, o.entry FROM consign.work_order(p_express) o
        LOOP
            chosen := true;
            IF pg_try_advisory_lock(candidate.entry) THEN
                RETURN QUERY SELECT * FROM consign.work_take(candidate.org, candidate.sandbox, candidate.entry,
                                                             NULL, p_attempt);
                IF FOUND THEN
                    RETURN;
                END IF;
                PERFORM pg_advisory_unlock(candidate.entry);
            END IF;
            EXIT WHEN round < rounds; -- whose turn it is next is known when the other one has noted this one
        END LOOP;
        EXIT WHEN NOT chosen OR round = rounds;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
