-- The client gives a batch up before it was complete. Answers its status.
--   CN404  no such batch          CN409  not in the state "loading"
CREATE OR REPLACE FUNCTION consign.batch_abort(p_org integer, p_sandbox integer, p_batch text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
BEGIN
    PERFORM consign.batch_hold_loading(p_org, p_sandbox, p_batch);
    UPDATE consign.batch b SET status = 'aborted', updated_ms = moment, completed_ms = moment
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch;
    RETURN 'aborted';
END
$$;
