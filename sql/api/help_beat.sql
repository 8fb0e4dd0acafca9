-- A helper tells how far it is and learns whether to go on.
--   CN410  nobody wants its work any more     CN408  the job was cancelled
CREATE OR REPLACE FUNCTION consign.help_beat(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_helper text, p_profiles bigint,
    p_files bigint, p_bytes bigint)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_look(p_org, p_sandbox, p_batch, p_attempt);
    UPDATE consign.export_helper h SET beat_ms = consign.now_ms(), profiles = p_profiles, files_written = p_files, bytes = p_bytes
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.helper = p_helper
            AND h.status = 'working';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'helper' USING ERRCODE = 'CN410';
    END IF;
END
$$;
