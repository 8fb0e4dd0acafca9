-- The end of a pass over a dataset's messages: its entry leaves the queue when none is left, else it goes to the back,
-- behind what else of the sandbox waits. Answers whether some are left.
--   CN410  the attempt does not own the entry any more
--
-- The lock comes first: it waits for every stream_put that saw the entry, and what these brought is seen by the
-- statements after it. So no message is ever without an entry.
CREATE OR REPLACE FUNCTION consign.stream_end(p_org integer, p_sandbox integer, p_dataset text, p_attempt text)
    RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off AS
$$
DECLARE
    turn   constant integer := 2;
    gather constant integer := 100; -- as in stream_put
    moment bigint := consign.now_ms();
BEGIN
    IF p_org <> consign.tenant_org() THEN -- whose messages nobody sees, but whose entry goes
        RAISE EXCEPTION 'tenant' USING ERRCODE = '42501';
    END IF;
    PERFORM pg_advisory_xact_lock(turn, p_sandbox);
    PERFORM consign.work_hold(p_org, p_sandbox, 'stream-' || p_dataset, p_attempt, false);
    IF EXISTS (SELECT FROM consign.stream_message m
            WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.dataset = p_dataset) THEN
        UPDATE consign.work_queue q
            SET entry = DEFAULT, attempt = NULL, attempts = 0, last_fault = NULL, created_ms = moment,
                not_before_ms = moment + gather
            WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = 'stream-' || p_dataset;
        RETURN true;
    END IF;
    DELETE FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = 'stream-' || p_dataset;
    RETURN false;
END
$$;
