-- job_cancel in every state of a job. `as_api` and `as_spooler` are what each program may do.
BEGIN;
SELECT plan(25);
SET LOCAL consign.org = 1;
SELECT is(make_job(1, 11, n), n::bigint) FROM generate_series(5, 8) n;

SET LOCAL ROLE consign_api;
SELECT refuses('SELECT consign.job_cancel(1, 11, 99)', 'CN404', 'an unknown job');
SELECT is(consign.job_cancel(1, 11, 5), 'CANCELLED', 'a job nobody claimed ends at once');
SELECT is(job_state(1, 11, 5), 'CANCELLED aborted', 'with its batch, and out of the queue');
SELECT isnt((SELECT ended_ms FROM consign.export_job WHERE org = 1 AND sandbox = 11 AND job = 5), NULL, 'it has an end');
SELECT is(consign.job_cancel(1, 11, 5), 'CANCELLED', 'cancelled again: nothing changes');

SET LOCAL ROLE consign_spooler;
SELECT is(take(1, 11, 6, 'a'), 1, 'a job is claimed');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 11, 6), 'CANCELLING', 'a claimed job that did not start is asked to stop');
SELECT is(consign.job_cancel(1, 11, 6), 'CANCELLING', 'and again');
SELECT is(job_state(1, 11, 6), 'CANCELLING active queued', 'it is the worker that ends it');
SET LOCAL ROLE consign_spooler;
SELECT refuses($$SELECT * FROM consign.job_start(1, 11, 6, b(6), 'a')$$, 'CN408', 'it does not start any more');
SELECT lives_ok($$SELECT consign.job_give_up(1, 11, 6, b(6), 'a', 'CANCELLED', NULL)$$, 'the worker ends it');
SELECT is(job_state(1, 11, 6), 'CANCELLED aborted', 'cancelled');

SELECT is(take(1, 11, 7, 'a'), 1, 'a job is claimed');
SELECT lives_ok($$SELECT * FROM consign.job_start(1, 11, 7, b(7), 'a')$$, 'and started');
SELECT lives_ok($$SELECT consign.job_beat(1, 11, 7, b(7), 'a', 'read', 1, 2, 0, 0)$$, 'it goes on');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 11, 7), 'CANCELLING', 'a running job is asked to stop');
SET LOCAL ROLE consign_spooler;
SELECT refuses($$SELECT consign.job_beat(1, 11, 7, b(7), 'a', 'read', 1, 2, 0, 0)$$, 'CN408', 'the attempt learns it at its next beat');
SELECT refuses($$SELECT publish(1, 11, 7, 'a')$$, 'CN408', 'and cannot publish');
SELECT lives_ok($$SELECT consign.work_release(1, 11, b(7), 'a', 60000, false, 'gone')$$, 'given back instead of ended');
SELECT is((SELECT not_before_ms FROM consign.work_queue WHERE org = 1 AND batch = b(7)), 0::bigint, 'it does not wait for a retry');
SET LOCAL ROLE consign_api;
SELECT is(consign.job_cancel(1, 11, 7) || ' ' || job_state(1, 11, 7), 'CANCELLED CANCELLED aborted', 'and a further cancel ends it');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
