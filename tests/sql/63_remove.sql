-- Removing from the store: a profile, a dataset's records, a batch's records; and what stays.
BEGIN;
SELECT plan(65);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_spooler;
CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,
    link_ns text[], link_value text[]) ON COMMIT DROP;
RESET ROLE;
-- batches 1..9 of dataset 3, 11..19 of dataset 4, 21..29 of the events
SELECT make_batch(1, 12, n, d(3 + n / 10)) FROM generate_series(1, 29) n WHERE n % 10 > 0 \g /dev/null

-- Records are 'primary link link ...' (':event' behind the primary of an event).
CREATE FUNCTION pg_temp.load(n integer, VARIADIC records text[]) RETURNS void LANGUAGE sql AS $$
SELECT consign.batch_complete(1, 12, tap.b(n));
SELECT tap.take(1, 12, n, 'a');
TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage
SELECT n - 1, 'n', split_part(w[1], ':', 1), nullif(split_part(w[1], ':', 2), ''), n, n::text,
       CASE WHEN cardinality(w) > 1 THEN array_fill('n'::text, ARRAY[cardinality(w) - 1]) END,
       CASE WHEN cardinality(w) > 1 THEN w[2:] END
FROM unnest(records) WITH ORDINALITY r(record, n), string_to_array(record, ' ') w;
SELECT consign.batch_load(1, 12, tap.b(n), 'a', 0, cardinality(records), 0, '[]') $$;
-- 'a b | c': the persons of the sandbox by their identities
CREATE FUNCTION pg_temp.persons() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(of, ' | ' ORDER BY of) FROM (SELECT string_agg(value, ' ' ORDER BY value) AS of
    FROM consign.identity WHERE org = 1 AND sandbox = 12 GROUP BY person) p $$;
-- 'a3 c5:e': what is stored, by primary identity and dataset
CREATE FUNCTION pg_temp.stored() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(of, ' ' ORDER BY of) FROM (
    SELECT i.value || right(f.dataset, 1) AS of FROM consign.profile_fragment f JOIN consign.identity i USING (org, sandbox, identity)
        WHERE f.org = 1 AND f.sandbox = 12
    UNION ALL SELECT i.value || right(e.dataset, 1) || ':' || e.event_id
        FROM consign.profile_event e JOIN consign.identity i USING (org, sandbox, identity)
        WHERE e.org = 1 AND e.sandbox = 12) s $$;
-- the identities that the sandbox says it has, and those that it has
CREATE FUNCTION pg_temp.figures() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', identities, (SELECT count(*) FROM consign.identity i WHERE i.org = 1 AND i.sandbox = 12))
FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12 $$;
-- does job p(n) as a worker does
CREATE FUNCTION pg_temp.run(n integer) RETURNS bigint LANGUAGE sql AS $$
SELECT t.attempts FROM consign.work_queue q, LATERAL consign.work_take(1, 12, q.entry, NULL, 'a') t
    WHERE q.org = 1 AND q.sandbox = 12 AND q.batch = 'delete-' || tap.p(n);
SELECT consign.system_job_start(1, 12, 'delete-' || tap.p(n), 'a');
SELECT consign.system_job_run(1, 12, 'delete-' || tap.p(n), 'a') $$;
CREATE FUNCTION pg_temp.make(n integer, dataset integer DEFAULT NULL, batch integer DEFAULT NULL, key text DEFAULT NULL, body text DEFAULT NULL)
    RETURNS text LANGUAGE sql AS
$$ SELECT job FROM consign.system_job_create(1, 12, tap.p(n), tap.d(dataset), tap.b(batch), 'client', key, body) $$;
CREATE FUNCTION pg_temp.remove(name text, n integer) RETURNS text LANGUAGE sql AS
$$ SELECT consign.entity_remove(1, 12, 'n', name, tap.p(n), 'client') $$;
CREATE FUNCTION pg_temp.job(n integer) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', what, status, removed, ns, value, (SELECT 'queued' FROM consign.work_queue q
    WHERE q.org = 1 AND q.sandbox = 12 AND q.batch = 'delete-' || j.job))
FROM consign.system_job j WHERE j.org = 1 AND j.sandbox = 12 AND j.job = tap.p(n) $$;

