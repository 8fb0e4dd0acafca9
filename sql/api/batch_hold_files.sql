-- Locks an ingest batch of this dataset that still takes files: one change of its files after the other.
--   CN404  no such batch of that dataset   CN409  not in the state "loading"
CREATE OR REPLACE FUNCTION consign.batch_hold_files(p_org integer, p_sandbox integer, p_batch text, p_dataset text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.batch_hold_loading(p_org, p_sandbox, p_batch);
    IF NOT EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch
                   AND b.dataset = p_dataset) THEN
        RAISE EXCEPTION 'batch of dataset' USING ERRCODE = 'CN404';
    END IF;
END
$$;
