-- Makes the calling session a helper and answers the exports that are open for one, the oldest first: where lake.dir is each
-- host's own, it helps one of its host. No row either while work waits that the worker could claim.
-- `liveness` is an advisory lock that the session holds from here on: it goes when the session does.
CREATE OR REPLACE FUNCTION consign.help_begin(p_helper text)
    RETURNS TABLE (org integer, sandbox integer, job bigint, batch text, attempt text, snapshot text, liveness bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    number bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM consign.work_queue q WHERE q.snapshot IS NOT NULL AND NOT q.cancel)
            OR consign.work_waits() THEN
        RETURN;
    END IF;
    number := nextval('consign.work_queue_entry_seq'); -- the numbers of entries, whose locks they are too
    PERFORM pg_advisory_lock(number);
    RETURN QUERY SELECT q.org, q.sandbox, q.job, q.batch, q.attempt, q.snapshot, number FROM consign.work_queue q
        WHERE q.snapshot IS NOT NULL AND NOT q.cancel ORDER BY q.entry LIMIT 64;
END
$$;
