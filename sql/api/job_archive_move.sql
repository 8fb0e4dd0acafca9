-- Moves export jobs that have ended, and that the caller holds, into the archive. Batches of them that were never
-- published go with them: nobody could see those.
CREATE OR REPLACE FUNCTION consign.job_archive_move(p_org integer, p_sandbox integer, p_jobs bigint[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    batches text[];
BEGIN
    IF cardinality(p_jobs) = 0 THEN
        RETURN;
    END IF;
    batches := ARRAY(
        SELECT b.batch FROM (
            SELECT j.batch FROM consign.export_job j
                WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = ANY (p_jobs)
            UNION
            SELECT t.batch FROM consign.export_target t
                WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.job = ANY (p_jobs)) named
            JOIN consign.batch b ON b.org = p_org AND b.sandbox = p_sandbox AND b.batch = named.batch
        WHERE b.kind = 'export' AND b.status IN ('failed', 'aborted'));
    INSERT INTO consign.export_job_archive
        SELECT * FROM consign.job_document d WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.job = ANY (p_jobs);
    DELETE FROM consign.export_job j WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = ANY (p_jobs);
    DELETE FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
END
$$;
