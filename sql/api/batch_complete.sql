-- The client says that a batch is complete: it goes to the queue. Answers its status: `loading`, and nothing changed,
-- when a file that comes in pieces is not whole.
--   CN404  no such batch          CN409  not in the state "loading"
CREATE OR REPLACE FUNCTION consign.batch_complete(p_org integer, p_sandbox integer, p_batch text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
BEGIN
    PERFORM consign.batch_hold_loading(p_org, p_sandbox, p_batch);
    IF EXISTS (SELECT FROM consign.batch_upload u WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch
               AND NOT u.whole) THEN
        RETURN 'loading';
    END IF;
    UPDATE consign.batch b SET status = 'processing', updated_ms = moment,
            input_bytes = (SELECT coalesce(sum(u.bytes), 0) FROM consign.batch_upload u
                           WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch)
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms)
        VALUES (p_org, p_sandbox, 'ingest', p_batch, moment);
    RETURN 'processing';
END
$$;
