-- Messages: accepted with a queue entry, taken in order within bounds, loaded and told of in a batch of the catalog;
-- the entry stays as long as there is a message.
BEGIN;
SELECT plan(60);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_spooler;
CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,
    link_ns text[], link_value text[]) ON COMMIT DROP;
RESET ROLE;
CREATE FUNCTION pg_temp.put(n integer, bodies text[], VARIADIC schemas text[] DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', p.xaction, p.misfits::text) FROM consign.stream_put(1, 12, tap.d(n), bodies,
    (SELECT array_agg('x:' || i) FROM generate_subscripts(bodies, 1) i), schemas, 'x', NULL, NULL) p $$;
CREATE FUNCTION pg_temp.keyed(n integer, body text, xaction text, digest text) RETURNS text LANGUAGE sql AS
$$ SELECT p.xaction FROM consign.stream_put(1, 12, tap.d(n), ARRAY[body], ARRAY[xaction], NULL, xaction, 'key', digest) p $$;
CREATE FUNCTION pg_temp.bodies(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(body, ' ' ORDER BY number) FROM consign.stream_message WHERE org = 1 AND sandbox = 12 AND dataset = tap.d(n) $$;
CREATE FUNCTION pg_temp.entry(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', kind, task, attempt, attempts) FROM consign.work_queue
   WHERE org = 1 AND sandbox = 12 AND batch = 'stream-' || tap.d(n) $$;
CREATE FUNCTION pg_temp.claim(n integer, attempt text) RETURNS integer LANGUAGE sql AS
$$ SELECT t.attempts FROM consign.work_queue q, LATERAL consign.work_take(1, 12, q.entry, NULL, claim.attempt) t
   WHERE q.org = 1 AND q.sandbox = 12 AND q.batch = 'stream-' || tap.d(n) $$;
CREATE FUNCTION pg_temp.take(n integer, most_rows integer, most_bytes bigint, after bigint DEFAULT 0) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(t.body, ' ') FROM consign.stream_take(1, 12, tap.d(n), after, 9223372036854775807, most_rows, most_bytes) t $$;
CREATE FUNCTION pg_temp.stage(VARIADIC records text[]) RETURNS void LANGUAGE sql AS $$
TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage SELECT n, 'email', split_part(r, ' ', 1), NULL, n, split_part(r, ' ', 2)
FROM unnest(records) WITH ORDINALITY s(r, n) $$;
CREATE FUNCTION pg_temp.load(n integer, batch integer, input integer, failed integer, kept integer, attempt text DEFAULT 'a')
    RETURNS text LANGUAGE sql AS
$$ SELECT consign.stream_load(1, 12, tap.d(n), 'stream-' || tap.d(n), attempt, tap.b(batch), 7, input, failed, 100, 80,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('file', 'x:' || i, 'line', 1, 'byte_offset', 0, 'code', 'c', 'reason', 'r',
        'record', '{')), '[]') FROM generate_series(1, failed) i)::text, kept) $$;
CREATE FUNCTION pg_temp.told(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', status, version, input_records, output_records, failed_records, input_bytes, output_bytes)
   FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch = tap.b(n) $$;
CREATE FUNCTION pg_temp.clock() RETURNS bigint LANGUAGE sql AS
$$ SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12 $$;

-- accepting
SET LOCAL ROLE consign_api;
SELECT refuses($$SELECT pg_temp.put(9, '{a}')$$, 'CN404', 'an unknown dataset');
SELECT refuses($$SELECT pg_temp.put(1, '{a}')$$, 'CN400', 'a union dataset');
SELECT is(pg_temp.put(3, '{a1,a2}'), 'x {}', 'two messages');
SELECT is(pg_temp.bodies(3), 'a1 a2', 'are there, in order');
SELECT is(pg_temp.entry(3), 'ingest stream 0', 'with an entry');
SELECT is(pg_temp.put(3, '{a3}'), 'x {}', 'a third');
SELECT is(pg_temp.bodies(3), 'a1 a2 a3', 'comes behind them');
SELECT is((SELECT count(*) FROM consign.work_queue WHERE org = 1 AND sandbox = 12), 1::bigint, 'and needs no other entry');
SELECT is((SELECT array_agg(concat_ws('=', xaction, bytes) ORDER BY number) FROM consign.stream_message
    WHERE org = 1 AND sandbox = 12), '{x:1=2,x:2=2,x:1=2}', 'they know their xactionId and length');
SELECT is((SELECT created_ms < not_before_ms AND not_before_ms <= created_ms + 1000 FROM consign.work_queue
    WHERE org = 1 AND sandbox = 12), true, 'the entry waits a moment for more');
SELECT is(pg_temp.put(5, '{e1,e2,e3,e4}', 'schema', 'other', NULL, ''), 'x {2,4}', 'those with another schema than the dataset''s');
SELECT is(pg_temp.bodies(5), 'e1 e3', 'are not taken');
SELECT is(pg_temp.put(4, '{f1}', 'other'), 'x {1}', 'where all are such');
SELECT is(pg_temp.entry(4), NULL, 'there is nothing to do');
RESET ROLE;
INSERT INTO consign.registry_schema VALUES (1, 12, s(7), 't', 'profile', '{}', 1, 0, 0, 'c');
UPDATE consign.dataset SET registry_schema = s(7), schema_id = 'https://ns.adobe.com/t/schemas/' || s(7)
    WHERE org = 1 AND sandbox = 12 AND dataset = d(4);
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.put(4, '{f1,f2,f3,f4}', 'https://ns.adobe.com/t/schemas/' || s(7), '_t.schemas.' || s(7), s(7), s(8)), 'x {4}',
    'a registered schema goes by every form of its id');

