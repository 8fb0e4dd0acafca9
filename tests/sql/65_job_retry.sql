-- job_retry: a waiting job goes on at once, a FAILED one is NEW again with its batches, others are left alone.
BEGIN;
SELECT plan(10);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_owner;
SELECT make_job(1, 11, 70) \g /dev/null
UPDATE consign.work_queue SET not_before_ms = 9e15::bigint, attempts = 2 WHERE batch = b(70);
SELECT is(consign.job_retry(1, 11, 70), 'NEW', 'a job that waits');
SELECT results_eq('SELECT not_before_ms, attempts FROM consign.work_queue WHERE batch = b(70)', 'VALUES (0::bigint, 0)',
    'goes on at once, with all attempts');
SELECT take(1, 11, 70, 'run') \g /dev/null
SELECT refuses('SELECT consign.job_retry(1, 11, 70)', 'CN409', 'a job that somebody works on');
SELECT is((SELECT attempt FROM consign.work_queue WHERE batch = b(70)), 'run', 'keeps its attempt');
SELECT consign.job_end(1, 11, 70, 'FAILED', '[{}]') \g /dev/null
SELECT is(consign.job_retry(1, 11, 70), 'FAILED', 'a failed job');
SELECT is(job_state(1, 11, 70), 'NEW active queued', 'is new again');
SELECT is((SELECT errors FROM consign.export_job WHERE job = 70), NULL, 'without its errors');
SELECT consign.job_cancel(1, 11, 70) \g /dev/null
SELECT refuses('SELECT consign.job_retry(1, 11, 70)', 'CN409', 'a cancelled job');
SELECT refuses('SELECT consign.job_retry(1, 11, 71)', 'CN404', 'no job');
SELECT refuses('SELECT consign.job_retry(2, 21, 1)', 'CN404', 'a job of another tenant than the one that is set');
SELECT * FROM finish();
ROLLBACK;
