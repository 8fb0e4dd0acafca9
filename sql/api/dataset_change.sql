-- Changes what a client may change of a dataset (NULL name: it stays; the others: only with their p_set_...). Its
-- version grows when something is another one now.
--   CN404  no such dataset      CN407  no such webhook
CREATE OR REPLACE FUNCTION consign.dataset_change(
    p_org integer, p_sandbox integer, p_dataset text, p_name text, p_set_description boolean, p_description text,
    p_set_tags boolean, p_tags text, p_set_webhook boolean DEFAULT false, p_webhook text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held consign.dataset;
    made consign.dataset;
BEGIN
    SELECT * INTO held FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
    END IF;
    made := held;
    made.name := coalesce(p_name, held.name);
    made.description := CASE WHEN p_set_description THEN p_description ELSE held.description END;
    made.tags := CASE WHEN p_set_tags THEN p_tags ELSE held.tags END;
    IF p_set_webhook THEN
        PERFORM consign.webhook_look(p_org, p_sandbox, p_webhook);
        made.webhook := p_webhook;
    END IF;
    IF made IS DISTINCT FROM held THEN
        UPDATE consign.dataset d SET name = made.name, description = made.description, tags = made.tags,
                webhook = made.webhook, version = held.version + 1, updated_ms = greatest(consign.now_ms(), held.updated_ms)
            WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset;
    END IF;
    RETURN p_dataset;
END
$$;
