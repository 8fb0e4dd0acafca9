-- Quotas: how many export jobs may be live, and how many bytes of the lake and the inbox an org or sandbox may take.
BEGIN;
SELECT plan(72);
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
SELECT make_job(1, 12, 14), make_job(1, 11, 16), take(1, 12, 14, 'c'), take(1, 11, 16, 'd');
SELECT count(*) FROM consign.job_start(1, 12, 14, b(14), 'c') one, consign.job_start(1, 11, 16, b(16), 'd') two;
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 12, b(12), 'b', 'read', 1, 2, 0, 30)$$, 'the first of several jobs that run, with its helper 90');
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 14, b(14), 'c', 'read', 1, 2, 0, 9)$$, 'a later one may write what that leaves');
SELECT refuses($$SELECT consign.job_beat(1, 12, 14, b(14), 'c', 'read', 1, 2, 0, 10)$$, 'CN507', 'and not more');
SELECT lives_ok($$SELECT consign.job_beat(1, 12, 12, b(12), 'b', 'read', 1, 2, 0, 39)$$, 'which leaves the first one all its room');
SELECT lives_ok($$SELECT consign.job_beat(1, 11, 16, b(16), 'd', 'read', 1, 2, 0, 42)$$, 'in another sandbox: what they leave of the org''s');
SELECT refuses($$SELECT consign.job_beat(1, 11, 16, b(16), 'd', 'read', 1, 2, 0, 43)$$, 'CN507', 'and not more');
SELECT lives_ok($$SELECT consign.work_release(1, 12, b(14), 'c', 0, false, 'disk')$$, 'one that waits to be tried again');
SELECT lives_ok($$SELECT consign.job_beat(1, 11, 16, b(16), 'd', 'read', 1, 2, 0, 51)$$, 'has taken nothing');
SELECT consign.job_cancel(1, 12, 14), consign.job_give_up(1, 11, 16, b(16), 'd', 'FAILED', '[]');
SELECT refuses($$SELECT publish(1, 12, 12, 'b')$$, 'CN507', 'what does not fit is not published');
SELECT is(job_state(1, 12, 12), 'PROCESSING active queued', 'and nothing of it shows');
SELECT is((SELECT bytes FROM consign.lake_usage WHERE org = 1), 100::bigint, 'or is counted');
SELECT pg_temp.quota(12, NULL, 200);
SELECT lives_ok($$SELECT publish(1, 12, 12, 'b')$$, 'what fits just so is');
SELECT refuses('SELECT make_job(1, 12, 15)', 'CN507', 'then there is no room for another job');
SELECT lives_ok('SELECT make_job(1, 11, 15)', 'of that sandbox');
SELECT pg_temp.quota(0, NULL, 150);
SELECT is(pg_temp.room(11), -50::bigint, 'a quota below what is taken leaves less than nothing');

-- the inbox; of org 1 there is a file of 10 bytes in sandbox 11, which counts as 64 KiB
CREATE FUNCTION pg_temp.inbox(place integer, blocks integer) RETURNS text LANGUAGE sql AS $$
INSERT INTO consign.quota (org, sandbox, inbox_bytes_most) VALUES (1, place, blocks * 65536)
    ON CONFLICT (org, sandbox) DO UPDATE SET inbox_bytes_most = EXCLUDED.inbox_bytes_most;
SELECT 'set' $$;
CREATE FUNCTION pg_temp.blocks(place integer) RETURNS numeric LANGUAGE sql AS $$ SELECT consign.inbox_room(1, place) / 65536.0 $$;
CREATE FUNCTION pg_temp.put(place integer, n integer, name text, blocks numeric) RETURNS bigint LANGUAGE sql AS
$$ SELECT count(*) FROM consign.batch_upload(1, place, tap.b(n), tap.d(3), name, gen_random_uuid()::text, (blocks * 65536)::bigint) $$;
CREATE FUNCTION pg_temp.piece(n integer, first numeric, blocks numeric) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(refusal, ''), 'entered') FROM consign.batch_patch(1, 12, tap.b(n), tap.d(3), 'cut', gen_random_uuid()::text,
    (blocks * 65536)::bigint, (first * 65536)::bigint, 9 * 65536, 'identity') $$;
