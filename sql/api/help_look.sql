-- What the attempt that owns a job has to know of its helpers: how many still work, and whether a range is to be
-- taken (again). Gives up those that died, whose session's lock is free, and those that did not tell anything for
-- p_silent_ms: giving up is safe whatever they do later, because help_end() refuses them then.
CREATE OR REPLACE FUNCTION consign.help_look(
    p_org integer, p_sandbox integer, p_job bigint, p_silent_ms integer)
    RETURNS TABLE (working bigint, free boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    one  consign.export_helper;
    dead boolean;
BEGIN
    FOR one IN SELECT * FROM consign.export_helper h
        WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.status = 'working' ORDER BY h.helper
    LOOP
        dead := pg_try_advisory_lock(one.liveness);
        IF dead THEN
            PERFORM pg_advisory_unlock(one.liveness);
        END IF;
        IF dead OR one.beat_ms < consign.now_ms() - p_silent_ms THEN
            PERFORM consign.help_drop(p_org, p_sandbox, p_job, one.helper);
            PERFORM consign.session_end(one.helper); -- it may stand still and hold its snapshot
        END IF;
    END LOOP;
    RETURN QUERY SELECT
        (SELECT count(*) FROM consign.export_helper h
         WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.status = 'working'),
        EXISTS (SELECT FROM consign.export_share s
                WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.job = p_job AND s.taken_by IS NULL);
END
$$;
