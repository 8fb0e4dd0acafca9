-- Batches that expire, jobs that are archived, and what a dataset that is deleted takes with it.
BEGIN;
SELECT plan(71);
CREATE FUNCTION pg_temp.done(n integer, dataset text DEFAULT d(1), segments text DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$ SELECT make_job(1, 12, n, dataset => dataset, segments => segments), take(1, 12, n, 'run' || n);
   SELECT consign.job_start(1, 12, n, b(n), 'run' || n);
   SELECT publish(1, 12, n, 'run' || n) $$;
CREATE FUNCTION pg_temp.ended(n integer, days integer) RETURNS void LANGUAGE sql AS
$$ UPDATE consign.batch b SET completed_ms = consign.now_ms() - days * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND batch = b(n);
   UPDATE consign.export_job j SET ended_ms = consign.now_ms() - days * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND j.batch = b(n) $$;
CREATE FUNCTION pg_temp.expired() RETURNS SETOF text LANGUAGE sql AS
$$ SELECT batch FROM consign.batch WHERE org = 1 AND sandbox = 12 AND expired_ms IS NOT NULL ORDER BY 1 $$;
CREATE FUNCTION pg_temp.usage() RETURNS bigint LANGUAGE sql AS
$$ SELECT bytes FROM consign.lake_usage WHERE org = 1 AND sandbox = 12 $$;
CREATE FUNCTION pg_temp.keep(dataset text, days integer) RETURNS void LANGUAGE sql AS
$$ INSERT INTO consign.dataset_retention AS r VALUES (1, 12, dataset, days * 86400000::bigint)
    ON CONFLICT ON CONSTRAINT dataset_retention_pkey DO UPDATE SET retain_ms = EXCLUDED.retain_ms $$;
SET LOCAL consign.org = 1;

-- a program deletes nothing that is not over
SELECT make_job(1, 12, 900, dataset => d(112)), make_batch(1, 12, 901);
SELECT consign.batch_upload(1, 12, b(901), d(3), 'one.json', gen_random_uuid()::text, 10);
INSERT INTO consign.batch_file VALUES (1, 12, b(900), 0, 'part', 1, 1, repeat('0', 64));
INSERT INTO consign.batch_error VALUES (1, 12, b(901), 0, 'one.json', 1, 0, 'code', 'reason', '{}');
CREATE FUNCTION pg_temp.deleted(relation text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN
    EXECUTE format('WITH gone AS (DELETE FROM consign.%I WHERE org = 1 RETURNING 1) SELECT count(*) FROM gone', relation) INTO n; RETURN n;
END $$;
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.deleted(t), 0::bigint, 'the pool deletes no live ' || t) FROM unnest(ARRAY['export_job', 'batch']) t;
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.deleted(t), 0::bigint, 'the spooler deletes no live ' || t)
    FROM unnest(ARRAY['export_job', 'batch', 'batch_file', 'batch_error', 'batch_upload']) t;
RESET ROLE;
UPDATE consign.export_job SET status = 'FAILED' WHERE org = 1 AND sandbox = 12 AND job = 900;
UPDATE consign.batch SET status = 'failed' WHERE org = 1 AND sandbox = 12 AND batch = b(900);
UPDATE consign.batch SET expired_ms = 1 WHERE org = 1 AND sandbox = 12 AND batch = b(901);
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.deleted('export_job'), 1::bigint, 'one that ended');
SELECT is(pg_temp.deleted('batch'), 2::bigint, 'its batch, and one that expired');
RESET ROLE;
SELECT is((SELECT count(*) FROM consign.batch_upload u NATURAL FULL JOIN consign.batch_error e NATURAL FULL JOIN consign.batch_file f
    WHERE org = 1 AND sandbox = 12), 0::bigint, 'with all that hung on them');
DELETE FROM consign.work_queue WHERE org = 1 AND sandbox = 12;

