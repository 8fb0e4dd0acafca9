-- A helper hands over what it wrote: its files are whole and durable.
--   CN410  nobody wants its work any more: it removes its files
CREATE OR REPLACE FUNCTION consign.help_end(
    p_org integer, p_sandbox integer, p_job bigint, p_helper text, p_profiles bigint, p_events bigint,
    p_too_many bigint, p_too_large bigint, p_by_namespace text, p_files text, p_preview text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    UPDATE consign.export_helper h
        SET status = 'done', beat_ms = consign.now_ms(), profiles = p_profiles, events = p_events,
            too_many = p_too_many, too_large = p_too_large, by_namespace = p_by_namespace, files = p_files,
            files_written = jsonb_array_length(p_files::jsonb), preview = p_preview
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.helper = p_helper
            AND h.status = 'working';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'helper' USING ERRCODE = 'CN410';
    END IF;
END
$$;
