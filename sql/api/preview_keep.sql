-- Keeps the first rows of a job that is being published as the preview of its dataset, in place of that of the job
-- before. p_rows, and what the helpers handed over: the first rows of each, a line feed before every one, and nothing
-- behind it for one that was too large (fcgi/export/preview.h). They follow each other as the part files do: the
-- attempt's own, then those of the helpers. Of the first hundred those are kept that fit into the room one after the other.
-- Of jobs that end at the same time that of the one that ended last. One of the future is of a clock that was set back and gives
-- way: it never is of a job that ends at the same time, and numbers of jobs are of such a clock too.
-- NULL, from a spooler of before: none is kept, and that of the job before goes.
CREATE OR REPLACE FUNCTION consign.preview_keep(p_org integer, p_sandbox integer, p_job bigint, p_batches text[], p_rows text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    most constant integer := 100;
    room constant integer := 262144; -- bytes
BEGIN
    IF p_rows IS NULL THEN
        DELETE FROM consign.dataset_preview p WHERE p.org = p_org AND p.sandbox = p_sandbox AND p.dataset = (
            SELECT j.dataset FROM consign.export_job j WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job);
        RETURN;
    END IF;
    INSERT INTO consign.dataset_preview AS p (org, sandbox, dataset, job, batch_ids, completed_ms, total, shown, body)
        SELECT p_org, p_sandbox, j.dataset, j.job, p_batches, j.ended_ms, j.profiles, kept.shown, kept.body
        FROM consign.export_job j, (
            SELECT count(*) AS shown, coalesce(string_agg(f.line, ',' ORDER BY f.place), '') AS body
            FROM (SELECT l.line, l.place, sum(octet_length(l.line) + 1) OVER (ORDER BY l.place) AS reached
                  FROM (SELECT t.line, row_number() OVER (ORDER BY w.helper NULLS FIRST, t.number) AS place
                        FROM (SELECT NULL AS helper, p_rows AS rows UNION ALL
                              SELECT h.helper, h.preview FROM consign.export_helper h WHERE h.org = p_org
                                  AND h.sandbox = p_sandbox AND h.job = p_job AND h.status = 'done') w
                        CROSS JOIN LATERAL string_to_table(w.rows, E'\n') WITH ORDINALITY AS t(line, number)
                        WHERE t.number > 1) l -- before the first line feed there is nothing
                  WHERE l.place <= most) f
            WHERE f.line <> '' AND f.reached <= room) kept
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job
        ON CONFLICT ON CONSTRAINT dataset_preview_pkey DO UPDATE
            SET job = EXCLUDED.job, batch_ids = EXCLUDED.batch_ids, completed_ms = EXCLUDED.completed_ms,
                total = EXCLUDED.total, shown = EXCLUDED.shown, body = EXCLUDED.body
            WHERE EXCLUDED.completed_ms >= p.completed_ms OR p.completed_ms > consign.now_ms();
END
$$;
