-- An export that several workers write: ranges, helpers, who may hand over what, and the sum of it all.
BEGIN;
SELECT plan(39);
SET LOCAL consign.org = 1;
DO $$ BEGIN PERFORM make_job(1, 12, 5); END $$;
SELECT is(take(1, 12, 5, 'a'), 1, 'claimed');
SELECT lives_ok($$SELECT consign.job_start(1, 12, 5, b(5), 'a')$$, 'begun');
CREATE FUNCTION pg_temp.taken(who text) RETURNS text LANGUAGE sql AS
$$ SELECT person_from || ' ' || person_to FROM consign.share_take(1, 12, 5, tap.b(5), 'a', who) $$;
CREATE FUNCTION pg_temp.enter(who text, liveness bigint) RETURNS void LANGUAGE sql AS
$$ SELECT consign.help_enter(1, 12, 5, tap.b(5), 'a', who, liveness) $$;

SELECT is((SELECT count(*) FROM consign.help_begin('h0') WHERE job = 5), 0::bigint, 'a job that is not open finds no helper');
SELECT refuses($$SELECT pg_temp.enter('h0', 1)$$, 'CN410', 'and takes none');
SELECT refuses($$SELECT consign.share_open(1, 12, 5, b(5), 'other', 's', '{5}')$$, 'CN410', 'only the attempt cuts it');
SELECT lives_ok($$SELECT consign.share_open(1, 12, 5, b(5), 'a', '00-1', '{200,300}')$$, 'the attempt opens it');
SELECT results_eq($$SELECT person_from, person_to FROM consign.export_share WHERE org = 1 AND sandbox = 12 ORDER BY share$$,
    $$VALUES (0::bigint, 200::bigint), (200, 300), (300, 9223372036854775807)$$, 'ranges leave nobody out');
SELECT is((SELECT snapshot FROM consign.help_begin('h1') WHERE job = 5), NULL, 'nobody finds it while other work waits');
SELECT lives_ok($$SELECT pg_temp.enter('h1', 900001)$$, 'a helper enters');

SELECT is(pg_temp.taken('a'), '0 200', 'the attempt takes a range');
SELECT is(pg_temp.taken('h1'), NULL, 'a helper takes none while other work waits');
UPDATE consign.work_queue SET attempt = 'elsewhere' WHERE attempt IS NULL; -- all tenants', as their owner sees them
SET LOCAL consign.org = 2;
UPDATE consign.work_queue SET attempt = 'elsewhere' WHERE attempt IS NULL;
SET LOCAL consign.org = 1;
SELECT ok(NOT consign.work_waits(), 'what others work on does not wait');
INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms, not_before_ms)
    VALUES (1, 12, 'ingest', b(71), 0, consign.now_ms() + 600000);
SELECT ok(NOT consign.work_waits(), 'nor does what is to be tried later');
INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms) VALUES (1, 12, 'ingest', b(72), 0);
SELECT ok(NOT consign.work_waits(), 'nor a load behind another one of its sandbox, which nobody could claim');
UPDATE consign.work_queue SET not_before_ms = 0 WHERE batch = b(71) AND org = 1;
SELECT ok(consign.work_waits(), 'but the first one does');
DELETE FROM consign.work_queue WHERE org = 1 AND batch IN (b(71), b(72));
SELECT is((SELECT snapshot FROM consign.help_begin('h1') WHERE job = 5), '00-1', 'then a helper finds the export and its snapshot');
SELECT is(pg_temp.taken('h1'), '200 300', 'and the next one when nothing waits');
SELECT refuses($$SELECT pg_temp.taken('h9')$$, 'CN410', 'nobody takes one who has not entered');
SELECT is(pg_temp.taken('a'), '300 9223372036854775807', 'the attempt takes the last one');
SELECT is(pg_temp.taken('a'), NULL, 'then none is left');
SELECT is((SELECT snapshot FROM consign.work_queue WHERE org = 1 AND sandbox = 12 AND batch = b(5)), NULL, 'and the job is closed');
SELECT refuses($$SELECT pg_temp.enter('h2', 900002)$$, 'CN410', 'for further helpers');

