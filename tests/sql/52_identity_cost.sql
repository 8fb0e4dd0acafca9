-- What joining persons reads: their own rows, however much else the sandbox holds; and what it reads to name one
-- identity of a person with many. The planner has no figures of this sandbox, as of any young one, and of the tables
-- those of a vacuum that found them nearly empty and left them their pages, as after a large load that failed.
BEGIN;
SELECT plan(5);
SET LOCAL consign.org = 2;
INSERT INTO consign.identity (org, sandbox, ns, value)
    SELECT 2, 21, 'n', n || repeat('-', 200) FROM generate_series(1, 20000) n;
DELETE FROM consign.identity WHERE org = 2 AND value LIKE '%---';
UPDATE pg_class SET reltuples = 2, relpages = pg_relation_size(oid) / 8192
    WHERE oid IN (SELECT 'consign.identity'::regclass UNION ALL
        SELECT indexrelid FROM pg_index WHERE indrelid = 'consign.identity'::regclass);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_spooler;
CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,
    link_ns text[], link_value text[]) ON COMMIT DROP;
RESET ROLE;
SELECT make_batch(1, 12, n, d(CASE n WHEN 2 THEN 5 ELSE 3 END)) FROM generate_series(1, 4) n \g /dev/null
SELECT consign.batch_complete(1, 12, b(n)) FROM generate_series(1, 4) n \g /dev/null
CREATE FUNCTION pg_temp.read_so_far(store text) RETURNS bigint LANGUAGE sql AS
$$ SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = store::regclass $$;

SET LOCAL ROLE consign_spooler;
SELECT take(1, 12, n, 'a') FROM generate_series(1, 4) n \g /dev/null
INSERT INTO pg_temp.ingest_stage SELECT n, 'n', n::text, NULL, NULL, '{}' FROM generate_series(1, 20000) n;
SELECT consign.batch_load(1, 12, b(1), 'a', 0, 20000, 0, '[]') \g /dev/null
UPDATE pg_temp.ingest_stage SET event_id = 'e', time_ms = 0;
SELECT consign.batch_load(1, 12, b(2), 'a', 0, 20000, 0, '[]') \g /dev/null

TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage
    SELECT n, 'n', n::text, NULL, NULL, '{}', ARRAY['n'], ARRAY[(n + 1000)::text] FROM generate_series(1, 300) n;
SELECT pg_temp.read_so_far('consign.identity') AS identities, pg_temp.read_so_far('consign.profile_fragment') AS fragments,
    pg_temp.read_so_far('consign.profile_event') AS events \gset
SELECT consign.batch_load(1, 12, b(3), 'a', 0, 300, 0, '[]') \g /dev/null
SELECT cmp_ok(pg_temp.read_so_far('consign.identity') - :identities, '<', 5000::bigint, 'of 20,000 identities to join 300 pairs');
SELECT cmp_ok(pg_temp.read_so_far('consign.profile_fragment') - :fragments, '<', 5000::bigint, 'of as many fragments');
SELECT cmp_ok(pg_temp.read_so_far('consign.profile_event') - :events, '<', 5000::bigint, 'of as many events');

TRUNCATE pg_temp.ingest_stage;
INSERT INTO pg_temp.ingest_stage
    SELECT n, 'n', n::text, NULL, NULL, '{}', ARRAY['n'], ARRAY['hub'] FROM generate_series(1, 3000) n;
SELECT consign.batch_load(1, 12, b(4), 'a', 0, 3000, 0, '[]') \g /dev/null
SELECT pg_temp.read_so_far('consign.identity') AS identities \gset
SELECT is((SELECT count(*) FROM (SELECT consign.bare_profile(1, 12, i.person, i.identity)::jsonb AS profile, i.value
    FROM consign.identity i WHERE i.org = 1 AND i.sandbox = 12 AND i.ns = 'n' AND i.value ~ '^2..$' OFFSET 0) b
    WHERE profile = jsonb_build_object('identityMap', jsonb_build_object('n', jsonb_build_array(
        jsonb_build_object('id', value, 'primary', true))))), 100::bigint, 'a hundred of the hub''s');
SELECT cmp_ok(pg_temp.read_so_far('consign.identity') - :identities, '<', 30000::bigint, 'are read one by one');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