-- a profile, at once
SELECT refuses($$SELECT pg_temp.remove('a', 101)$$, 'CN404', 'a sandbox that never held anything');
SELECT pg_temp.load(1, 'a b', 'c', 'd') \g /dev/null
SELECT pg_temp.load(11, 'b', 'c') \g /dev/null
SELECT pg_temp.load(21, 'a:1', 'b:2', 'd:1', 'e:1') \g /dev/null
SELECT is(pg_temp.stored(), 'a3 a5:1 b4 b5:2 c3 c4 d3 d5:1 e5:1', 'three datasets');
SELECT last_ms AS watermark FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12 \gset
SET LOCAL ROLE consign_api;
SELECT refuses($$SELECT pg_temp.remove('x', 101)$$, 'CN404', 'an unknown identity');
SELECT refuses($$SELECT consign.entity_remove(1, 12, 'other', 'a', tap.p(101), 'client')$$, 'CN404', 'of another namespace');
SELECT is(pg_temp.remove('b', 102), 'done', 'by an identity that a record only linked');
SELECT is(pg_temp.stored(), 'c3 c4 d3 d5:1 e5:1', 'the whole person is gone, its events too');
SELECT is(pg_temp.persons(), 'c | d | e', 'with its identities');
SELECT is(pg_temp.figures(), '3 3', 'which are not counted any more');
SELECT is(pg_temp.job(102), 'profile COMPLETED 4 n', 'the job tells how many records, and not whose');
SELECT refuses($$SELECT pg_temp.remove('a', 103)$$, 'CN404', 'it is unknown from then on');
SELECT is(pg_temp.job(103), NULL, 'and no job is left of a refusal');
SELECT is((SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12), :watermark::bigint, 'the watermark stays');
RESET ROLE;
SELECT pg_temp.load(2, 'b') \g /dev/null
SELECT is(pg_temp.persons(), 'b | c | d | e', 'a record that comes later is a new profile, without the old links');
SELECT is(pg_temp.figures(), '4 4', 'counted');
SELECT is((SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND person NOT IN (
    SELECT identity FROM consign.identity WHERE org = 1 AND sandbox = 12)), 0::bigint, 'a person is named after one of its identities');

-- a profile, behind what was accepted before
SELECT consign.batch_complete(1, 12, b(3)) \g /dev/null
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.remove('b', 104), 'queued', 'while a batch waits');
SELECT is(pg_temp.job(104), 'profile NEW n b queued', 'the job waits too');
SELECT is(pg_temp.persons(), 'b | c | d | e', 'nothing is removed yet');
SELECT is(pg_temp.remove('b', 105), 'queued', 'asked for twice');
RESET ROLE;
SELECT is((SELECT string_agg(right(batch, 1) || task, ' ' ORDER BY entry) FROM consign.work_queue WHERE org = 1 AND sandbox = 12),
    '3batch 8delete 9delete', 'in the order in which they were accepted');
SELECT take(1, 12, 3, 'a') \g /dev/null
TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage VALUES (0, 'n', 'b', NULL, NULL, '{}', '{n}', '{c}');
SET LOCAL ROLE consign_spooler;
SELECT consign.batch_load(1, 12, b(3), 'a', 0, 1, 0, '[]') \g /dev/null
SELECT is(pg_temp.persons(), 'b c | d | e', 'the batch links it to another');
SELECT is(pg_temp.run(104), 3::bigint, 'the person is removed as it is by then');
SELECT is(pg_temp.persons(), 'd | e', 'whole');
SELECT is(pg_temp.job(104), 'profile COMPLETED 3 n', 'the value is forgotten');
SELECT is(pg_temp.run(105), 0::bigint, 'the second finds nothing');
SELECT is(pg_temp.job(105), 'profile COMPLETED 0 n', 'and is done');
RESET ROLE;

-- a large one is not waited for
SELECT pg_temp.load(4, VARIADIC (SELECT array_agg('hub l' || n) FROM generate_series(1, 5000) n)) \g /dev/null
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.remove('l77', 106), 'queued', 'of 5,001 identities');
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.run(106), 1::bigint, 'it is removed by a worker');
SELECT is(pg_temp.figures(), '2 2', 'with all of them');
RESET ROLE;

-- a dataset's records
SELECT pg_temp.load(5, 'f', 'g h') \g /dev/null
SELECT pg_temp.load(12, 'd', 'g') \g /dev/null
SELECT pg_temp.load(22, 'h:1') \g /dev/null
INSERT INTO consign.observed_schema VALUES (1, 12, d(3), '{}', 0), (1, 12, d(4), '{}', 0);
SELECT is(pg_temp.stored(), 'd3 d4 d5:1 e5:1 f3 g3 g4 h5:1', 'what there is');
SET LOCAL ROLE consign_api;
SELECT refuses('SELECT pg_temp.make(107, 99)', 'CN404', 'an unknown dataset');
SELECT refuses('SELECT pg_temp.make(107, 1)', 'CN400', 'a dataset that is exported into');
SELECT is(pg_temp.make(107, 3, NULL, 'key', 'body'), p(107), 'a job');
SELECT is(pg_temp.make(108, 3, NULL, 'key', 'body'), p(107), 'the same key and body: the same job');
SELECT refuses($$SELECT pg_temp.make(108, 4, NULL, 'key', 'other')$$, 'CN422', 'the same key, another body');
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.run(107), 3::bigint, 'its three records');
SELECT is(pg_temp.stored(), 'd4 d5:1 e5:1 g4 h5:1', 'are removed and no others');
SELECT is(pg_temp.persons(), 'd | e | g h', 'with the one person that holds nothing any more; links stay');
SELECT is(pg_temp.figures(), '4 4', 'the count is exact');
SELECT is((SELECT string_agg(right(dataset, 1), '') FROM consign.observed_schema WHERE org = 1 AND sandbox = 12), '4', 'and its observed schema');
SELECT is(pg_temp.job(107), 'dataset COMPLETED 3', 'it is done');
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.make(109, 5), p(109), 'the events'' dataset');
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.run(109), 3::bigint, 'its events');
SELECT is(pg_temp.stored() || ', ' || pg_temp.persons(), 'd4 g4, d | g h', 'and who had nothing else');
RESET ROLE;