-- exports
SELECT pg_temp.done(n) FROM generate_series(1, 4) n;
SELECT make_job(1, 12, 5), take(1, 12, 5, 'run5');
SELECT FROM consign.job_start(1, 12, 5, b(5), 'run5');
SELECT consign.job_give_up(1, 12, 5, b(5), 'run5', 'FAILED', '[]');
SELECT pg_temp.ended(n, 10) FROM unnest(ARRAY[1, 2, 3, 5]) n;
SELECT is(pg_temp.usage(), 400::bigint, 'what four batches take');
SET LOCAL ROLE consign_spooler;
SELECT is_empty('SELECT * FROM consign.batch_expire(1, 12, d(1), 9)', 'a dataset without a retention keeps all');
RESET ROLE;
SELECT pg_temp.keep(d(1), 5), pg_temp.keep(d(2), 5);
SET LOCAL ROLE consign_spooler;
SELECT is_empty('SELECT * FROM consign.batch_expire(1, 12, d(2), 9)', 'another dataset''s stay');
SELECT results_eq('SELECT * FROM consign.batch_expire(1, 12, d(1), 1)', $$SELECT b(1), 'export'$$, 'no more than was asked for');
SELECT results_eq('SELECT batch FROM consign.batch_expire(1, 12, d(1), 9) ORDER BY 1', 'SELECT b(n) FROM generate_series(2, 3) n',
    'those that ended long enough ago: not the young one, and not the failed one');
SELECT is_empty('SELECT * FROM consign.batch_expire(1, 12, d(1), 9)', 'then none is left');
RESET ROLE;
SELECT results_eq('SELECT pg_temp.expired()', 'SELECT b(n) FROM generate_series(1, 3) n', 'they are told to have expired');
SELECT is(pg_temp.usage(), 100::bigint, 'their bytes are free');
SELECT is((SELECT count(DISTINCT batch) FROM consign.batch_file WHERE org = 1 AND sandbox = 12), 1::bigint, 'their files are rows no more');
SELECT is(job_state(1, 12, 1), 'SUCCEEDED success', 'the job is what it was');

-- uploads
SELECT make_batch(1, 12, n) FROM generate_series(21, 25) n;
SELECT consign.batch_upload(1, 12, b(n), d(3), 'one.json', gen_random_uuid()::text, 10) FROM generate_series(21, 25) n;
SELECT consign.batch_complete(1, 12, b(n)) FROM generate_series(21, 23) n;
SELECT take(1, 12, n, 'load' || n) FROM generate_series(21, 22) n;
SELECT consign.batch_fail(1, 12, b(22), 'load22', 0, 1, 1, '[{"file":"f","line":1,"byte_offset":0,"code":"c","reason":"r","record":"{}"}]', '[]');
SELECT consign.batch_end(1, 12, b(21), 'success', 0, 0, 0, '[]', NULL);
SELECT consign.batch_abort(1, 12, b(24));
SELECT pg_temp.keep(d(3), 1);
SELECT pg_temp.ended(n, 2) FROM unnest(ARRAY[21, 22, 24]) n;
SET LOCAL ROLE consign_spooler;
SELECT results_eq('SELECT * FROM consign.batch_expire(1, 12, d(3), 9) ORDER BY 1', $$SELECT b(n), 'ingest' FROM unnest(ARRAY[21, 22, 24]) n$$,
    'loaded, failed and aborted ones; not those that wait or are open');
RESET ROLE;
SELECT is((SELECT count(*) FROM consign.batch_error WHERE org = 1 AND sandbox = 12), 0::bigint, 'refused records go with them');
SELECT is((SELECT count(*) FROM consign.batch_upload WHERE org = 1 AND sandbox = 12), 2::bigint, 'and the names of files');
SELECT is(pg_temp.usage(), 100::bigint, 'they took nothing of the lake');

-- messages: the batch that counts those of this quarter of an hour goes on counting
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, stream, status, created_ms, updated_ms, completed_ms, created_client)
    SELECT 1, 12, b(30 + age), d(4), 'ingest', true, 'success', consign.now_ms() - age * 900000, 0, consign.now_ms() - age * 900000 - 5, 'stream'
    FROM generate_series(0, 1) age;
INSERT INTO consign.dataset_retention VALUES (1, 12, d(4), 1);
SET LOCAL ROLE consign_spooler;
SELECT results_eq('SELECT batch FROM consign.batch_expire(1, 12, d(4), 9)', 'SELECT b(31)', 'not before its time is over');
RESET ROLE;

-- forgetting: expired long ago, and named by no job and no removal
UPDATE consign.batch SET expired_ms = consign.now_ms() - 100 * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND batch IN (b(1), b(21), b(22));
INSERT INTO consign.system_job VALUES (1, 12, p(50), 'batch', d(3), b(22), NULL, NULL, 'COMPLETED', 0, 0, 0, 'client');
SET LOCAL ROLE consign_spooler;
SELECT is(consign.batch_forget(1, 12, 90 * 86400000::bigint, 0), 0::bigint, 'no more than was asked for');
SELECT is(consign.batch_forget(1, 12, 90 * 86400000::bigint, 9), 1::bigint, 'one is forgotten');
RESET ROLE;
SELECT is((SELECT count(*) FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch IN (b(1), b(22), b(24))), 3::bigint,
    'not that of a job, that of a removal, or one that expired lately');

