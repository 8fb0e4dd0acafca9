-- Gives work back: to be tried again after a pause as long as the entry is old, at least p_pause_ms and ten minutes at
-- most; 0: at once, and so is what was cancelled meanwhile. With p_undo the attempt does not count (the worker was asked
-- to stop; the work did nothing wrong). What an export shared out goes with it: nobody else would remove it if the
-- job is cancelled while it waits.
CREATE OR REPLACE FUNCTION consign.work_release(
    p_org integer, p_sandbox integer, p_batch text, p_attempt text, p_pause_ms bigint, p_undo boolean, p_fault text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment constant bigint := consign.now_ms();
    longest_ms constant bigint := 600000;
    shared bigint;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    UPDATE consign.work_queue q
        SET attempt = NULL, snapshot = NULL, released_ms = moment,
            not_before_ms = CASE WHEN q.cancel OR p_pause_ms = 0 THEN 0
                ELSE moment + least(greatest(moment - q.created_ms, p_pause_ms), greatest(p_pause_ms, longest_ms)) END,
            attempts = q.attempts - CASE WHEN p_undo THEN 1 ELSE 0 END,
            last_fault = CASE WHEN p_undo THEN q.last_fault ELSE p_fault END
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch RETURNING q.job INTO shared;
    IF shared IS NOT NULL THEN
        PERFORM consign.share_clear(p_org, p_sandbox, shared);
    END IF;
END
$$;
