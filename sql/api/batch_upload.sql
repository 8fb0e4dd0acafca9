-- Enters a file that lies in the inbox as p_object. A file of the same name is replaced; answers the
-- object that nothing refers to any more, to be removed, or NULL.
--   CN404  no such batch of that dataset   CN409  not in the state "loading"
CREATE OR REPLACE FUNCTION consign.batch_upload(
    p_org integer, p_sandbox integer, p_batch text, p_dataset text, p_name text, p_object text, p_bytes bigint)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    replaced text;
BEGIN
    PERFORM consign.batch_hold_loading(p_org, p_sandbox, p_batch);
    IF NOT EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch
                   AND b.dataset = p_dataset) THEN
        RAISE EXCEPTION 'batch of dataset' USING ERRCODE = 'CN404';
    END IF;
    SELECT u.object INTO replaced FROM consign.batch_upload u
        WHERE u.org = p_org AND u.sandbox = p_sandbox AND u.batch = p_batch AND u.name = p_name;
    INSERT INTO consign.batch_upload (org, sandbox, batch, name, object, bytes)
        VALUES (p_org, p_sandbox, p_batch, p_name, p_object, p_bytes)
        ON CONFLICT (org, sandbox, batch, name) DO UPDATE SET object = EXCLUDED.object, bytes = EXCLUDED.bytes;
    RETURN replaced;
END
$$;
