-- The schema registry: schemas, descriptors, and datasets that follow a schema.
BEGIN;
SELECT plan(30);
CREATE FUNCTION pg_temp.schema(n integer, class text DEFAULT 'profile', key text DEFAULT NULL, body text DEFAULT NULL,
                               document text DEFAULT '{}', title text DEFAULT 't', sandbox integer DEFAULT 11)
    RETURNS text LANGUAGE sql AS
$$ SELECT schema FROM consign.registry_schema_create(1, sandbox, tap.s(n), title, class, document, 'client', key, body) $$;
CREATE FUNCTION pg_temp.descriptor(n integer, property text, is_primary boolean DEFAULT false, key text DEFAULT NULL,
                                   body text DEFAULT NULL, schema integer DEFAULT 10)
    RETURNS text LANGUAGE sql AS
$$ SELECT descriptor FROM consign.registry_descriptor_create(1, 11, tap.s(n), tap.s(schema), property, 'ns', 'xdm:code',
    is_primary, 'client', key, body) $$;
CREATE FUNCTION pg_temp.dataset(n integer, schema integer, class text DEFAULT NULL, sandbox integer DEFAULT 11,
                                key text DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$ SELECT consign.dataset_create(1, sandbox, tap.d(n), 'n', NULL, 's', 'json', class, 'json', 'zstd', NULL, 'client', key, key,
    tap.s(schema)) $$;
CREATE FUNCTION pg_temp.class(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT class || ' ' || coalesce(registry_schema, '-') FROM consign.dataset WHERE org = 1 AND dataset = tap.d(n) $$;
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;

SELECT is(pg_temp.schema(10), s(10), 'a schema');
SELECT is(pg_temp.schema(11, 'experienceevent'), s(11), 'one of the other class');
SELECT refuses('SELECT pg_temp.schema(10)', '23505', 'a number is used once');
SELECT refuses($$SELECT pg_temp.schema(12, 'profile_union')$$, '23514', 'an unknown class');
SELECT refuses($$SELECT pg_temp.schema(12, title => '')$$, '23514', 'no title');
SELECT is(pg_temp.schema(12, key => 'key', body => 'body') || pg_temp.schema(13, key => 'key', body => 'body'), s(12) || s(12),
          'the same key and body: the same schema');
SELECT refuses($$SELECT pg_temp.schema(13, key => 'key', body => 'other')$$, 'CN422', 'the same key, another body');
SELECT is((SELECT count(*) FROM consign.registry_schema WHERE schema = s(13)), 0::bigint, 'no second one');
SELECT lives_ok($$SELECT pg_temp.schema(14, document => repeat('x', 16777000), sandbox => 12)$$, 'nearly as much as a sandbox may have');
SELECT refuses($$SELECT pg_temp.schema(15, document => repeat('x', 1000), sandbox => 12)$$, 'CN409', 'more than that');
SELECT lives_ok($$SELECT pg_temp.schema(1000 + n, sandbox => 12) FROM generate_series(1, 99) n$$, 'up to 100 more');
SELECT is(pg_temp.schema(16), s(16), 'another sandbox has its own');

SELECT is(pg_temp.descriptor(20, '/a', true), s(20), 'a primary descriptor');
SELECT is(pg_temp.descriptor(21, '/b'), s(21), 'another one');
SELECT refuses($$SELECT pg_temp.descriptor(22, '/b')$$, 'CN409', 'a property has one descriptor');
SELECT refuses($$SELECT pg_temp.descriptor(22, '/c', true)$$, 'CN409', 'a schema has one primary identity');
SELECT is(pg_temp.descriptor(22, '/a', true, schema => 11), s(22), 'another schema has its own');
SELECT refuses($$SELECT pg_temp.descriptor(23, '/c', schema => 99)$$, '23503', 'a schema that is not there');
SELECT is(pg_temp.descriptor(24, '/d', key => 'key', body => 'body') || pg_temp.descriptor(25, '/d', key => 'key', body => 'body'),
          s(24) || s(24), 'the same key and body: the same descriptor');
SELECT refuses($$SELECT pg_temp.descriptor(25, '/d', key => 'key', body => 'other')$$, 'CN422', 'the same key, another body');
SELECT refuses($$SELECT pg_temp.descriptor(26, '/b', key => 'second', body => 'body')$$, 'CN409', 'a key that comes to nothing');
SELECT is(pg_temp.descriptor(26, '/e', key => 'second', body => 'other'), s(26), 'is free again');
SELECT lives_ok($$SELECT pg_temp.descriptor(1000 + n, '/n' || n) FROM generate_series(1, 96) n$$, 'up to 100');
SELECT refuses($$SELECT pg_temp.descriptor(27, '/last')$$, 'CN409', 'and no more');

SELECT is(pg_temp.dataset(77, 10) || ' ' || pg_temp.class(77), d(77) || ' profile ' || s(10), 'a dataset has the class of its schema');
SELECT is(pg_temp.dataset(78, 11, 'profile') || ' ' || pg_temp.class(78), d(78) || ' experienceevent ' || s(11), 'whatever else is said');
SELECT is(pg_temp.dataset(79, NULL, 'profile') || ' ' || pg_temp.class(79), d(79) || ' profile -', 'a base schema is none of the tenant''s');
SELECT refuses('SELECT pg_temp.dataset(80, 99)', 'CN400', 'a schema that is not there');
SELECT refuses('SELECT pg_temp.dataset(80, 10, sandbox => 12)', 'CN400', 'one of another sandbox');
SELECT refuses($$UPDATE consign.registry_schema SET title = 'x'$$, '42501', 'the pool changes no schema');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
