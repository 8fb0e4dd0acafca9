-- Deletes the rows of batches that expired longer ago than p_keep_ms and that no job or removal names any more, the
-- longest ago first and at most p_most. A client that asks for one is told from then on that there is none. Answers how many.
CREATE OR REPLACE FUNCTION consign.batch_forget(p_org integer, p_sandbox integer, p_keep_ms bigint, p_most integer)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    before constant bigint := consign.now_ms() - p_keep_ms; -- as in job_archive
    batches text[];
BEGIN
    batches := ARRAY(
        SELECT b.batch FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.expired_ms < before
            AND NOT EXISTS (SELECT FROM consign.export_job j
                WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.batch = b.batch)
            AND NOT EXISTS (SELECT FROM consign.export_target t
                WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.batch = b.batch)
            AND NOT EXISTS (SELECT FROM consign.system_job s
                WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.batch = b.batch)
        ORDER BY b.expired_ms LIMIT p_most FOR UPDATE SKIP LOCKED);
    DELETE FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    RETURN cardinality(batches);
END
$$;
