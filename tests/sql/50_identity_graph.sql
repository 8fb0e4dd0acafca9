-- batch_load and the identity graph: linked identities are one person, with everything stored under them.
BEGIN;
SELECT plan(43);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_spooler;
CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,
    link_ns text[], link_value text[]) ON COMMIT DROP;
RESET ROLE;
SELECT make_batch(1, 12, n, d(CASE WHEN n % 10 = 0 THEN 5 WHEN n % 10 = 9 THEN 4 ELSE 3 END)) FROM generate_series(1, 40) n \g /dev/null
SELECT consign.batch_complete(1, 12, b(n)) FROM generate_series(1, 40) n \g /dev/null

-- Records are 'primary link link ...' (':event' behind the primary of an event), their bodies the position.
CREATE FUNCTION pg_temp.stage(VARIADIC records text[]) RETURNS void LANGUAGE sql AS $$
TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage
SELECT n - 1, 'n', split_part(w[1], ':', 1), nullif(split_part(w[1], ':', 2), ''), n, n::text,
       CASE WHEN cardinality(w) > 1 THEN array_fill('n'::text, ARRAY[cardinality(w) - 1]) END,
       CASE WHEN cardinality(w) > 1 THEN w[2:] END
FROM unnest(records) WITH ORDINALITY r(record, n), string_to_array(record, ' ') w $$;
CREATE FUNCTION pg_temp.load(n integer, VARIADIC records text[]) RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.stage(VARIADIC records);
SELECT consign.batch_load(1, 12, tap.b(n), 'a', 0, 1, 0, '[]') $$;
-- 'a b | c': the persons of the sandbox by their identities
CREATE FUNCTION pg_temp.persons() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(of, ' | ' ORDER BY of) FROM (SELECT string_agg(value, ' ' ORDER BY value) AS of
    FROM consign.identity WHERE org = 1 AND sandbox = 12 GROUP BY person) p $$;
CREATE FUNCTION pg_temp.person(name text) RETURNS bigint LANGUAGE sql AS
$$ SELECT person FROM consign.identity WHERE org = 1 AND sandbox = 12 AND ns = 'n' AND value = name $$;
-- how many stored rows are not under the person of their identity
CREATE FUNCTION pg_temp.astray() RETURNS bigint LANGUAGE sql SET enable_nestloop = off AS $$
SELECT count(*) FROM (SELECT org, sandbox, person, identity FROM consign.profile_fragment
    UNION ALL SELECT org, sandbox, person, identity FROM consign.profile_event) f
WHERE f.org = 1 AND f.sandbox = 12 AND NOT EXISTS (SELECT FROM consign.identity i
    WHERE i.org = f.org AND i.sandbox = f.sandbox AND i.identity = f.identity AND i.person = f.person) $$;
CREATE FUNCTION pg_temp.figures() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', identities, (SELECT count(*) FROM consign.identity i WHERE i.org = 1 AND i.sandbox = 12))
FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12 $$;

SET LOCAL ROLE consign_spooler;
SELECT is((SELECT count(*) FROM (SELECT take(1, 12, n, 'a') FROM generate_series(1, 40) n) taken), 40::bigint, 'claimed');

SELECT pg_temp.load(1, 'a', 'b', 'c', 'd') \g /dev/null
SELECT is(pg_temp.persons(), 'a | b | c | d', 'records of one identity each link nothing');
SELECT is(pg_temp.figures(), '4 4', 'and their identities are counted');
SELECT pg_temp.load(2, 'a b') \g /dev/null
SELECT is(pg_temp.persons(), 'a b | c | d', 'a record links two persons that were there');
SELECT is((SELECT count(DISTINCT person) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12), 3::bigint,
    'their fragments are of one person');
SELECT is(pg_temp.astray(), 0::bigint, 'the person of their identities');
SELECT is((SELECT string_agg(body, ' ' ORDER BY ingested_ms, ingested_seq) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12),
    '2 3 4 1', 'none was lost, and only the one that was sent again changed');
SELECT pg_temp.load(3, 'c d a') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d', 'one record joins three');
SELECT is(pg_temp.astray(), 0::bigint, 'with their fragments');
SELECT is(pg_temp.figures(), '4 4', 'nothing new to count');
SELECT is(pg_temp.person('c'), pg_temp.person('a'), 'the larger person keeps its name');

SELECT pg_temp.load(4, 'e f g', 'h i', 'j') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d | e f g | h i | j', 'new identities that come linked');
SELECT is(pg_temp.figures(), '10 10', 'those that are nobody''s primary are counted too');
SELECT pg_temp.load(5, 'e', 'h x') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d | e f g | h i x | j', 'a record that no longer names its links keeps them');
SELECT is((SELECT count(*) FROM consign.profile_fragment f JOIN consign.identity i USING (org, sandbox, identity)
    WHERE f.org = 1 AND f.sandbox = 12 AND i.value = 'e'), 1::bigint, 'it is replaced all the same');
SELECT pg_temp.load(6, 'j j', 'j j j') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d | e f g | h i x | j', 'an identity twice in a record');
SELECT is(pg_temp.figures(), '11 11', 'counted once');

-- events
SELECT pg_temp.load(10, 'j:1', 'j:2', 'x:1', 'y:1 z') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d | e f g | h i x | j | y z', 'events link as well');
SELECT pg_temp.load(20, 'j:3 y') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d | e f g | h i x | j y z', 'an event joins two persons');
SELECT is(pg_temp.astray(), 0::bigint, 'events move along');
SELECT is((SELECT string_agg(concat_ws(' ', i.value, e.event_id, e.body), ', ' ORDER BY i.value, e.event_id)
    FROM consign.profile_event e JOIN consign.identity i USING (org, sandbox, identity) WHERE e.org = 1 AND e.sandbox = 12),
    'j 1 1, j 2 2, j 3 1, x 1 3, y 1 4', 'all of them');