-- a batch's records
SELECT pg_temp.load(13, 'd', 'i', 'j') \g /dev/null
SELECT pg_temp.load(14, 'j', 'k') \g /dev/null
SET LOCAL ROLE consign_api;
SELECT refuses('SELECT pg_temp.make(110, NULL, 99)', 'CN404', 'an unknown batch');
SELECT refuses('SELECT pg_temp.make(110, NULL, 6)', 'CN409', 'one that was not loaded');
SELECT is(pg_temp.make(110, NULL, 13), p(110), 'one that was');
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.run(110), 2::bigint, 'what is left of it');
SELECT is(pg_temp.stored(), 'g4 j4 k4', 'what it replaced does not come back, what replaced it stays');
SELECT is(pg_temp.persons(), 'g h | j | k', 'and whom it left without a record');
SELECT is(pg_temp.figures(), '4 4', 'counted');
RESET ROLE;
-- batch 15 takes messages: its range covers batch 14, whose time is its own
UPDATE consign.batch SET stream = true, status = 'success', first_stamp_ms = (SELECT first_stamp_ms - 1 FROM consign.batch
        WHERE org = 1 AND sandbox = 12 AND batch = b(14)), last_stamp_ms = 9e12
    WHERE org = 1 AND sandbox = 12 AND batch = b(15);
UPDATE consign.profile_fragment SET ingested_ms = ingested_ms + 1000
    WHERE org = 1 AND sandbox = 12 AND identity = (SELECT identity FROM consign.identity WHERE org = 1 AND sandbox = 12 AND value = 'k');
SELECT is(pg_temp.make(111, NULL, 15), p(111), 'a batch of messages');
SELECT is(pg_temp.run(111), 1::bigint, 'has a range of times');
SELECT is(pg_temp.stored(), 'g4 j4', 'less those of batches within it');
UPDATE consign.batch SET first_stamp_ms = NULL WHERE org = 1 AND sandbox = 12 AND batch = b(14);
SELECT refuses('SELECT pg_temp.make(112, NULL, 14)', 'CN409', 'a batch from before times were kept');

-- the ends that are none
SELECT is(pg_temp.make(113, 4), p(113), 'a job');
SELECT refuses('SELECT consign.system_job_run(1, 12, ''delete-'' || p(113), ''a'')', 'CN410', 'is its attempt''s alone');
SELECT is((SELECT attempts FROM consign.work_queue q, LATERAL consign.work_take(1, 12, q.entry, NULL, 'a') t(a1, a2, a3, a4, a5, a6, a7, done)
    WHERE q.org = 1 AND q.sandbox = 12 AND q.batch = 'delete-' || p(113)), 0, 'claimed');
UPDATE consign.work_queue SET attempts = 7 WHERE org = 1 AND sandbox = 12 AND batch = 'delete-' || p(113);
SELECT is(consign.system_job_start(1, 12, 'delete-' || p(113), 'a'), 1, 'attempts at loading what came before don''t count');
UPDATE consign.work_queue SET attempts = 2 WHERE org = 1 AND sandbox = 12 AND batch = 'delete-' || p(113);
SELECT is(consign.system_job_start(1, 12, 'delete-' || p(113), 'a'), 2, 'those at removing do');
SELECT is(pg_temp.job(113), 'dataset PROCESSING queued', 'which is under way');
SELECT consign.system_job_fail(1, 12, 'delete-' || p(113), 'a') \g /dev/null
SELECT is(pg_temp.job(113) || ' ' || pg_temp.stored(), 'dataset ERROR g4 j4', 'given up: nothing is removed');
SELECT is((SELECT count(*) FROM pg_class WHERE relname LIKE 'remove\_%' AND relnamespace = pg_my_temp_schema()), 0::bigint,
    'no temporary table is left');

-- what the removal of a profile reads: its own rows, though nothing is known of the sandbox's size
SELECT pg_temp.load(16, VARIADIC (SELECT array_agg('r' || n) FROM generate_series(1, 20000) n)) \g /dev/null
SELECT pg_temp.load(24, VARIADIC (SELECT array_agg('r' || n || ':e') FROM generate_series(1, 20000) n)) \g /dev/null
CREATE FUNCTION pg_temp.read_so_far() RETURNS numeric LANGUAGE sql AS
$$ SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
    WHERE relid IN ('consign.identity'::regclass, 'consign.profile_fragment'::regclass, 'consign.profile_event'::regclass) $$;
SELECT pg_temp.read_so_far() AS before \gset
SELECT is(string_agg(pg_temp.remove('r' || n, 1000 + n), ' '), repeat('done ', 9) || 'done', 'ten of 20,000 profiles')
    FROM generate_series(1000, 10000, 1000) n;
SELECT cmp_ok(pg_temp.read_so_far() - :before, '<', 200::numeric, 'are removed by look-ups');
SELECT * FROM finish();
ROLLBACK;
