-- entity_policy, entity_fragments, entity_events: what is told, in which order, up to which bounds; and that only the rows
-- asked for are read, however much else a sandbox holds of which the planner knows nothing.
BEGIN;
SELECT plan(34);
SET LOCAL consign.org = 1;
CREATE FUNCTION pg_temp.read_so_far(store text) RETURNS bigint LANGUAGE sql AS
$$ SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = store::regclass $$;
CREATE FUNCTION pg_temp.index_reads(store text) RETURNS bigint LANGUAGE sql AS
$$ SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint FROM pg_index WHERE indrelid = store::regclass $$;
CREATE FUNCTION pg_temp.rules(graph text, VARIADIC datasets text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
SELECT json_build_object('identityGraph', json_build_object('type', graph), 'attributeMerge', CASE WHEN datasets = '{}'
    THEN '{"type":"timestampOrdered"}'::json
    ELSE json_build_object('type', 'dataSetPrecedence', 'order', to_json(datasets)) END)::text $$;

-- persons 100 (identities a b c) and 200 (d, and x of another sandbox); times are not in the order of the names
INSERT INTO consign.identity (org, sandbox, ns, value, identity, person) VALUES
    (1, 12, 'n', 'a', 101, 100), (1, 12, 'n', 'b', 102, 100), (1, 12, 'm', 'c', 103, 100), (1, 12, 'n', 'd', 201, 200),
    (1, 12, 'n', 'link', 202, 200), (1, 11, 'n', 'x', 101, 100);
INSERT INTO consign.profile_fragment (org, sandbox, person, identity, dataset, ingested_ms, body, ingested_seq) VALUES
    (1, 12, 100, 101, d(3), 30, 'a3', 0), (1, 12, 100, 101, d(4), 10, 'a4', 0), (1, 12, 100, 102, d(3), 20, 'b3', 1),
    (1, 12, 100, 102, d(4), 20, 'b4', 0), (1, 12, 100, 103, d(4), 20, 'c4', 1), (1, 12, 200, 201, d(3), 5, 'd3', 0),
    (1, 11, 100, 101, d(3), 1, 'other sandbox', 0);
INSERT INTO consign.profile_event (org, sandbox, person, identity, event_id, dataset, time_ms, ingested_ms, body, ingested_seq) VALUES
    (1, 12, 100, 101, 'e', d(5), 2, 1, 'ae', 0), (1, 12, 100, 102, 'e', d(5), 2, 1, 'be', 0), (1, 12, 100, 101, 'd', d(5), 2, 1, 'ad', 0),
    (1, 12, 100, 103, 'a', d(5), 3, 1, 'ca', 0), (1, 12, 100, 101, 'z', d(5), -1, 1, 'az', 0), (1, 12, 200, 202, 'e', d(5), 1, 1, 'le', 0);
SELECT make_policy(1, 12, 2, rules => pg_temp.rules('pdg')), make_policy(1, 12, 3, rules => pg_temp.rules('none', d(4), d(3))),
    make_policy(1, 12, 4, rules => pg_temp.rules('pdg', d(3))) \g /dev/null

CREATE FUNCTION pg_temp.policy(id text) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', policy, graph, datasets) FROM consign.entity_policy(1, 12, id) $$;
CREATE FUNCTION pg_temp.bodies(policy text, names text, most integer DEFAULT 10, bytes bigint DEFAULT 100) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(CASE WHEN f.body IS NOT NULL THEN f.body WHEN f.fits THEN f.place || ':' ELSE f.place || '!' END, ' ')
FROM consign.entity_fragments(1, 12, policy, names, most, bytes) f $$;
CREATE FUNCTION pg_temp.page(policy text, names text, sign integer DEFAULT 1, after_ms bigint DEFAULT NULL, after_id text DEFAULT NULL,
    skip integer DEFAULT 0, most integer DEFAULT 10, page bigint DEFAULT 100, bytes bigint DEFAULT 100,
    from_ms bigint DEFAULT -9, to_ms bigint DEFAULT 9) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(CASE WHEN e.event_id IS NOT NULL THEN e.body WHEN e.more THEN e.place || '...' ELSE e.place || '.' END, ' ')
FROM consign.entity_events(1, 12, policy, names, from_ms, to_ms, sign, after_ms, after_id, skip, most, page, bytes) e $$;

SET LOCAL ROLE consign_api;
SELECT is(pg_temp.policy(NULL), 'timestampOrdered-none-mp f', 'the built-in policy is the default');
SELECT is(pg_temp.policy('timestampOrdered-none-mp'), 'timestampOrdered-none-mp f', 'and has its name');
SELECT is(pg_temp.policy(p(2)), p(2) || ' t', 'a graph');
SELECT is(pg_temp.policy(p(3)), p(3) || ' f {' || d(4) || ',' || d(3) || '}', 'an order, the strongest first');
SELECT refuses('SELECT consign.entity_policy(1, 12, p(9))', 'CN405', 'one that is not there');
SELECT refuses('SELECT consign.entity_policy(1, 11, p(2))', 'CN405', 'nor in another sandbox');
SELECT replace_policy(1, 12, 4, is_default => true, rules => pg_temp.rules('pdg', d(4))) \g /dev/null
SELECT is(pg_temp.policy(NULL), p(4) || ' t {' || d(4) || '}', 'the newest version of the default');
\set none '''timestampOrdered-none-mp'''
SELECT is(pg_temp.bodies(:none, '[["n","a"]]'), '0: a4 a3', 'of one identity, the oldest first');
SELECT is(pg_temp.bodies(p(2), '[["n","a"]]'), '0: a4 b4 b3 c4 a3', 'of a person, by time and place in the batch, then dataset');
SELECT is(pg_temp.bodies(p(3), '[["n","a"]]'), '0: a3 a4', 'by the order of datasets, the strongest last');
SELECT is(pg_temp.bodies(NULL, '[["m","c"]]'), '0: a4 b4 c4', 'datasets that are not listed take no part');
SELECT is(pg_temp.bodies(NULL, '[["n","d"]]'), NULL, 'so some have no profile');
SELECT is(pg_temp.bodies(:none, '[["n","link"],["n","nobody"],["m","a"],["n","x"]]'), NULL,
    'nor have those without records, of another namespace or sandbox');
SELECT is(pg_temp.bodies(p(2), '[["n","link"],["n","?"],["n","b"]]'), '0: d3 2: a4 b4 b3 c4 a3', 'several, each with its place');
SELECT is(pg_temp.bodies(p(2), '[["n","a"]]', 4), '0!', 'too many are not sent');
SELECT is(pg_temp.bodies(p(2), '[["n","a"]]', 5, 10), '0: a4 b4 b3 c4 a3', 'as many as the bounds are');
SELECT is(pg_temp.bodies(p(2), '[["n","a"],["n","d"]]', 5, 9), '0! 1: d3', 'nor too long ones, and others are');
SELECT refuses($$SELECT pg_temp.bodies(p(2), '[["n","b"],["n","d"]]', 5, 11)$$, 'CN400', 'too long together');
SELECT results_eq($$SELECT policy, identities::jsonb, sources::jsonb, updated_ms FROM consign.entity_fragments(1, 12, p(2), '[["m","c"]]', 9, 99)
    WHERE body IS NULL$$, $$VALUES (p(2), '[{"id":"a","namespace":{"code":"n"}},{"id":"b","namespace":{"code":"n"}},{"id":"c","namespace":{"code":"m"}}]'::jsonb,
    jsonb_build_array(d(3), d(4)), 30::bigint)$$, 'what is told of a person');
SELECT results_eq($$SELECT identities::jsonb, sources::jsonb, updated_ms FROM consign.entity_fragments(1, 12, p(3), '[["m","c"]]', 9, 99)
    WHERE body IS NULL$$, $$VALUES ('[{"id":"c","namespace":{"code":"m"}}]'::jsonb, jsonb_build_array(d(4)), 20::bigint)$$, 'and of an identity');

SELECT is(pg_temp.page(:none, '[["n","a"]]'), 'az ad ae 0.', 'events of one identity, by time, then id');
SELECT is(pg_temp.page(p(2), '[["n","a"]]'), 'az ad ae be ca 0.', 'of a person');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', -1), 'ca ad ae be az 0.', 'the newest first');
SELECT is(pg_temp.page(p(2), '[["n","a"],["n","?"],["n","link"],["n","d"]]', most => 1), 'az 0... le 2. le 3.', 'several');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', 1, 2, 'e', 1, 2), 'be ca 0.', 'behind a cursor');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', -1, 2, 'e', 1, 1), 'be 0...', 'in either order');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', page => 4), 'az ad 0...', 'a page is cut by its length');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', page => 1), 'az 0...', 'one always fits');
SELECT refuses($$SELECT pg_temp.page(p(2), '[["n","a"],["n","a"]]', bytes => 19)$$, 'CN400', 'too long together');
SELECT is(pg_temp.page(p(2), '[["n","a"]]', from_ms => 2, to_ms => 2), 'ad ae be 0.', 'both ends of a time are included');
SELECT is(pg_temp.page(p(2), '[["n","d"]]', from_ms => 2), '0.', 'somebody without events');
RESET ROLE;

