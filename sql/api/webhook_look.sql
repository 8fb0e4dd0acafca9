-- Whether the sandbox has an endpoint of that name; NULL is fine. One of another tenant is none.
--   CN407  it has not
CREATE OR REPLACE FUNCTION consign.webhook_look(p_org integer, p_sandbox integer, p_webhook text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    IF p_webhook IS NOT NULL AND NOT EXISTS (SELECT FROM consign.webhook w
            WHERE w.org = p_org AND w.sandbox = p_sandbox AND w.name = p_webhook) THEN
        RAISE EXCEPTION 'webhook' USING ERRCODE = 'CN407';
    END IF;
END
$$;