SELECT pg_temp.load(30, 'z:1', 'j:2') \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', i.value, e.event_id, e.body), ', ' ORDER BY i.value, e.event_id)
    FROM consign.profile_event e JOIN consign.identity i USING (org, sandbox, identity) WHERE e.org = 1 AND e.sandbox = 12),
    'j 1 1, j 2 2, j 3 1, x 1 3, y 1 4, z 1 1', 'a repeated one is replaced after it moved');

-- one batch that links over several records and persons, in no good order
SELECT pg_temp.load(7, 'p4 p5', 'p2 p3', 'a p1', 'p3 p4', 'j', 'p5 e', 'p1 p2') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d e f g p1 p2 p3 p4 p5 | h i x | j y z', 'a chain through new and old ones');
SELECT is(pg_temp.astray(), 0::bigint, 'with all rows');
SELECT pg_temp.load(9, 'h', 'a') \g /dev/null
SELECT is((SELECT count(*) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12 AND dataset = d(4)), 2::bigint, 'another dataset');
SELECT pg_temp.load(19, 'j h a') \g /dev/null
SELECT is(pg_temp.persons(), 'a b c d e f g h i j p1 p2 p3 p4 p5 x y z', 'everything');
SELECT is(pg_temp.astray(), 0::bigint, 'in one place');
SELECT is((SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND person NOT IN (
    SELECT identity FROM consign.identity WHERE org = 1 AND sandbox = 12)), 0::bigint, 'a person is named after one of its identities');
SELECT pg_temp.stage('q r', NULL) \g /dev/null
SELECT refuses('SELECT consign.batch_load(1, 12, b(8), ''a'', 0, 1, 0, ''[]'')', '23502', 'a record that the store refuses');
SELECT is(pg_temp.figures(), '18 18', 'leaves no identity behind');

-- which one keeps its name: the number of identities decides, far above the first look
SELECT pg_temp.load(8, VARIADIC (SELECT array_agg('small s' || n) FROM generate_series(1, 99) n)) \g /dev/null
SELECT pg_temp.load(11, VARIADIC (SELECT array_agg('large l' || n) FROM generate_series(1, 150) n)) \g /dev/null
SELECT pg_temp.person('large') AS large \gset
SELECT pg_temp.load(12, 'small large') \g /dev/null
SELECT is(pg_temp.person('s7'), :large::bigint, 'of 100 and 151 identities the 151 stay');
SELECT pg_temp.load(13, 'new1 new2 large', 'new3 small') \g /dev/null
SELECT is(pg_temp.person('new2'), :large::bigint, 'new ones come to those that are there');
SELECT pg_temp.load(14, 't1 t2', 'u1 u2') \g /dev/null
SELECT pg_temp.load(15, 'u2 t1') \g /dev/null
SELECT is((SELECT array_agg(DISTINCT person) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND value ~ '^[tu]'),
    ARRAY[(SELECT min(identity) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND value ~ '^[tu]' AND identity = person)],
    'equal ones: the older');

-- a long chain in one batch, against the order of the numbers and with it
SELECT pg_temp.load(16, VARIADIC (SELECT array_agg('c' || n || ' c' || n + 1 ORDER BY hashint4(n)) FROM generate_series(1, 10000) n)) \g /dev/null
SELECT is((SELECT count(*) || ' ' || count(DISTINCT person) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND value ~ '^c[0-9]'),
    '10001 1', 'a chain of 10,000 links is one person');
SELECT is(pg_temp.astray(), 0::bigint, 'with all fragments');
SELECT pg_temp.load(17, VARIADIC (SELECT array_agg('k' || n ORDER BY n) FROM generate_series(1, 3000) n)) \g /dev/null
SELECT pg_temp.load(18, VARIADIC (SELECT array_agg('k' || n || ' k' || n + 1 ORDER BY n DESC) FROM generate_series(1, 2999) n)) \g /dev/null
SELECT is((SELECT count(*) || ' ' || count(DISTINCT person) FROM consign.identity WHERE org = 1 AND sandbox = 12 AND value ~ '^k'),
    '3000 1', 'so are 3,000 persons that were there');
SELECT is(pg_temp.astray(), 0::bigint, 'with all fragments');
SELECT is((SELECT identities FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12),
    (SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 12), 'the count is still exact');

-- equal identities of other tenants are others
SELECT is((SELECT count(*) FROM pg_class WHERE relname LIKE 'link\_%' AND relnamespace = pg_my_temp_schema()), 0::bigint,
    'no temporary table is left');
RESET ROLE;
SELECT make_batch(1, 11, 90) \g /dev/null
SELECT consign.batch_complete(1, 11, b(90)) \g /dev/null
SET LOCAL ROLE consign_spooler;
SELECT is(take(1, 11, 90, 'a'), 1, 'a batch of another sandbox');
SELECT pg_temp.stage('a h', 'h new9') \g /dev/null
SELECT lives_ok($$SELECT consign.batch_load(1, 11, b(90), 'a', 0, 1, 0, '[]')$$, 'with identities of the same names');
SELECT is((SELECT count(DISTINCT person) FROM consign.identity WHERE org = 1 AND value IN ('a', 'h')), 2::bigint, 'is another person');
SELECT is((SELECT count(*) FROM consign.identity WHERE org = 1 AND sandbox = 11 AND ns = 'n' AND person IN (
    SELECT person FROM consign.identity WHERE org = 1 AND sandbox = 12)), 0::bigint, 'shares no number');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
