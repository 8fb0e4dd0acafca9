-- Gives work back: to be tried again after p_not_before_ms. With p_undo the attempt does not count
-- (the worker was asked to stop; the work did nothing wrong). What an export shared out goes with it: nobody
-- else would remove it if the job is cancelled while it waits.
CREATE OR REPLACE FUNCTION consign.work_release(
    p_org integer, p_sandbox integer, p_batch text, p_attempt text, p_not_before_ms bigint, p_undo boolean,
    p_fault text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    shared bigint;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    UPDATE consign.work_queue q
        SET attempt = NULL, snapshot = NULL, not_before_ms = CASE WHEN q.cancel THEN 0 ELSE p_not_before_ms END,
            attempts = q.attempts - CASE WHEN p_undo THEN 1 ELSE 0 END, last_fault = p_fault
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch RETURNING q.job INTO shared;
    IF shared IS NOT NULL THEN
        PERFORM consign.share_clear(p_org, p_sandbox, shared);
    END IF;
END
$$;