SELECT lives_ok($$SELECT consign.help_beat(1, 12, 5, b(5), 'a', 'h1', 7, 1, 0)$$, 'a helper tells how far it is');
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 5, b(5), 'a', 'reading', 10, 20, 2, 0)$$, 'and so does the attempt');
SELECT results_eq($$SELECT profiles_done, files_written FROM consign.export_progress WHERE org = 1 AND sandbox = 12 AND job = 5$$,
    $$VALUES (17::bigint, 3::bigint)$$, 'both together are the progress');
SELECT results_eq($$SELECT working, free FROM consign.help_look(1, 12, 5, 1000000)$$, $$VALUES (0::bigint, true)$$,
    'a helper whose lock is free is given up, and its range is to be taken again');
SELECT refuses($$SELECT consign.help_end(1, 12, 5, 'h1', 7, 0, 0, 0, '{}', '[]')$$, 'CN410', 'what it brings later is refused');
SELECT is(pg_temp.taken('a'), '200 300', 'the range again');
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 5, b(5), 'a', 'reading', 11, 20, 2, 0)$$, 'the attempt tells more, the helper no more');
SELECT is((SELECT profiles_done FROM consign.export_progress WHERE org = 1 AND sandbox = 12 AND job = 5), 17::bigint,
    'the progress does not go back');

UPDATE consign.work_queue SET snapshot = '00-1' WHERE org = 1 AND sandbox = 12 AND batch = b(5);
DO $$ BEGIN PERFORM pg_temp.enter('h3', 900003); END $$;
SELECT lives_ok($$SELECT consign.help_end(1, 12, 5, 'h3', 7, 70, 2, 1, '{"email":6,"crm":1}', '[]')$$, 'a helper hands over');
SELECT refuses($$SELECT consign.help_end(1, 12, 5, 'h3', 7, 70, 2, 1, '{}', '[]')$$, 'CN410', 'once');
SELECT results_eq($$SELECT working, free FROM consign.help_look(1, 12, 5, 0)$$, $$VALUES (0::bigint, false)$$, 'and is not waited for');
UPDATE consign.work_queue SET snapshot = '00-1' WHERE org = 1 AND sandbox = 12 AND batch = b(5);
DO $$ BEGIN PERFORM pg_temp.enter('h4', 900004), consign.help_beat(1, 12, 5, tap.b(5), 'a', 'h4', 1000, 1, 0); END $$; -- has not handed over
SELECT lives_ok($$SELECT tap.publish(1, 12, 5, 'a')$$, 'published');
SELECT results_eq($$SELECT profiles, events, by_namespace::jsonb, skipped::jsonb FROM consign.export_job WHERE org = 1 AND sandbox = 12 AND job = 5$$,
    $$VALUES (12::bigint, 70::bigint, '{"email":11,"crm":1}'::jsonb, '{"tooManyIdentities":2,"tooLarge":1}'::jsonb)$$, 'the figures are the sum');
SELECT is((SELECT count(*) FROM consign.export_share WHERE sandbox = 12) + (SELECT count(*) FROM consign.export_helper WHERE sandbox = 12),
    0::bigint, 'nothing of the sharing stays');

DO $$ BEGIN PERFORM make_job(1, 12, 61), take(1, 12, 61, 'a6');
    PERFORM consign.share_open(1, 12, 61, b(61), 'a6', '00-1', '{5}'), consign.help_enter(1, 12, 61, b(61), 'a6', 'h6', 900006); END $$;
SELECT lives_ok($$SELECT consign.work_release(1, 12, b(61), 'a6', 0, true, NULL)$$, 'a shared job is given back');
SELECT is((SELECT count(*) FROM consign.export_share WHERE sandbox = 12) + (SELECT count(*) FROM consign.export_helper WHERE sandbox = 12),
    0::bigint, 'and keeps nothing of the sharing, should it be cancelled now');
SELECT is(consign.counts_sum('{}'::text[]), '{}', 'no counts add up to none');
SELECT * FROM finish();
ROLLBACK;