-- idempotency
SELECT is(pg_temp.keyed(3, 'k1', 'y', 'digest'), 'y', 'a call with a key');
SELECT is(pg_temp.keyed(3, 'k1', 'z', 'digest'), 'y', 'again: the first one counts');
SELECT is(pg_temp.bodies(3), 'a1 a2 a3 k1', 'once');
SELECT refuses($$SELECT pg_temp.keyed(3, 'k2', 'z', 'other')$$, 'CN422', 'the key with another body');
SELECT is(pg_temp.keyed(4, 'k3', 'z', 'other'), 'z', 'another dataset has keys of its own');

-- taking
RESET ROLE;
DELETE FROM consign.stream_message WHERE org = 1 AND sandbox = 12;
SET LOCAL ROLE consign_api;
SELECT pg_temp.put(3, '{a1,a2,a3,a4,a5}') \g /dev/null
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.take(3, 2, 1000), 'a1 a2', 'the oldest, by number');
SELECT is(pg_temp.bodies(3), 'a3 a4 a5', 'and no other one');
SELECT is(pg_temp.take(3, 100, 3), 'a3 a4', 'by bytes: the last one begins within them');
SELECT is(pg_temp.take(3, 100, 1), 'a5', 'one at least');
SELECT is(pg_temp.take(3, 100, 1), NULL, 'then none');
RESET ROLE;
SET LOCAL ROLE consign_api;
SELECT pg_temp.put(3, '{a1,a2,a3}') \g /dev/null
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.take(3, 1, 1000, (SELECT min(number) FROM consign.stream_message WHERE org = 1 AND sandbox = 12)), 'a2',
    'only beyond a number');
SELECT is((SELECT string_agg(t.body, ' ') FROM consign.stream_take(1, 12, d(3), 0,
    (SELECT min(number) FROM consign.stream_message WHERE org = 1 AND sandbox = 12), 9, 1000) t), 'a1', 'and up to one');

-- loading
SELECT pg_temp.stage('x 1', 'y 2') \g /dev/null
SELECT refuses('SELECT pg_temp.load(3, 70, 2, 0, 9)', 'CN410', 'without a claim');
SELECT is(pg_temp.claim(3, 'a'), 1, 'claimed');
SELECT refuses($$SELECT pg_temp.load(3, 70, 2, 0, 9, 'b')$$, 'CN410', 'by another attempt');
SELECT is(pg_temp.load(3, 70, 3, 1, 2), b(70), 'two good ones and a bad one');
SELECT is((SELECT string_agg(body, ' ' ORDER BY body) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12), '1 2', 'are in the store');
SELECT is(pg_temp.told(70), 'success 1 3 2 1 100 80', 'a batch tells it');
SELECT is((SELECT concat_ws(' ', kind, stream, first_stamp_ms = pg_temp.clock(), last_stamp_ms = pg_temp.clock()) FROM consign.batch
    WHERE org = 1 AND sandbox = 12 AND batch = b(70)), 'ingest t t t', 'with the stamp of its records');
