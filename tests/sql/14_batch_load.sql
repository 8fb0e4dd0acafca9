-- batch_load: what is staged comes into the profile store, whole, newest wins, under one growing stamp.
BEGIN;
SELECT plan(28);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_spooler;
CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,
    link_ns text[], link_value text[]) ON COMMIT DROP;
RESET ROLE;
SELECT make_batch(1, 12, n, d(dataset)) FROM (VALUES (1, 3), (2, 3), (3, 4), (4, 5), (5, 5), (6, 3)) v(n, dataset) \g /dev/null
SELECT consign.batch_complete(1, 12, b(n)) FROM generate_series(1, 6) n \g /dev/null

CREATE FUNCTION pg_temp.stage(VARIADIC records text[]) RETURNS void LANGUAGE sql AS $$
TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage SELECT n, 'email', split_part(r, ' ', 1), nullif(split_part(r, ' ', 3), ''), n, split_part(r, ' ', 2)
FROM unnest(records) WITH ORDINALITY s(r, n) $$;
CREATE FUNCTION pg_temp.load(n integer) RETURNS void LANGUAGE sql AS
$$ SELECT consign.batch_load(1, 12, tap.b(n), 'a', 7, 5, 1, '[{"file":"f","line":1,"byte_offset":0,"code":"c","reason":"r","record":"{"}]') $$;
CREATE FUNCTION pg_temp.clock() RETURNS bigint LANGUAGE sql AS
$$ SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12 $$;
CREATE FUNCTION pg_temp.fragments(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(i.value || '=' || f.body, ' ' ORDER BY i.value) FROM consign.profile_fragment f
   JOIN consign.identity i USING (org, sandbox, identity) WHERE f.org = 1 AND f.sandbox = 12 AND f.dataset = tap.d(n) $$;
CREATE FUNCTION pg_temp.events() RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat_ws('/', i.value, e.event_id, e.body, e.time_ms), ' ' ORDER BY i.value, e.event_id)
   FROM consign.profile_event e JOIN consign.identity i USING (org, sandbox, identity) WHERE e.org = 1 AND e.sandbox = 12 $$;

SET LOCAL ROLE consign_spooler;
SELECT refuses('SELECT pg_temp.load(1)', 'CN410', 'load without a claim');
SELECT is((SELECT array_agg(take(1, 12, n, 'a')) FROM generate_series(1, 6) n), '{1,1,1,1,1,1}', 'claimed');
SELECT refuses($$SELECT consign.batch_load(1, 12, b(1), 'b', 0, 0, 0, '[]')$$, 'CN410', 'load by another attempt');

SELECT pg_temp.stage('x 1', 'y 2', 'x 3') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(1)', 'a first batch');
SELECT is(pg_temp.fragments(3), 'x=3 y=2', 'of two records of one identity the later one stays');
SELECT results_eq('SELECT status, started_ms, input_records, output_records, failed_records FROM consign.batch
    WHERE org = 1 AND sandbox = 12 AND batch = b(1)',
    $$VALUES ('success', 7::bigint, 5::bigint, 4::bigint, 1::bigint)$$, 'the batch has its figures');
SELECT is((SELECT count(*) FROM consign.batch_error WHERE org = 1 AND sandbox = 12 AND batch = b(1)), 1::bigint, 'and its refused records');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND batch = b(1) AND sandbox = 12), 0::bigint, 'the entry is gone');
SELECT refuses('SELECT pg_temp.load(1)', 'CN410', 'load twice');
SELECT is((SELECT array_agg(DISTINCT ingested_ms) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12),
    ARRAY[pg_temp.clock()], 'all its rows have the clock''s time');

SELECT pg_temp.clock() AS before \gset
SELECT pg_temp.stage('x 4', 'z 5') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(2)', 'a second batch of the dataset, in the same millisecond perhaps');
SELECT is(pg_temp.fragments(3), 'x=4 y=2 z=5', 'replaces what it names and nothing else');
SELECT cmp_ok(pg_temp.clock(), '>', :before::bigint, 'the clock went on');
SELECT is((SELECT count(*) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12 AND ingested_ms = :before),
    1::bigint, 'what it did not name keeps its time');

SELECT pg_temp.stage('x 6') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(3)', 'a batch of another dataset');
SELECT is(pg_temp.fragments(3) || ' + ' || pg_temp.fragments(4), 'x=4 y=2 z=5 + x=6', 'is a fragment beside, of the same identity');
SELECT is((SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 12), 3::bigint, 'an identity is one row');
SELECT is((SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND identity <> person), 0::bigint, 'and a person of its own');

SELECT pg_temp.stage('x 1 e1', 'x 2 e2', 'x 3 e1', 'w 4 e1') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(4)', 'events');
SELECT is(pg_temp.events(), 'w/e1/4/4 x/e1/3/3 x/e2/2/2', 'one row an identity and event id, the later one stays');
SELECT pg_temp.stage('x 9 e2', 'x 8 e3') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(5)', 'events again');
SELECT is(pg_temp.events(), 'w/e1/4/4 x/e1/3/3 x/e2/9/1 x/e3/8/2', 'a repeated event is replaced with its time');
SELECT is((SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM consign.profile_event
    WHERE org = 1 AND sandbox = 12 AND ingested_ms = pg_temp.clock()), 'e2 e3', 'under the new stamp');

-- a clock that stands or goes back does not take the stamps with it
RESET ROLE;
UPDATE consign.ingest_clock SET last_ms = 9000000000000 WHERE org = 1 AND sandbox = 12;
SET LOCAL ROLE consign_spooler;
SELECT pg_temp.stage('x 7', NULL) \g /dev/null
SELECT refuses('SELECT pg_temp.load(6)', '23502', 'a record that the store refuses');
SELECT is(pg_temp.fragments(3) || pg_temp.clock(), 'x=4 y=2 z=59000000000000', 'nothing of the batch came in, not even a stamp');
SELECT is((SELECT status FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch = b(6)), 'processing', 'it is still to be done');
SELECT pg_temp.stage('x 7') \g /dev/null
SELECT lives_ok('SELECT pg_temp.load(6)', 'loaded without that record');
SELECT is(pg_temp.clock(), 9000000000001, 'the stamp is the last one and 1, though the time of day is earlier');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
