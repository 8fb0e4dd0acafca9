-- Who takes an export over ends what is left of those that helped the attempt before, p_attempt: of no other, because the
-- caller may be late itself. Answers how many sessions.
CREATE OR REPLACE FUNCTION consign.help_clear(p_org integer, p_sandbox integer, p_job bigint, p_attempt text)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    RETURN (SELECT coalesce(sum(consign.session_end(h.helper)), 0) FROM consign.export_helper h
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.attempt = p_attempt AND h.status = 'working');
END
$$;
