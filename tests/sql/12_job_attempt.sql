-- The attempt at a job: start, beat, publish, give up, release; and what an attempt that lost it cannot do.
BEGIN;
SELECT plan(46);
CREATE FUNCTION pg_temp.job(wanted integer) RETURNS consign.export_job LANGUAGE sql AS
$$ SELECT * FROM consign.export_job j WHERE j.org = 1 AND j.sandbox = 11 AND j.job = wanted $$;
SET LOCAL consign.org = 1;
SELECT is(make_job(1, 11, n), n::bigint) FROM generate_series(5, 7) n;
SET LOCAL ROLE consign_spooler;

SELECT refuses($$SELECT * FROM consign.job_start(1, 11, 5, b(5), 'a')$$, 'CN410', 'start without a claim');
SELECT refuses($$SELECT consign.job_beat(1, 11, 5, b(5), 'a', 'read', 1, 2, 0, 0)$$, 'CN410', 'beat without a claim');
SELECT refuses($$SELECT publish(1, 11, 5, 'a')$$, 'CN410', 'publish without a claim');
SELECT is(take(1, 11, 5, 'a'), 1, 'claimed');
SELECT is(take(1, 11, 5, 'b'), NULL, 'not a second time');
SELECT refuses($$SELECT * FROM consign.job_start(1, 11, 5, b(5), 'b')$$, 'CN410', 'start by another attempt');
SELECT refuses($$SELECT publish(1, 11, 5, 'a')$$, 'CN410', 'publish before the start');
SELECT results_eq($$SELECT dataset, format, compression, fields FROM consign.job_start(1, 11, 5, b(5), 'a')$$,
    $$VALUES (d(1), 'json', 'zstd', NULL::text)$$, 'the start tells what to do');
SELECT is((pg_temp.job(5)).status || ' ' || (pg_temp.job(5)).attempt, 'PROCESSING a', 'the job runs under the attempt');
SELECT isnt((pg_temp.job(5)).export_start_ms, NULL, 'and has its start');

SELECT refuses($$SELECT consign.job_beat(1, 11, 5, b(5), 'b', 'read', 1, 2, 0, 0)$$, 'CN410', 'beat by another attempt');
SELECT lives_ok($$SELECT consign.job_beat(1, 11, 5, b(5), 'a', 'read', 1, 2, 0, 0)$$, 'a first beat');
SELECT lives_ok($$SELECT consign.job_beat(1, 11, 5, b(5), 'a', 'write', 2, 2, 1, 0)$$, 'a second');
SELECT results_eq('SELECT phase, profiles_done, files_written FROM consign.export_progress WHERE org = 1 AND sandbox = 11 AND job = 5',
    $$VALUES ('write', 2::bigint, 1::bigint)$$, 'the last one counts');

SELECT refuses($$SELECT publish(1, 11, 5, 'b')$$, 'CN410', 'publish by another attempt');
SELECT refuses($$SELECT consign.job_give_up(1, 11, 5, b(5), 'b', 'FAILED', NULL)$$, 'CN410', 'give up by another attempt');
SELECT refuses($$SELECT consign.work_release(1, 11, b(5), 'b', 0, false, NULL)$$, 'CN410', 'release by another attempt');
SELECT is(job_state(1, 11, 5), 'PROCESSING active queued', 'none of that changed the job');
SELECT is((SELECT count(*) FROM consign.batch_file WHERE org = 1 AND batch = b(5)), 0::bigint, 'or left a file');

SELECT lives_ok($$SELECT publish(1, 11, 5, 'a')$$, 'publish');
SELECT is(job_state(1, 11, 5), 'SUCCEEDED success', 'job and batch are done, the entry is gone');
SELECT results_eq('SELECT part, name, records FROM consign.batch_file WHERE org = 1 AND sandbox = 11 AND batch = b(5) ORDER BY part',
    $$VALUES (0, 'part-00000', 3::bigint), (1, 'part-00001', 2::bigint)$$, 'its files show in their order');
