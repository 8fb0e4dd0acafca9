-- What statements read in a sandbox with many jobs: what they are asked for, and not all there is.
BEGIN;
SELECT plan(11);
SET LOCAL consign.org = 1;
CREATE FUNCTION pg_temp.read_so_far() RETURNS bigint LANGUAGE sql AS
$$ SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
   WHERE relid IN ('consign.batch'::regclass, 'consign.export_job'::regclass) $$;
-- Rows that a statement reads of the two tables.
CREATE FUNCTION pg_temp.reads(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.read_so_far();
BEGIN
    EXECUTE statement;
    RETURN pg_temp.read_so_far() - before;
END $$;

-- 5,000 jobs that succeeded and 5,000 newer ones that were cancelled, none of them old; half of what was published has expired
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, completed_ms, expired_ms,
                           created_client, output_bytes)
    SELECT 1, 12, b(n), d(1), 'export', CASE WHEN n < 7000 THEN 'success' ELSE 'aborted' END, n, n, n,
           CASE WHEN n < 7000 AND n % 2 = 0 THEN consign.now_ms() END, 'client', 1
    FROM generate_series(2000, 11999) n;
INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy, merge_policy_version,
                                profile_instance_id, request_id, created_client, created_ms, updated_ms, ended_ms)
    SELECT 1, 12, n, CASE WHEN n < 7000 THEN 'SUCCEEDED' ELSE 'CANCELLED' END, d(1), b(n), 'p', 1, 'ups', 'r', 'client', n, n,
           consign.now_ms() - n FROM generate_series(2000, 11999) n;
-- and a thousand older ones that are open
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
    SELECT 1, 12, b(n), d(3), 'ingest', 'loading', n, n, 'client' FROM generate_series(1000, 1999) n;

ANALYZE consign.batch, consign.export_job; -- as autovacuum does

SET LOCAL ROLE consign_spooler;
SELECT cmp_ok(pg_temp.reads('SELECT consign.job_archive(1, 12, 86400000, 200)'), '<', 100::bigint, 'no job is old enough');
SELECT cmp_ok(pg_temp.reads('SELECT consign.batch_forget(1, 12, 86400000, 200)'), '<', 100::bigint, 'no batch expired long enough ago');
SELECT cmp_ok(pg_temp.reads('SELECT consign.batch_abandon(1, 12, 9000000000000000, 200)'), '<', 100::bigint, 'no open batch is untouched');
SELECT cmp_ok(pg_temp.reads('SELECT consign.job_archive(1, 12, 11900, 10)'), '<', 200::bigint, 'ten of a hundred that are');
RESET ROLE;
SET LOCAL ROLE consign_api;
-- as in fcgi/core/stmt_api.c
PREPARE batches(text) AS SELECT batch FROM consign.batch b WHERE b.org = 1 AND b.sandbox = 12
    AND (b.kind = 'ingest' OR b.status = 'success') AND b.expired_ms IS NULL AND ($1 IS NULL OR b.dataset = $1)
    ORDER BY b.created_ms DESC, b.batch DESC LIMIT 20;
PREPARE updated AS SELECT batch FROM consign.batch b WHERE b.org = 1 AND b.sandbox = 12
    AND (b.kind = 'ingest' OR b.status = 'success') AND b.expired_ms IS NULL ORDER BY b.updated_ms DESC, b.batch DESC LIMIT 20;
PREPARE good AS SELECT b.batch FROM consign.batch b WHERE b.org = 1 AND b.sandbox = 12 AND b.dataset = tap.d(1)
    AND b.status = 'success' AND b.expired_ms IS NULL ORDER BY b.created_ms DESC, b.batch DESC LIMIT 1;
SELECT cmp_ok(pg_temp.reads('SELECT consign.inbox_room(1, 12)'), '<', 1100::bigint, 'an upload does not count what has ended');
SELECT cmp_ok(pg_temp.reads('SELECT make_batch(1, 12, 20000)'), '<', 2100::bigint, 'nor does the next batch');
SELECT cmp_ok(pg_temp.reads('EXECUTE batches(NULL)'), '<', 100::bigint, 'the newest batches lie behind those that never were published');
SELECT cmp_ok(pg_temp.reads('EXECUTE batches(tap.d(1))'), '<', 100::bigint, 'of a dataset too');
SELECT cmp_ok(pg_temp.reads('EXECUTE updated'), '<', 100::bigint, 'and those changed last');
SELECT cmp_ok(pg_temp.reads('EXECUTE good'), '<', 100::bigint, 'and a dataset''s last good one');
SELECT cmp_ok(pg_temp.reads('SELECT consign.dataset_delete(1, 12, tap.d(2))'), '<', 100::bigint,
    'a dataset that nothing was exported into goes without a look at the rest');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