SELECT pg_temp.clock() AS before \gset
SELECT pg_temp.stage('x 3') \g /dev/null
SELECT is(pg_temp.load(3, 71, 4, 3, 2), b(70), 'within the quarter of an hour it goes on');
SELECT is(pg_temp.told(70), 'success 2 7 3 4 200 160', 'and adds up');
SELECT is((SELECT first_stamp_ms = :before AND last_stamp_ms = pg_temp.clock() AND pg_temp.clock() > :before FROM consign.batch
    WHERE org = 1 AND sandbox = 12 AND batch = b(70)), true, 'its stamps span both');
SELECT is((SELECT string_agg(concat_ws('=', number, file), ' ' ORDER BY number) FROM consign.batch_error
    WHERE org = 1 AND sandbox = 12 AND batch = b(70)), '0=x:1 1=x:1', 'the first refused ones are kept, and no more than that');
SELECT pg_temp.clock() AS before \gset
TRUNCATE pg_temp.ingest_stage;
SELECT is(pg_temp.load(3, 71, 2, 2, 9), b(70), 'bad ones alone');
SELECT is(pg_temp.clock(), :before::bigint, 'are no load');
SELECT is((SELECT max(number) FROM consign.batch_error WHERE org = 1 AND sandbox = 12), 3, 'they are numbered on');
RESET ROLE;
UPDATE consign.batch SET created_ms = created_ms - 900000 WHERE org = 1 AND sandbox = 12 AND batch = b(70);
SET LOCAL ROLE consign_spooler;
TRUNCATE pg_temp.ingest_stage;
SELECT is(pg_temp.load(3, 71, 1, 1, 9), b(71), 'the next quarter has a batch of its own');
SELECT is((SELECT concat_ws(' ', first_stamp_ms, last_stamp_ms) FROM consign.batch WHERE org = 1 AND sandbox = 12 AND batch = b(71)),
    '', 'which wrote nothing');
RESET ROLE;
SET LOCAL ROLE consign_api;
SELECT refuses($$SELECT consign.batch_complete(1, 12, b(71))$$, 'CN409', 'nobody completes such a batch');
SELECT refuses($$SELECT consign.batch_abort(1, 12, b(71))$$, 'CN409', 'nor aborts it');
SELECT refuses($$SELECT consign.batch_upload(1, 12, b(71), d(3), 'n', gen_random_uuid()::text, 1)$$, 'CN409', 'nor adds to it');

-- one by one
SELECT pg_temp.put(3, '{t1,t2}') \g /dev/null
SET LOCAL ROLE consign_spooler;
CREATE FUNCTION pg_temp.try(attempt text) RETURNS text LANGUAGE sql AS $$ SELECT t.again || ' ' || m.body
    FROM consign.stream_try(1, 12, tap.d(3), 'stream-' || tap.d(3), attempt, 9223372036854775807, 2) t
    JOIN consign.stream_message m ON m.org = 1 AND m.sandbox = 12 AND m.dataset = tap.d(3) AND m.number = t.number $$;
SELECT pg_temp.take(3, 1, 1) \g /dev/null
SELECT is(pg_temp.try('a'), 'false t1', 'the oldest is noted');
SELECT is(pg_temp.try('a'), 'false t1', 'once is no proof');
SELECT is(pg_temp.try('a'), 'true t1', 'and it is known when it failed as often as is allowed');
SELECT is(pg_temp.take(3, 1, 1), 't1', 'when it is gone');
SELECT is(pg_temp.try('a'), 'false t2', 'the next one is new');
SELECT refuses($$SELECT pg_temp.try('b')$$, 'CN410', 'not for another attempt');

-- the end
SELECT refuses($$SELECT consign.stream_end(1, 12, d(3), 'b')$$, 'CN410', 'another attempt ends nothing');
SELECT entry AS before FROM consign.work_queue WHERE org = 1 AND sandbox = 12 AND batch = 'stream-' || d(3) \gset
SELECT is(consign.stream_end(1, 12, d(3), 'a'), true, 'a message is left');
SELECT is(pg_temp.entry(3), 'ingest stream 0', 'the entry is nobody''s, with all attempts before it');
SELECT cmp_ok((SELECT entry FROM consign.work_queue WHERE org = 1 AND sandbox = 12 AND batch = 'stream-' || d(3)), '>', :before::bigint,
    'at the back of the queue');
SELECT pg_temp.claim(3, 'a') \g /dev/null
SELECT is(pg_temp.take(3, 9, 99), 't2', 'the last message');
SELECT is(pg_temp.try('a'), NULL, 'then there is none to try');
SELECT is(consign.stream_end(1, 12, d(3), 'a'), false, 'and none is left');
SELECT is(pg_temp.entry(3), NULL, 'nor an entry');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
