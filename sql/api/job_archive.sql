-- Moves export jobs that ended longer ago than p_keep_ms into the archive, the oldest first and at most p_most. Answers
-- how many.
CREATE OR REPLACE FUNCTION consign.job_archive(p_org integer, p_sandbox integer, p_keep_ms bigint, p_most integer)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    before constant bigint := consign.now_ms() - p_keep_ms; -- once: a condition that changes by row is none of the index
    jobs bigint[];
BEGIN
    jobs := ARRAY(
        SELECT j.job FROM consign.export_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.ended_ms < before
            AND j.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
        ORDER BY j.ended_ms LIMIT p_most FOR UPDATE SKIP LOCKED);
    PERFORM consign.job_archive_move(p_org, p_sandbox, jobs);
    RETURN cardinality(jobs);
END
$$;