-- the archive
SELECT pg_temp.done(6, segments => format('[{"batch":"%s","ns":"ups","id":"s\"1","statuses":["realized"]},{"batch":"%s","ns":"ups","id":"s2","statuses":[]}]', b(6), b(7)));
SELECT pg_temp.ended(6, 100), pg_temp.ended(1, 100), pg_temp.ended(5, 95);
SELECT make_job(1, 12, 8);
CREATE TEMP TABLE before AS SELECT * FROM consign.job_document WHERE org = 1 AND sandbox = 12;
SET LOCAL ROLE consign_spooler;
SELECT is(consign.job_archive(1, 12, 90 * 86400000::bigint, 1), 1::bigint, 'no more than was asked for');
SELECT is(consign.job_archive(1, 12, 90 * 86400000::bigint, 9), 2::bigint, 'all that ended so long ago');
SELECT is(consign.job_archive(1, 12, 90 * 86400000::bigint, 9), 0::bigint, 'then none is left');
RESET ROLE;
SELECT set_eq('SELECT job FROM consign.export_job WHERE org = 1 AND sandbox = 12', '{2,3,4,8}'::bigint[], 'younger ones and live ones stay');
SELECT set_eq('SELECT * FROM consign.export_job_archive WHERE org = 1 AND sandbox = 12', 'SELECT * FROM before WHERE job IN (1, 5, 6)',
    'an archived job is all that it was');
SELECT is((SELECT targets FROM consign.export_job_archive WHERE org = 1 AND job = 6)::json->0->>'segmentId', 's"1', 'with its segments');
SELECT is((SELECT count(*) FROM consign.export_target WHERE org = 1 AND sandbox = 12), 0::bigint, 'which are rows no more');
SELECT is((SELECT string_agg(status, ' ' ORDER BY batch) FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch IN (b(1), b(5), b(6), b(7))),
    'success success success', 'published batches stay; the one that never was goes');
SELECT is(consign.batch_forget(1, 12, 90 * 86400000::bigint, 9), 1::bigint, 'now the expired batch of the archived job is forgotten');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 12, 1) || consign.job_cancel(1, 12, 5), 'SUCCEEDEDFAILED', 'cancel changes nothing of an archived job');
RESET ROLE;
SELECT refuses('SELECT consign.job_retry(1, 12, 5)', 'CN409', 'nor does retry');
SELECT refuses('SELECT consign.job_retry(1, 12, 5555)', 'CN404', 'which tells it from one that never was');

-- dataset_delete
SET LOCAL ROLE consign_api;
SELECT refuses('SELECT consign.dataset_delete(1, 12, d(1))', 'CN409', 'a live job, a batch that shows');
SELECT is(consign.job_cancel(1, 12, 8), 'CANCELLED', 'no live job');
SELECT refuses('SELECT consign.dataset_delete(1, 12, d(1))', 'CN409', 'batches that show');
RESET ROLE;
SELECT pg_temp.keep(d(1), 1);
SELECT pg_temp.ended(n, 10) FROM unnest(ARRAY[4, 6, 7]) n;
SET LOCAL ROLE consign_spooler;
SELECT is((SELECT count(*) FROM consign.batch_expire(1, 12, d(1), 9)), 3::bigint, 'they expire');
SET LOCAL ROLE consign_api;
SELECT is(consign.dataset_delete(1, 12, d(1)), d(1), 'now it goes');
SELECT is((SELECT count(*) FROM consign.batch WHERE org = 1 AND sandbox = 12 AND dataset = d(1)), 0::bigint, 'with its batches');
RESET ROLE;
SELECT set_eq('SELECT job FROM consign.export_job_archive WHERE org = 1 AND sandbox = 12', '{1,2,3,4,5,6,8}'::bigint[], 'its jobs are archived');
SELECT is((SELECT count(*) FROM consign.dataset_retention WHERE org = 1 AND sandbox = 12 AND dataset = d(1)), 0::bigint, 'its retention goes too');
SET LOCAL ROLE consign_api;
SELECT refuses('SELECT consign.dataset_delete(1, 12, d(3))', 'CN409', 'an open upload holds a dataset');
SELECT is(consign.batch_abort(1, 12, b(25)), 'aborted', 'aborted');
SELECT refuses('SELECT consign.dataset_delete(1, 12, d(3))', 'CN409', 'it still does: the client can see it');
RESET ROLE;
DELETE FROM consign.work_queue WHERE org = 1 AND sandbox = 12 AND batch = b(23);
UPDATE consign.batch SET status = 'failed' WHERE org = 1 AND sandbox = 12 AND batch = b(23);
SELECT pg_temp.ended(n, 10) FROM unnest(ARRAY[23, 25]) n;
SET LOCAL ROLE consign_spooler;
SELECT is((SELECT count(*) FROM consign.batch_expire(1, 12, d(3), 9)), 2::bigint, 'until they expired');
SET LOCAL ROLE consign_api;
SELECT is(consign.dataset_delete(1, 12, d(3)), d(3), 'with uploads that expired, and removals that ended');
SELECT is((SELECT job FROM make_job(1, 12, 77, 'key', 'body', d(2)) job), 77::bigint, 'a job with a key');
SELECT is(consign.job_cancel(1, 12, 77), 'CANCELLED', 'that ended');
SELECT is(consign.dataset_delete(1, 12, d(2)), d(2), 'a dataset with nothing but a cancelled job');
SELECT is((SELECT job FROM make_job(1, 12, 78, 'key', 'body', d(2)) job), 77::bigint, 'the key still finds the job');

