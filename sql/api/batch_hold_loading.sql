-- Locks an ingest batch that still takes files.
--   CN404  no such batch          CN409  not in the state "loading"
CREATE OR REPLACE FUNCTION consign.batch_hold_loading(p_org integer, p_sandbox integer, p_batch text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    target consign.batch;
BEGIN
    SELECT * INTO target FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch AND b.kind = 'ingest' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch' USING ERRCODE = 'CN404';
    ELSIF target.status <> 'loading' THEN
        RAISE EXCEPTION 'batch state' USING ERRCODE = 'CN409';
    END IF;
END
$$;
