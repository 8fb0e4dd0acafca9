-- The queue entry of an attempt as it is right now, without a lock.
--   CN410  the attempt does not own it any more     CN408  its job was cancelled
CREATE OR REPLACE FUNCTION consign.work_look(p_org integer, p_sandbox integer, p_batch text, p_attempt text)
    RETURNS consign.work_queue
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$
DECLARE
    held consign.work_queue;
BEGIN
    SELECT * INTO held FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
    IF held.attempt IS DISTINCT FROM p_attempt THEN
        RAISE EXCEPTION 'lease' USING ERRCODE = 'CN410';
    ELSIF held.cancel THEN
        RAISE EXCEPTION 'cancelled' USING ERRCODE = 'CN408';
    END IF;
    RETURN held;
END
$$;