-- 40,000 identities, nothing analysed: 20,000 of one person, which has few records
INSERT INTO consign.identity (org, sandbox, ns, value, identity, person)
    SELECT 1, 12, 'big', n::text, 1000000 + n, CASE WHEN n <= 20000 THEN 1000001 ELSE 1000000 + n END FROM generate_series(1, 40000) n;
INSERT INTO consign.profile_fragment (org, sandbox, person, identity, dataset, ingested_ms, body)
    SELECT 1, 12, CASE WHEN n <= 20000 THEN 1000001 ELSE 1000000 + n END, 1000000 + n, d(3), 1, '{}' FROM generate_series(1, 40000, 7) n;
INSERT INTO consign.profile_event (org, sandbox, person, identity, event_id, dataset, time_ms, ingested_ms, body)
    SELECT 1, 12, CASE WHEN n <= 20000 THEN 1000001 ELSE 1000000 + n END, 1000000 + n, 'e', d(5), 1, 1, '{}' FROM generate_series(1, 40000, 7) n;
SELECT (SELECT sum(pg_temp.read_so_far(s) + pg_temp.index_reads(s)) FROM unnest(ARRAY['consign.identity', 'consign.profile_fragment',
    'consign.profile_event']) s) AS so_far \gset
SET LOCAL ROLE consign_api;
SELECT is((SELECT count(*) FROM generate_series(1, 200) n,
        LATERAL consign.entity_fragments(1, 12, CASE WHEN n > 100 THEN p(2) ELSE 'timestampOrdered-none-mp' END,
            format('[["big","%s"]]', CASE WHEN n > 100 THEN 20000 + n * 7 ELSE n * 7 + 1 END), 4096, 1000000)),
    400::bigint, 'two hundred look-ups, half of identities of the large person');
SELECT is((SELECT count(*) FROM generate_series(1, 100) n,
        LATERAL consign.entity_events(1, 12, 'timestampOrdered-none-mp', format('[["big","%s"]]', n * 7 + 1), 0, 9, 1, NULL, NULL, 0, 9, 99, 99)),
    200::bigint, 'and of events');
RESET ROLE;
SELECT cmp_ok((SELECT sum(pg_temp.read_so_far(s) + pg_temp.index_reads(s)) FROM unnest(ARRAY['consign.identity', 'consign.profile_fragment',
    'consign.profile_event']) s) - :so_far, '<', 5000::numeric, 'read only what they asked for');
SELECT * FROM finish();
ROLLBACK;
