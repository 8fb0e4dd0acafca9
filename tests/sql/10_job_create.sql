-- job_create and its idempotency: a job whole, or a refusal and nothing at all.
BEGIN;
SELECT plan(27);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;
SELECT is(make_job(1, 11, 5), 5::bigint, 'a job is accepted');
SELECT is(job_state(1, 11, 5), 'NEW active queued', 'it is NEW, has a batch and waits in the queue');
SELECT results_eq('SELECT kind, job, attempt, attempts, cancel FROM consign.work_queue WHERE org = 1 AND sandbox = 11 AND batch = b(5)',
    $$VALUES ('export', 5::bigint, NULL::text, 0, false)$$, 'its entry is nobody''s yet');
SELECT refuses('SELECT make_job(1, 11, 5)', '23505', 'a number that is taken is no second job');

SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(99))$$, 'CN404', 'an unknown dataset');
SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(112))$$, 'CN404', 'a dataset of another sandbox');
SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(121))$$, 'CN404', 'a dataset of another org');
SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(3))$$, 'CN400', 'a dataset of profile records');
SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(5))$$, 'CN400', 'a dataset of events');
SELECT is(make_job(1, 11, 13, dataset => d(2)), 13::bigint, 'a dataset of Parquet files');
RESET ROLE;
UPDATE consign.dataset SET compression = 'snappy' WHERE org = 1 AND sandbox = 11 AND dataset = d(111);
SET LOCAL ROLE consign_api;
SELECT refuses($$SELECT make_job(1, 11, 6, dataset => d(111))$$, 'CN501', 'a compression that is not offered');
SELECT refuses($$SELECT make_job(1, 11, 6, 'new', 'body', d(99))$$, 'CN404', 'a refusal with a key');
SELECT ok(NOT EXISTS (SELECT FROM consign.work_queue WHERE org = 1 AND batch = b(6))
      AND NOT EXISTS (SELECT FROM consign.batch WHERE org = 1 AND batch = b(6))
      AND NOT EXISTS (SELECT FROM consign.export_job WHERE org = 1 AND job = 6), 'a refusal leaves nothing');
SELECT is(make_job(1, 11, 6, 'new', 'another body'), 6::bigint, 'a refusal does not use the key up');

SELECT is(make_job(1, 11, 7, 'key7', 'body'), 7::bigint, 'a job with a key');
SELECT is(make_job(1, 11, 8, 'key7', 'body'), 7::bigint, 'the same key and body: the same job');
SELECT is((SELECT count(*) FROM consign.export_job WHERE org = 1 AND sandbox = 11 AND job = 8), 0::bigint, 'and no second one');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND batch = b(8)), 0::bigint, 'and no second entry');
SELECT refuses($$SELECT make_job(1, 11, 8, 'key7', 'other')$$, 'CN422', 'the same key with another body');
SELECT is(consign.job_cancel(1, 11, 7), 'CANCELLED', 'the job ends');
SELECT is(make_job(1, 11, 8, 'key7', 'body'), 7::bigint, 'its key still gives it');
SELECT is(make_job(1, 12, 8, 'key7', 'body'), 8::bigint, 'the key of one sandbox is free in another');
SELECT is(make_batch(1, 11, 9, d(3), 'key7', 'body'), b(9), 'and on another route');

RESET ROLE;
UPDATE consign.idempotency_key SET created_ms = consign.now_ms() - 86400000 + 60000 WHERE org = 1 AND key_sha256 = 'key7';
SELECT is(make_job(1, 11, 10, 'key7', 'body'), 7::bigint, 'a key just under 24 h old still counts');
UPDATE consign.idempotency_key SET created_ms = consign.now_ms() - 86400001 WHERE org = 1 AND key_sha256 = 'key7';
SET LOCAL ROLE consign_api;
SELECT is(make_job(1, 11, 11, 'key7', 'other'), 11::bigint, 'an older one is new, with any body');
SELECT is(make_job(1, 11, 12, 'key7', 'other'), 11::bigint, 'and lasts another 24 h');
SELECT refuses($$SELECT make_job(1, 11, 12, 'key7', 'body')$$, 'CN422', 'the body of the old one is another body now');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
