-- Gives a helper up: what it had taken is to be taken again. Nothing when it is done or gone.
CREATE OR REPLACE FUNCTION consign.help_drop(p_org integer, p_sandbox integer, p_job bigint, p_helper text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    DELETE FROM consign.export_helper h
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.helper = p_helper
            AND h.status = 'working';
    IF FOUND THEN
        UPDATE consign.export_share s SET taken_by = NULL
            WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.job = p_job AND s.taken_by = p_helper;
    END IF;
END
$$;
