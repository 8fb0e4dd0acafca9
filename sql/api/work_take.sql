-- Moves a queue entry from the attempt p_from (NULL: nobody's) to p_attempt, if it still is there, and notes the turn;
-- taking over is none. The caller holds the entry's advisory lock. No row: somebody was faster, or holds the entry's row
-- (a cancel that is under way, an operator): a claim that waited for it would keep this worker from everybody's work.
CREATE OR REPLACE FUNCTION consign.work_take(
    p_org integer, p_sandbox integer, p_entry bigint, p_from text, p_attempt text)
    RETURNS TABLE (org integer, sandbox integer, entry bigint, kind text, job bigint, batch text,
                   previous text, attempts integer, cancel boolean, task text)
    LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan AS
$$
BEGIN
    PERFORM FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.entry = p_entry
        FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE consign.work_queue q SET attempt = p_attempt, attempts = q.attempts + 1, snapshot = NULL
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.entry = p_entry AND q.attempt IS NOT DISTINCT FROM p_from
        RETURNING q.org, q.sandbox, q.entry, q.kind, q.job, q.batch, p_from, q.attempts, q.cancel, q.task
        INTO org, sandbox, entry, kind, job, batch, previous, attempts, cancel, task;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_from IS NULL THEN
        PERFORM consign.work_turn_note(p_org, p_sandbox, kind);
    END IF;
    RETURN NEXT;
END
$$;
