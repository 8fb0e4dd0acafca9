-- Aborts batches that are open and to which nothing came for longer than p_keep_ms, the longest untouched first and at most
-- p_most. Their files are removed by the sweep, as those of any batch that is over. Answers how many.
CREATE OR REPLACE FUNCTION consign.batch_abandon(p_org integer, p_sandbox integer, p_keep_ms bigint, p_most integer)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment  constant bigint := consign.now_ms();
    batches text[];
BEGIN
    batches := ARRAY(
        SELECT b.batch FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.status = 'loading' AND b.updated_ms < moment - p_keep_ms
        ORDER BY b.updated_ms LIMIT p_most FOR NO KEY UPDATE SKIP LOCKED);
    UPDATE consign.batch b
        SET status = 'aborted', updated_ms = moment, completed_ms = moment,
            errors = format('[{"code":"abandoned","description":"no file came for %s days, and the batch was not completed"}]',
                            p_keep_ms / 86400000)
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    RETURN cardinality(batches);
END
$$;
