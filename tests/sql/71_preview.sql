-- The first rows of a published job: what is kept of those of the attempt and its helpers, and until when.
BEGIN;
SELECT plan(27);
SET LOCAL consign.org = 1;
-- the job n into a dataset, at work; then published with these rows
CREATE FUNCTION pg_temp.begun(n integer, dataset text DEFAULT d(1), segments text DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$ SELECT make_job(1, 12, n, dataset => dataset, segments => segments), take(1, 12, n, 'run' || n);
   SELECT consign.job_start(1, 12, n, b(n), 'run' || n) $$;
CREATE FUNCTION pg_temp.done(n integer, rows text, profiles bigint DEFAULT 7) RETURNS void LANGUAGE sql AS
$$ SELECT consign.job_publish(1, 12, n, b(n), 'run' || n, 'push', '[]', profiles, 0, '{}', '{}', 1000, 2000, 1500, rows) $$;
CREATE FUNCTION pg_temp.helped(n integer, helper text, rows text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO consign.export_helper (org, sandbox, job, helper, attempt, liveness, status, beat_ms)
       VALUES (1, 12, n, helper, 'run' || n, 1, 'working', 0);
   SELECT consign.help_end(1, 12, n, helper, 0, 0, 0, 0, '{}', '[]', rows) $$;
CREATE FUNCTION pg_temp.kept(dataset text DEFAULT d(1)) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', p.job, p.total, p.shown, p.body) FROM consign.dataset_preview p
   WHERE p.org = 1 AND p.sandbox = 12 AND p.dataset = kept.dataset $$;
CREATE FUNCTION pg_temp.lines(n integer, line text) RETURNS text LANGUAGE sql AS $$ SELECT repeat(E'\n' || line, n) $$;

SELECT pg_temp.begun(1);
SET LOCAL ROLE consign_spooler;
SELECT lives_ok($$SELECT pg_temp.done(1, E'\n{"a":1}\n{"b":[2,\t3]}')$$, 'the spooler keeps rows as it publishes');
RESET ROLE;
SELECT is(pg_temp.kept(), E'1 7 2 {"a":1},{"b":[2,\t3]}', 'byte for byte');
SELECT results_eq('SELECT batch_ids FROM consign.dataset_preview WHERE org = 1 AND sandbox = 12', 'SELECT ARRAY[b(1)]', 'of this batch');
SELECT pg_temp.begun(2, d(2));
SELECT is(pg_temp.kept(d(2)), NULL, 'none before the job is published');
SELECT pg_temp.done(2, '');
SELECT is(pg_temp.kept(d(2)), '2 7 0 ', 'no rows are kept as none');
SELECT is(pg_temp.kept(), E'1 7 2 {"a":1},{"b":[2,\t3]}', 'another dataset''s is another one');

-- rows that were too large, and helpers
SELECT pg_temp.begun(3), pg_temp.helped(3, 'h2', E'\n4\n\n5'), pg_temp.helped(3, 'h1', E'\n2\n3'), pg_temp.helped(3, 'h3', NULL);
INSERT INTO consign.export_helper (org, sandbox, job, helper, attempt, liveness, status, beat_ms, preview)
    VALUES (1, 12, 3, 'h0', 'run3', 1, 'working', 0, E'\nx');
SELECT pg_temp.done(3, E'\n\n1');
SELECT is(pg_temp.kept(), '3 7 5 1,2,3,4,5', 'the attempt''s own first, then those of the helpers that were done; of the next job, not the one before');
SELECT pg_temp.begun(4), pg_temp.helped(4, 'h', pg_temp.lines(100, '9')), pg_temp.done(4, pg_temp.lines(97, '8') || pg_temp.lines(1, ''));
SELECT is(pg_temp.kept(), '4 7 99 ' || repeat('8,', 97) || '9,9', 'a hundred at most, those that were too large counted');
SELECT pg_temp.begun(5), pg_temp.helped(5, 'h', pg_temp.lines(2, repeat('b', 100000))), pg_temp.done(5, pg_temp.lines(2, repeat('a', 100000)) || E'\nc');
SELECT is(pg_temp.kept(), '5 7 3 ' || repeat(repeat('a', 100000) || ',', 2) || 'c', 'what goes over the room is left out');

-- whose is kept
SELECT pg_temp.begun(20), pg_temp.begun(7), pg_temp.begun(6), pg_temp.done(20, E'\nearly'), pg_temp.done(7, E'\nlate');
UPDATE consign.export_job SET ended_ms = ended_ms - 1000 WHERE org = 1 AND sandbox = 12 AND job = 20;
SELECT consign.preview_keep(1, 12, 20, ARRAY[b(20)], E'\nearly');
SELECT is(pg_temp.kept(), '7 7 1 late', 'the newest, whichever commits last and whatever their numbers');
UPDATE consign.dataset_preview SET completed_ms = consign.now_ms() + 60000 WHERE org = 1 AND sandbox = 12 AND dataset = d(1);
SELECT pg_temp.done(6, E'\nback');
SELECT is(pg_temp.kept(), '6 7 1 back', 'in place of one that ended at a time that is to come: the clock was set back');
SELECT pg_temp.begun(8), pg_temp.done(8, NULL);
SELECT is(pg_temp.kept(), NULL, 'a spooler that keeps none leaves none of the job before');
SELECT pg_temp.begun(9), consign.job_publish(1, 12, 9, b(9), 'run9', 'push', '[]', 1, 0, '{}', '{}', 1000, 2000, 1500);
SELECT is(job_state(1, 12, 9), 'SUCCEEDED success', 'it publishes all the same');
SELECT pg_temp.begun(10);
SELECT throws_ok($$SELECT consign.job_publish(1, 12, 10, b(10), 'other', 'push', '[]', 1, 0, '{}', '{}', 1, 2, 1, E'\nx')$$, 'CN410');
SELECT is(pg_temp.kept(), NULL, 'an attempt that is refused keeps none');
SELECT pg_temp.done(10, E'\nten');

-- it goes with its batches
INSERT INTO consign.dataset_retention VALUES (1, 12, d(1), 86400000);
UPDATE consign.batch SET completed_ms = completed_ms - 5 * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND batch = b(9);
SET LOCAL ROLE consign_spooler;
SELECT results_eq('SELECT batch FROM consign.batch_expire(1, 12, d(1), 9)', 'SELECT b(9)', 'an older batch expires');
RESET ROLE;
SELECT is(pg_temp.kept(), '10 7 1 ten', 'and the preview stays');
UPDATE consign.batch SET completed_ms = completed_ms - 5 * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND batch = b(10);
SET LOCAL ROLE consign_spooler;
SELECT results_eq('SELECT batch FROM consign.batch_expire(1, 12, d(1), 9)', 'SELECT b(10)', 'its own expires');
RESET ROLE;
SELECT is(pg_temp.kept(), NULL, 'and the preview with it');
SELECT pg_temp.begun(11, segments => format('[{"batch":"%s","ns":"ups","id":"a","statuses":["realized"]},{"batch":"%s","ns":"ups","id":"b","statuses":["realized"]}]', b(11), b(12)));
SELECT pg_temp.done(11, E'\none');
SELECT is(pg_temp.kept(), '11 7 1 one', 'of a job with several batches');
UPDATE consign.batch SET completed_ms = completed_ms - 5 * 86400000::bigint WHERE org = 1 AND sandbox = 12 AND batch = b(12);
SELECT results_eq('SELECT batch FROM consign.batch_expire(1, 12, d(1), 9)', 'SELECT b(12)', 'one of them expires');
SELECT is(pg_temp.kept(), NULL, 'none of its rows is shown any more');

-- and with its dataset
SELECT pg_temp.begun(13, d(2)), pg_temp.done(13, E'\nlast');
UPDATE consign.batch SET expired_ms = 1 WHERE org = 1 AND sandbox = 12 AND dataset = d(2);
SET LOCAL ROLE consign_api;
SELECT is((SELECT count(*) FROM consign.dataset_preview), 2::bigint, 'the pool sees the tenant''s');
SELECT is(consign.dataset_delete(1, 12, d(2)), d(2), 'a dataset is deleted');
SELECT is(pg_temp.kept(d(2)), NULL, 'with its preview');
SET LOCAL consign.org = 2;
SELECT is((SELECT count(*) FROM consign.dataset_preview WHERE org = 1), 0::bigint, 'another tenant sees none of them');
SELECT is((SELECT string_agg(concat_ws(' ', name, total), ',') FROM consign.sandbox_list(1, 11, NULL, 9, 0)), '0', 'nor its sandboxes');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
