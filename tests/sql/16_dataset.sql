-- dataset_create and its idempotency.
BEGIN;
SELECT plan(10);
CREATE FUNCTION pg_temp.make(n integer, name text DEFAULT 'n', key text DEFAULT NULL, body text DEFAULT NULL, format text DEFAULT 'json')
    RETURNS text LANGUAGE sql AS
$$ SELECT consign.dataset_create(1, 11, tap.d(n), name, NULL, 's', 'json', 'profile', format, 'zstd', NULL, 'client', key, body, NULL) $$;
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.make(77), d(77), 'a dataset');
SELECT is(pg_temp.make(78), d(78), 'another of the same name');
SELECT refuses('SELECT pg_temp.make(77)', '23505', 'an id is used once');
SELECT refuses($$SELECT pg_temp.make(79, '')$$, '23514', 'an empty name');
SELECT refuses($$SELECT pg_temp.make(79, repeat('x', 256))$$, '23514', 'a name of 256 characters');
SELECT refuses($$SELECT pg_temp.make(79, format => 'xml')$$, '23514', 'an unknown format');
SELECT is(pg_temp.make(80, 'n', 'key', 'body') || pg_temp.make(81, 'n', 'key', 'body'), d(80) || d(80), 'the same key and body: the same dataset');
SELECT refuses($$SELECT pg_temp.make(81, 'n', 'key', 'other')$$, 'CN422', 'the same key, another body');
SELECT is((SELECT count(*) FROM consign.dataset WHERE org = 1 AND dataset = d(81)), 0::bigint, 'no second one');
SELECT is(consign.dataset_delete(1, 11, d(80)) || coalesce(pg_temp.make(81, 'n', 'key', 'body'), ' gone'), d(80) || ' gone', 'what the key made is gone');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