SELECT results_eq('SELECT attempt, output_records, output_bytes FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = b(5)',
    $$VALUES ('a', 5::bigint, 100::bigint)$$, 'the batch has attempt, rows and bytes');
SELECT is(((pg_temp.job(5)).profiles, (pg_temp.job(5)).watermark_ms, (pg_temp.job(5)).push)::text, '(5,1000,push)', 'the job has its figures');
SELECT is((SELECT count(*) FROM consign.export_progress WHERE org = 1 AND sandbox = 11 AND job = 5), 0::bigint, 'the progress is gone');
SELECT refuses($$SELECT publish(1, 11, 5, 'a')$$, 'CN410', 'publish a second time');
SELECT refuses($$SELECT consign.job_give_up(1, 11, 5, b(5), 'a', 'FAILED', NULL)$$, 'CN410', 'give up what is published');
SELECT refuses($$SELECT consign.job_end(1, 11, 5, 'FAILED', NULL)$$, 'P0002', 'a job ends once');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 11, 5) || ' ' || job_state(1, 11, 5), 'SUCCEEDED SUCCEEDED success', 'cancel changes nothing any more');

SET LOCAL ROLE consign_spooler;
SELECT is(take(1, 11, 6, 'a'), 1, 'another job');
SELECT lives_ok($$SELECT consign.job_give_up(1, 11, 6, b(6), 'a', 'FAILED', '[{"code":"unknown"}]')$$, 'is given up');
SELECT is(job_state(1, 11, 6) || (pg_temp.job(6)).errors, 'FAILED failed[{"code":"unknown"}]', 'and has its reason');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 11, 6), 'FAILED', 'cancel changes nothing any more');

SET LOCAL ROLE consign_spooler;
SELECT is(take(1, 11, 7, 'a'), 1, 'a third job, first attempt');
SELECT lives_ok($$SELECT consign.work_release(1, 11, b(7), 'a', 5, false, 'disk full')$$, 'a fault: given back');
SELECT results_eq('SELECT attempt, attempts, last_fault FROM consign.work_queue WHERE org = 1 AND batch = b(7)',
    $$VALUES (NULL::text, 1, 'disk full')$$, 'the attempt counts');
SELECT is(take(1, 11, 7, 'b'), 2, 'second attempt');
SELECT lives_ok($$SELECT consign.work_release(1, 11, b(7), 'b', 0, true, NULL)$$, 'a shutdown: given back');
SELECT results_eq('SELECT attempts, not_before_ms, last_fault FROM consign.work_queue WHERE org = 1 AND batch = b(7)',
    $$VALUES (1, 0::bigint, 'disk full')$$, 'the attempt does not count, waits for nothing and says nothing');

-- the pause: as long as the entry is old, between the least one and ten minutes
CREATE FUNCTION pg_temp.pause(age_ms bigint, least_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    UPDATE consign.work_queue SET attempt = 'b', created_ms = consign.now_ms() - age_ms WHERE org = 1 AND batch = tap.b(7);
    PERFORM consign.work_release(1, 11, tap.b(7), 'b', least_ms, false, 'x');
    RETURN (SELECT not_before_ms - consign.now_ms() FROM consign.work_queue WHERE org = 1 AND batch = tap.b(7));
END $$;
SELECT ok(pg_temp.pause(0, 5000) BETWEEN 4000 AND 5000, 'young work waits the least pause');
SELECT ok(pg_temp.pause(60000, 5000) BETWEEN 59000 AND 62000, 'older work as long as it is old');
SELECT ok(pg_temp.pause(86400000, 5000) BETWEEN 599000 AND 600000, 'and ten minutes at most');
SELECT ok(pg_temp.pause(86400000, 3600000) BETWEEN 3599000 AND 3600000, 'or the least pause, where the operator wants more');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
