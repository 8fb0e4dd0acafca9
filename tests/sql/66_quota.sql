-- Quotas: how many export jobs may be live, and how many bytes of the lake an org or sandbox may take.
BEGIN;
SELECT plan(30);
DELETE FROM consign.quota;
DELETE FROM consign.lake_usage WHERE org = 1;
SET LOCAL consign.org = 1;

CREATE FUNCTION pg_temp.quota(place integer, jobs integer, bytes bigint) RETURNS text LANGUAGE sql AS $$
INSERT INTO consign.quota (org, sandbox, live_most, lake_bytes_most) VALUES (1, place, jobs, bytes)
    ON CONFLICT (org, sandbox) DO UPDATE SET live_most = jobs, lake_bytes_most = bytes;
SELECT 'set' $$;
CREATE FUNCTION pg_temp.room(place integer) RETURNS bigint LANGUAGE sql AS $$ SELECT consign.quota_room(1, place) $$;

-- live jobs; job 1 of sandbox 11 is one
SELECT lives_ok('SELECT make_job(1, 12, 10)', 'without quotas a job is accepted');
SELECT pg_temp.quota(0, 2, NULL);
SELECT refuses('SELECT make_job(1, 12, 11)', 'CN429', 'an org with as many live jobs as it may have gets no more');
SELECT refuses('SELECT make_job(1, 11, 11)', 'CN429', 'in any sandbox');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND kind = 'export'), 2::bigint, 'nothing of it was queued');
SELECT is((SELECT job FROM consign.export_job WHERE org = 1 AND job = 11), NULL, 'or stored');
SELECT lives_ok('SELECT make_job(2, 21, 11)', 'another org does');
SELECT is(make_job(1, 11, 12, 'key', 'body'), 1::bigint, 'a repeated call is answered its job all the same');
SELECT pg_temp.quota(0, 3, NULL);
SELECT lives_ok('SELECT make_job(1, 12, 11)', 'a higher quota works at once');
SELECT lives_ok('SELECT consign.job_cancel(1, 12, 10)', 'a job ends');
SELECT lives_ok('SELECT make_job(1, 12, 12)', 'and another has its place');
SELECT pg_temp.quota(0, NULL, NULL), pg_temp.quota(12, 2, NULL);
SELECT refuses('SELECT make_job(1, 12, 13)', 'CN429', 'a sandbox has a quota of its own');
SELECT lives_ok('SELECT make_job(1, 11, 13)', 'that is no other''s');
SELECT pg_temp.quota(0, 0, NULL);
SELECT refuses('SELECT make_job(1, 11, 14)', 'CN429', 'none at all');
SELECT pg_temp.quota(0, NULL, NULL), pg_temp.quota(12, 0, NULL);
SELECT refuses('SELECT make_job(1, 12, 14)', 'CN429', 'none in a sandbox');
SELECT pg_temp.quota(12, NULL, NULL);

-- the lake; tap.publish writes 100 bytes
SELECT is(pg_temp.room(12), NULL, 'without a quota the lake has no bound');
SELECT take(1, 12, 11, 'a'), take(1, 12, 12, 'b');
SELECT count(*) FROM consign.job_start(1, 12, 11, b(11), 'a') one, consign.job_start(1, 12, 12, b(12), 'b') two;
SELECT lives_ok($$SELECT publish(1, 12, 11, 'a')$$, 'published');
SELECT results_eq('SELECT sandbox, bytes FROM consign.lake_usage WHERE org = 1', 'VALUES (12, 100::bigint)', 'its bytes are counted');
SELECT pg_temp.quota(0, NULL, 250), pg_temp.quota(12, NULL, 199);
SELECT is(pg_temp.room(12), 99::bigint, 'the sandbox''s bound is the nearer one');
SELECT is(pg_temp.room(11), 150::bigint, 'another sandbox has the org''s');
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 12, b(12), 'b', 'read', 1, 2, 0, 99)$$, 'a run may write what there is room for');
SELECT refuses($$SELECT consign.job_beat(1, 12, 12, b(12), 'b', 'read', 1, 2, 0, 100)$$, 'CN507', 'and not more');
INSERT INTO consign.export_helper (org, sandbox, job, helper, attempt, liveness, status, beat_ms)
    VALUES (1, 12, 12, 'h', 'b', 900001, 'working', consign.now_ms());
SELECT lives_ok($$SELECT consign.help_beat(1, 12, 12, b(12), 'b', 'h', 1, 0, 60)$$, 'a helper tells what it wrote');
SELECT refuses($$SELECT consign.job_beat(1, 12, 12, b(12), 'b', 'read', 1, 2, 0, 40)$$, 'CN507', 'which counts too');
SELECT refuses($$SELECT publish(1, 12, 12, 'b')$$, 'CN507', 'what does not fit is not published');
SELECT is(job_state(1, 12, 12), 'PROCESSING active queued', 'and nothing of it shows');
SELECT is((SELECT bytes FROM consign.lake_usage WHERE org = 1), 100::bigint, 'or is counted');
SELECT pg_temp.quota(12, NULL, 200);
SELECT lives_ok($$SELECT publish(1, 12, 12, 'b')$$, 'what fits just so is');
SELECT refuses('SELECT make_job(1, 12, 15)', 'CN507', 'then there is no room for another job');
SELECT lives_ok('SELECT make_job(1, 11, 15)', 'of that sandbox');
SELECT pg_temp.quota(0, NULL, 150);
SELECT is(pg_temp.room(11), -50::bigint, 'a quota below what is taken leaves less than nothing');
SELECT * FROM finish();
ROLLBACK;
