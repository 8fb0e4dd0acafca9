-- What a request costs in the database: plans that hold at any size, and no more indexes and look-ups than are used.

-- A sandbox belongs to one org. The planner does not know and multiplies the two shares, so it takes every index of
-- (org, sandbox, ...) for one that finds a row or two, and a look-up by the whole key may walk all rows of the
-- sandbox along another index. Where a table has but its key, there is nothing to choose.
DO $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT c.relname AS name FROM pg_class c
        WHERE c.relnamespace = 'consign'::regnamespace AND c.relkind = 'r'
            AND (SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[1]
                 WHERE i.indrelid = c.oid AND a.attname = 'sandbox') > 1
    LOOP
        EXECUTE format('CREATE STATISTICS consign.%I (dependencies) ON org, sandbox FROM consign.%I',
                       place.name || '_place', place.name);
        EXECUTE format('ANALYZE consign.%I', place.name);
    END LOOP;
END
$$;

-- A job is inserted with its batch, under the lock of its dataset, by job_create alone; a batch goes after its job
-- (job_archive_move, batch_forget), and a dataset after its batches, which refer to it. Asking that again costs each
-- job a query and the lock of a row.
ALTER TABLE consign.export_job DROP CONSTRAINT export_job_org_sandbox_batch_fkey;

-- destination.batches as clients see it, of a job with a batch a segment. A function and not a subquery, because what a
-- statement only might need is still set up with each of its executions. The members are put together by hand because
-- json_build_object() puts blanks around its colons. It stands here because the view needs it.
CREATE FUNCTION consign.job_targets(p_org integer, p_sandbox integer, p_job bigint) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS
$$
BEGIN
    RETURN (SELECT '[' || string_agg(format('{"segmentId":%s,"segmentNs":%s,"status":%s,"batchId":"%s"}',
                to_json(t.segment_id), to_json(t.segment_ns), t.statuses, t.batch), ',' ORDER BY t.number) || ']'
            FROM consign.export_target t WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.job = p_job);
END
$$;

-- As before, but progress is looked for only where there may be some. OFFSET 0 keeps the look-up apart, or the planner
-- joins with all that there is.
CREATE OR REPLACE VIEW consign.job_document WITH (security_invoker = true) AS
SELECT j.*, p.phase, p.profiles_done, p.profiles_estimated, p.files_written,
       CASE WHEN j.segment_per_batch THEN consign.job_targets(j.org, j.sandbox, j.job) END AS targets
FROM consign.export_job j LEFT JOIN LATERAL (
    SELECT q.phase, q.profiles_done, q.profiles_estimated, q.files_written FROM consign.export_progress q
    WHERE q.org = j.org AND q.sandbox = j.sandbox AND q.job = j.job AND j.status IN ('PROCESSING', 'CANCELLING')
    OFFSET 0) p ON true;
