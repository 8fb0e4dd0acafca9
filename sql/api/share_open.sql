-- Cuts the persons at p_bounds, ascending, into ranges that are open at both ends, so that nobody is left out, and
-- opens the job for helpers, who read under p_snapshot.
--   CN410, CN408  as work_hold
CREATE OR REPLACE FUNCTION consign.share_open(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_snapshot text, p_bounds bigint[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, true);
    INSERT INTO consign.export_share (org, sandbox, job, share, person_from, person_to)
        SELECT p_org, p_sandbox, p_job, n, coalesce(p_bounds[n], 0), coalesce(p_bounds[n + 1], 9223372036854775807)
        FROM generate_series(0, cardinality(p_bounds)) n;
    UPDATE consign.work_queue q SET snapshot = p_snapshot
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch;
END
$$;