SELECT is(pg_temp.blocks(12), 1638399::numeric, 'without a quota an org has 100 GiB of the inbox');
SELECT make_batch(1, 12, n) FROM generate_series(31, 33) n;
UPDATE consign.batch SET updated_ms = 1 WHERE org = 1 AND batch = b(31);
SELECT pg_temp.inbox(0, 10), pg_temp.inbox(12, 8);
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.blocks(12), 8.0, 'the sandbox''s bound is the nearer one');
SELECT is(pg_temp.blocks(11), 9.0, 'another sandbox has the org''s');
SELECT is(pg_temp.put(12, 31, 'one', 2.5), 0::bigint, 'a file');
SELECT ok(updated_ms > 1, 'is a change of its batch') FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch = b(31);
SELECT is(pg_temp.blocks(12), 5.5, 'its bytes are counted');
SELECT is(pg_temp.put(12, 32, 'small', 0), 0::bigint, 'a small one');
SELECT is(pg_temp.blocks(12), 4.5, 'counts as 64 KiB');
SELECT refuses('SELECT pg_temp.put(12, 32, ''two'', 4.6)', 'CN507', 'more than there is room for is refused');
SELECT is((SELECT count(*) FROM consign.batch_upload WHERE org = 1 AND sandbox = 12 AND batch = b(32)) || ' ' || pg_temp.blocks(12),
    '1 4.5000000000000000', 'and nothing comes of it');
SELECT is(pg_temp.put(12, 32, 'small', 4), 1::bigint, 'one that replaces another');
SELECT is(pg_temp.blocks(12), 1.5, 'counts instead of it');
SELECT is(pg_temp.piece(31, 0, 1), 'entered', 'a piece');
SELECT refuses('SELECT pg_temp.piece(31, 1, 0.1)', 'CN507', 'a piece that does not fit, as 64 KiB');
SELECT is(pg_temp.put(12, 32, 'small', 3), 1::bigint, 'a smaller file makes room');
SELECT is(pg_temp.piece(31, 1, 0.1), 'entered', 'and now the piece fits');
SELECT is(pg_temp.put(12, 31, 'cut', 0.5), 2::bigint, 'a file that comes at once replaces all pieces');
SELECT is(pg_temp.blocks(12), 1.5, 'and counts instead of them');
RESET ROLE;
SELECT pg_temp.inbox(0, 1);
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.put(12, 32, 'small', 2), 1::bigint, 'a smaller file is taken with a quota below what is there');
SELECT refuses('SELECT pg_temp.put(11, 3, ''one'', 1)', 'CN507', 'another is not');
SELECT is(consign.batch_complete(1, 12, b(31)) || consign.batch_abort(1, 12, b(32)), 'processingaborted', 'one is complete, one is given up');
RESET ROLE;
SELECT pg_temp.inbox(0, 10);
SELECT is(pg_temp.blocks(12), 4.5, 'what waits to be loaded counts still, what was given up does not');
SELECT is(pg_temp.blocks(11), 5.5, 'in the org too');
SELECT take(1, 12, 31, 'e'), consign.batch_end(1, 12, b(31), 'success', 0, 0, 0, '[]', NULL);
SELECT is(pg_temp.blocks(12), 8.0, 'nor what was loaded');

-- batches that have not ended, by number; of sandbox 12 there is one, of sandbox 11 two
CREATE FUNCTION pg_temp.open(place integer, first integer, last integer) RETURNS text LANGUAGE sql AS $$
INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
    SELECT 1, place, b(n), d(3), 'ingest', CASE n % 2 WHEN 0 THEN 'loading' ELSE 'processing' END, 0, 0, 'client'
    FROM generate_series(first, last) n;
SELECT 'open' $$;
SELECT results_eq($$SELECT sandbox, count(*) FROM consign.batch WHERE org = 1 AND status IN ('loading', 'processing') GROUP BY 1 ORDER BY 1$$,
    'VALUES (11, 2::bigint), (12, 1::bigint)', 'what has not ended');
SELECT pg_temp.open(12, 100000, 104997);
SELECT is(make_batch(1, 12, 99999, d(3), 'one more', 'body'), b(99999), 'a sandbox opens its 5,000th batch');
SELECT refuses('SELECT make_batch(1, 12, 99998)', 'CN429', 'and no other');
SELECT is(make_batch(1, 12, 99998, d(3), 'one more', 'body'), b(99999), 'a repeated call is answered its batch all the same');
SELECT pg_temp.open(11, 110000, 114996);
SELECT is(make_batch(1, 11, 99998), b(99998), 'another sandbox, until the org has 10,000');
SELECT consign.batch_abort(1, 12, b(99999));
SELECT is(make_batch(1, 12, 99997), b(99997), 'another has the place of one that has ended');
SELECT pg_temp.open(12, 300000, 300000), consign.batch_abort(1, 11, b(99998));
SELECT refuses('SELECT make_batch(1, 11, 99996)', 'CN429', 'in an org with 10,000 a sandbox with less opens none either');
SELECT is(make_batch(2, 21, 99996), b(99996), 'another org does');
SELECT is(pg_temp.blocks(12), 8.0, 'who has a batch can fill it');
SELECT pg_temp.open(11, 200000, 210000);
SELECT is(consign.inbox_room(1, 12), -1::bigint, 'with more than 20,000 there is no room, however little they hold');
SELECT * FROM finish();
ROLLBACK;