-- more than a call deletes
RESET ROLE;
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, expired_ms, created_client)
    SELECT 1, 12, b(n), d(1), 'export', 'success', n, n, 1, 'client' FROM consign.dataset_create(1, 12, d(1), 'n', NULL, 's', 'j',
        'profile_union', 'json', 'zstd', NULL, 'client', NULL, NULL, NULL), generate_series(1000, 1449) n;
INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy, merge_policy_version, profile_instance_id,
        request_id, created_client, created_ms, updated_ms, ended_ms)
    SELECT 1, 12, n, 'SUCCEEDED', d(1), b(n), 'p', 1, 'ups', 'r', 'client', n, n, n FROM generate_series(1000, 1449) n;
SET LOCAL ROLE consign_api;
SELECT is(consign.dataset_delete(1, 12, d(1)), NULL, 'some are left');
SELECT is((SELECT count(*) FROM consign.batch WHERE org = 1 AND sandbox = 12 AND dataset = d(1)), 250::bigint, 'not those that went');
SELECT is((SELECT count(*) FROM consign.export_job WHERE org = 1 AND sandbox = 12 AND dataset = d(1)), 250::bigint, 'with their jobs');
SELECT is(consign.dataset_delete(1, 12, d(1)), NULL, 'and again');
SELECT is(consign.dataset_delete(1, 12, d(1)), d(1), 'then it goes');

-- published places
RESET ROLE;
SELECT pg_temp.done(41, d(101 + 11)), make_job(1, 12, 42, dataset => d(101 + 11)), take(1, 12, 42, 'run42');
SELECT make_job(1, 12, 43, dataset => d(101 + 11)), make_job(1, 12, 44, dataset => d(101 + 11));
CREATE FUNCTION pg_temp.dead(n integer, attempt text, dataset text DEFAULT d(112)) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce((SELECT place || ' ' || awaited FROM consign.lake_dead(1, 12, ARRAY[dataset], ARRAY[b(n)], ARRAY[attempt])), 'lives') $$;
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.dead(41, 'run41'), 'lives', 'the published attempt');
SELECT is(pg_temp.dead(41, 'other'), '1 false', 'another one of that batch');
SELECT is(pg_temp.dead(41, 'run41', d(113)), '1 false', 'the same in a dataset that is not its own');
SELECT is(pg_temp.dead(42, 'run42'), 'lives', 'an attempt at work');
SELECT is(pg_temp.dead(42, '-') || pg_temp.dead(43, '-'), 'liveslives', 'an empty place that waits to be filled');
SELECT is(pg_temp.dead(43, 'run42') || pg_temp.dead(43, 'other'), 'lives1 true', 'a job may have several batches, so any place of a live attempt; else not');
SELECT is(pg_temp.dead(99, '-') || pg_temp.dead(99, 'other'), '1 false1 false', 'what no batch ever was');
SELECT results_eq($$SELECT place FROM consign.lake_dead(1, 12, ARRAY[d(112), d(112), d(112)], ARRAY[b(41), b(41), b(99)], '{x,run41,y}')$$,
    'VALUES (1::bigint), (3)', 'several at once');
RESET ROLE;
UPDATE consign.batch SET expired_ms = 1 WHERE org = 1 AND sandbox = 12 AND batch = b(41);
SELECT is(pg_temp.dead(41, 'run41'), '1 false', 'what has expired');
SELECT * FROM finish();
ROLLBACK;
