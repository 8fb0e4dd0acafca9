-- Before one message is loaded by itself, because attempts with more of them ended their workers: notes which it is, the
-- oldest up to p_to, and for the how manieth time, so that the next attempts know it if this one ends too. Answers its
-- number and whether that was so p_times already; no row when there is none. One death is no proof: whoever kills workers
-- kills them at any message.
--   CN410  the attempt does not own the entry any more
CREATE OR REPLACE FUNCTION consign.stream_try(
    p_org integer, p_sandbox integer, p_dataset text, p_entry text, p_attempt text, p_to bigint, p_times integer)
    RETURNS TABLE (number bigint, again boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off AS
$$
DECLARE
    mark  text;
    times integer;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_entry, p_attempt, false);
    SELECT m.number INTO number FROM consign.stream_message m
        WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.dataset = p_dataset AND m.number <= p_to
        ORDER BY m.number LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    mark := 'message ' || number || ' times ';
    SELECT CASE WHEN starts_with(q.last_fault, mark) THEN substr(q.last_fault, length(mark) + 1)::integer ELSE 0 END
        INTO STRICT times
        FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_entry;
    again := times >= p_times;
    UPDATE consign.work_queue q SET last_fault = mark || times + 1
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_entry;
    RETURN NEXT;
END
$$;
