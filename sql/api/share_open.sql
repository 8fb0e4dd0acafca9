-- Cuts the persons into p_count ranges, of equal width between p_from and p_to and open at both ends, so that
-- nobody is left out, and opens the job for helpers, who read under p_snapshot.
--   CN410, CN408  as work_hold
CREATE OR REPLACE FUNCTION consign.share_open(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_snapshot text, p_from bigint,
    p_to bigint, p_count integer)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, true);
    INSERT INTO consign.export_share (org, sandbox, job, share, person_from, person_to)
        SELECT p_org, p_sandbox, p_job, n,
               CASE WHEN n = 0 THEN 0 ELSE p_from + ((p_to - p_from)::numeric * n / p_count)::bigint END,
               CASE WHEN n = p_count - 1 THEN 9223372036854775807
                    ELSE p_from + ((p_to - p_from)::numeric * (n + 1) / p_count)::bigint END
        FROM generate_series(0, p_count - 1) n;
    UPDATE consign.work_queue q SET snapshot = p_snapshot
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
END
$$;
