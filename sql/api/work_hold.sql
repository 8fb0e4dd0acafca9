-- Locks the queue entry of an attempt for the rest of the transaction.
--   CN410  the attempt does not own it any more
--   CN408  its job was cancelled (only when p_heed_cancel)
CREATE OR REPLACE FUNCTION consign.work_hold(
    p_org integer, p_sandbox integer, p_batch text, p_attempt text, p_heed_cancel boolean)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held consign.work_queue;
BEGIN
    SELECT * INTO held FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch AND q.attempt = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lease' USING ERRCODE = 'CN410';
    ELSIF held.cancel AND p_heed_cancel THEN
        RAISE EXCEPTION 'cancelled' USING ERRCODE = 'CN408';
    END IF;
END
$$;
