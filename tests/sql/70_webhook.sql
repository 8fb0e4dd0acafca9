-- Webhooks: which endpoint a job names, the event that its end enters, claims in turn, what an attempt comes to, and the end
-- of what nobody took.
BEGIN;
SELECT plan(95);
DELETE FROM consign.webhook_event;
DELETE FROM consign.webhook WHERE org = 2;
CREATE FUNCTION pg_temp.endpoint(o integer, s integer, n text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO consign.webhook (org, sandbox, name, url, secret) VALUES (o, s, n, 'https://hooks.example/' || n, decode(repeat('cc', 32), 'hex')) $$;
SELECT pg_temp.endpoint(1, 12, n) FROM unnest(ARRAY['one', 'two']) n;
SELECT pg_temp.endpoint(2, 21, 'theirs');
-- a job of sandbox 12 that names an endpoint, or none; answers the one it got
CREATE FUNCTION pg_temp.job(n integer, hook text DEFAULT NULL, dataset text DEFAULT d(1)) RETURNS text LANGUAGE sql AS
$$ SELECT webhook FROM consign.job_create(1, 12, n, b(n), consign.now_ms(), dataset, 'timestampOrdered-none-mp', 0, NULL, NULL, NULL,
    NULL, 'ups', 'request-' || n, 'client', NULL, NULL, hook) $$;
CREATE FUNCTION pg_temp.told(n integer) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT concat_ws(' ', webhook, body::json->>'type') FROM consign.webhook_event
    WHERE org = 1 AND (body::json->'job'->>'id')::int = n ORDER BY created_ms, body::json->>'type' DESC $$;
CREATE FUNCTION pg_temp.body(n integer) RETURNS json LANGUAGE sql AS
$$ SELECT body::json FROM consign.webhook_event WHERE org = 1 AND (body::json->'job'->>'id')::int = n $$;
SET LOCAL consign.org = 1;

-- names
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.job(1), NULL, 'a job without one');
SELECT is(pg_temp.job(2, 'one'), 'one', 'a job that names one');
SELECT refuses($$SELECT pg_temp.job(3, 'none')$$, 'CN407', 'one that is not there');
SELECT refuses($$SELECT pg_temp.job(3, 'hook')$$, 'CN407', 'one of the sandbox beside');
SELECT refuses($$SELECT pg_temp.job(3, 'theirs')$$, 'CN407', 'one of another org');
SELECT is((SELECT count(*) FROM consign.export_job WHERE org = 1 AND sandbox = 12 AND job = 3), 0::bigint, 'nothing was made');
SELECT refuses($$SELECT consign.dataset_create(1, 12, d(70), 'n', NULL, 's', 'json', 'profile_union', 'json', 'zstd', NULL, 'c', NULL, NULL, NULL, 'none')$$,
    'CN407', 'a dataset that names none');
SELECT is(consign.dataset_create(1, 12, d(70), 'n', NULL, 's', 'json', 'profile_union', 'json', 'zstd', NULL, 'c', NULL, NULL, NULL, 'one'), d(70), 'one that does');
SELECT is(pg_temp.job(4, NULL, d(70)), 'one', 'its jobs are told there');
SELECT is(pg_temp.job(5, 'two', d(70)), 'two', 'unless they name another');
SELECT refuses($$SELECT consign.dataset_change(1, 12, d(70), NULL, false, NULL, false, NULL, true, 'theirs')$$, 'CN407', 'it changes to no other org''s');
SELECT consign.dataset_change(1, 12, d(70), NULL, false, NULL, false, NULL);
SELECT is((SELECT webhook || version FROM consign.dataset WHERE org = 1 AND dataset = d(70)), 'one1', 'what is not set stays');
SELECT consign.dataset_change(1, 12, d(70), NULL, false, NULL, false, NULL, true, 'two');
SELECT is((SELECT webhook || version FROM consign.dataset WHERE org = 1 AND dataset = d(70)), 'two2', 'a change is one');
SELECT is(pg_temp.job(6, NULL, d(70)), 'two', 'for what is created from then on');
SELECT is((SELECT webhook FROM consign.job_document WHERE org = 1 AND sandbox = 12 AND job = 4), 'one', 'and for nothing before');
SELECT consign.dataset_change(1, 12, d(70), NULL, false, NULL, false, NULL, true, NULL);
SELECT is(pg_temp.job(7, NULL, d(70)), NULL, 'none any more');

-- ends: cancelled at once, and each of the other ways
SELECT is((SELECT consign.job_cancel(1, 12, n)), 'CANCELLED', 'cancelled') FROM unnest(ARRAY[1, 2]) n;
RESET ROLE;
SELECT is_empty('SELECT pg_temp.told(1)', 'nobody asked');
SELECT results_eq('SELECT pg_temp.told(2)', ARRAY['one export.job.cancelled'], 'it was cancelled');
SELECT is((pg_temp.body(2)->'job'->'destination')::jsonb, jsonb_build_object('datasetId', d(1), 'segmentPerBatch', false), 'without a batch');
SELECT take(1, 12, n, 'run' || n) FROM generate_series(4, 6) n;
SET LOCAL ROLE consign_spooler;
SELECT FROM consign.job_start(1, 12, 4, b(4), 'run4');
SELECT FROM consign.job_start(1, 12, 5, b(5), 'run5');
SELECT is_empty('SELECT FROM consign.webhook_event WHERE org = 1 AND webhook = ''two''', 'a beginning is no end');
SELECT publish(1, 12, 4, 'run4');
SELECT consign.job_give_up(1, 12, 5, b(5), 'run5', 'FAILED', '[{"code":"unknown","msg":"m","callStack":"c"}]');
RESET ROLE;
SELECT results_eq('SELECT pg_temp.told(4)', ARRAY['one export.job.succeeded'], 'one that succeeded');
SELECT results_eq('SELECT pg_temp.told(5)', ARRAY['two export.job.failed'], 'one that failed');
SELECT is(pg_temp.body(4)->>'imsOrgId', 'One@AdobeOrg', 'whose it is');
SELECT is(pg_temp.body(4)->>'sandboxName', 'dev', 'and where');
SELECT is((SELECT event::text FROM consign.webhook_event WHERE org = 1 AND (body::json->'job'->>'id')::int = 4), pg_temp.body(4)->>'id', 'its own id');
SELECT is((pg_temp.body(4)->'job'->'destination')::jsonb, jsonb_build_object('datasetId', d(70), 'segmentPerBatch', false, 'batchId', b(4)), 'with its batch');
SELECT is(pg_temp.body(4)->'job'->'metrics'->>'totalExportedProfileCounter', '5', 'with its figures');
SELECT is((pg_temp.body(4)->'job'->'metrics'->'exportedProfileByNamespaceCounter')::jsonb, '{"email":5}', 'and those by namespace');
SELECT is((pg_temp.body(5)->'job'->'errors')::jsonb, '[{"code":"unknown","msg":"m","callStack":"c"}]', 'with its errors');
-- tried again by the operator, and ended again
SELECT is(consign.job_retry(1, 12, 5), 'FAILED', 'once more');
SELECT is(consign.job_cancel(1, 12, 5), 'CANCELLED', 'and cancelled');
SELECT results_eq('SELECT pg_temp.told(5)', ARRAY['two export.job.failed', 'two export.job.cancelled'], 'each end is told');
SELECT consign.job_end(1, 12, 6, 'FAILED', NULL);
UPDATE consign.export_job SET status = 'FAILED', updated_ms = 0 WHERE org = 1 AND sandbox = 12 AND job = 6;
SELECT results_eq('SELECT pg_temp.told(6)', ARRAY['two export.job.failed'], 'what does not change is not told');
-- many namespaces are not told
SELECT pg_temp.job(8, 'one'), take(1, 12, 8, 'run8');
UPDATE consign.export_job SET status = 'SUCCEEDED', ended_ms = 1, by_namespace = (SELECT json_object_agg('n' || n, 1)::text FROM generate_series(1, 3000) n)
    WHERE org = 1 AND sandbox = 12 AND job = 8;
SELECT is(pg_temp.body(8)->'job'->'metrics'->>'exportedProfileByNamespaceCounter', NULL, 'a body has a bound');
-- the archive keeps the name
SELECT consign.job_archive_move(1, 12, ARRAY[4]);
SELECT is((SELECT webhook FROM consign.export_job_archive WHERE org = 1 AND job = 4), 'one', 'an archived job');

-- claims
DELETE FROM consign.webhook_event;
CREATE FUNCTION pg_temp.event(o integer, s integer, hook text, n integer) RETURNS void LANGUAGE sql AS
$$ INSERT INTO consign.webhook_event (org, sandbox, event, webhook, body, created_ms, not_before_ms)
   SELECT o, s, gen_random_uuid(), hook, '{}', consign.now_ms(), consign.now_ms() - 1000 FROM generate_series(1, n) $$;
CREATE FUNCTION pg_temp.claim(most integer, lease integer DEFAULT 60000) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT c.org || ' ' || c.webhook || ' ' || count(*) FROM consign.webhook_claim(most, lease) c GROUP BY c.org, c.webhook ORDER BY 1 $$;
SELECT pg_temp.event(1, 12, 'one', 50), pg_temp.event(1, 12, 'two', 3), pg_temp.event(2, 21, 'theirs', 1);
SET LOCAL ROLE consign_sender;
SELECT results_eq('SELECT pg_temp.claim(2)', ARRAY['1 one 1', '2 theirs 1'], 'each org its turn, however much the other has');
SELECT results_eq('SELECT pg_temp.claim(50)', ARRAY['1 one 3', '1 two 3'], 'an endpoint has four at a time, the ones under way among them');
SELECT is_empty('SELECT pg_temp.claim(50)', 'then nothing is left');
RESET ROLE;
SELECT is((SELECT max(attempts) FROM consign.webhook_event), 1, 'each was taken once');
UPDATE consign.webhook_event SET not_before_ms = consign.now_ms() - 1 WHERE sending AND webhook = 'two';
SET LOCAL ROLE consign_sender;
SELECT results_eq('SELECT pg_temp.claim(50)', ARRAY['1 two 3'], 'a sender that died: its events are due again');
RESET ROLE;
SELECT is((SELECT max(attempts) FROM consign.webhook_event WHERE webhook = 'two'), 2, 'for the second time');
UPDATE consign.webhook SET active = false WHERE org = 1 AND name = 'one';
UPDATE consign.webhook_event SET sending = false, not_before_ms = 0 WHERE webhook <> 'two';
SET LOCAL ROLE consign_sender;
SELECT results_eq('SELECT pg_temp.claim(50)', ARRAY['2 theirs 1'], 'none for one that is disabled');
RESET ROLE;
UPDATE consign.webhook_event SET sending = false, not_before_ms = 0 WHERE webhook = 'theirs';
UPDATE consign.org SET active = false WHERE org = 2;
SELECT is_empty('SELECT pg_temp.claim(50)', 'none of an org that is');
UPDATE consign.org SET active = true WHERE org = 2;
UPDATE consign.sandbox SET active = false WHERE sandbox = 21;
SELECT is_empty('SELECT pg_temp.claim(50)', 'nor of a sandbox');
UPDATE consign.sandbox SET active = true WHERE sandbox = 21;
SELECT results_eq('SELECT pg_temp.claim(50)', ARRAY['2 theirs 1'], 'enabled, it is sent');
UPDATE consign.webhook SET active = true, old_secret = decode(repeat('dd', 32), 'hex'), old_until_ms = consign.now_ms() + 60000 WHERE org = 1 AND name = 'one';
SELECT is((SELECT DISTINCT secret || ' ' || old_secret FROM consign.webhook_claim(64, 60000) WHERE webhook = 'one'), repeat('cc', 32) || ' ' || repeat('dd', 32), 'both secrets sign');
UPDATE consign.webhook SET old_until_ms = 1 WHERE org = 1 AND name = 'one';
UPDATE consign.webhook_event SET sending = false, not_before_ms = 0;
SELECT is((SELECT string_agg(coalesce(old_secret, '-'), '') FROM consign.webhook_claim(64, 60000) WHERE webhook = 'one'), '----', 'until the time of the old one is over');
SELECT pg_temp.endpoint(1, 12, 'more' || n), pg_temp.event(1, 12, 'more' || n, 4) FROM generate_series(1, 20) n;
UPDATE consign.webhook_event SET sending = false, not_before_ms = 0;
SELECT is((SELECT count(*) FROM consign.webhook_claim(64, 60000)), 16::bigint, 'no more than sixteen are given at once');
-- Claims, for a sender whose events all hang, until there is nothing for it; answers how many it has under way.
CREATE FUNCTION pg_temp.hang() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE under_way bigint;
BEGIN
    LOOP
        SELECT count(*) INTO under_way FROM consign.webhook_event WHERE sending;
        PERFORM FROM consign.webhook_claim(64 - under_way::integer, 60000);
        EXIT WHEN NOT FOUND;
    END LOOP;
    RETURN under_way;
END $$;
SELECT pg_temp.hang();
SELECT is((SELECT count(*) FROM consign.webhook_event WHERE sending AND org = 1), 16::bigint, 'an org has sixteen at a time');

-- endpoints that hang hold up nobody else: neither an org with nothing under way, nor another endpoint of their org
DELETE FROM consign.webhook_event;
SELECT pg_temp.event(1, 12, 'more' || n, 20) FROM generate_series(1, 4) n;
SELECT ok(pg_temp.hang() BETWEEN 8 AND 15, 'four endpoints of an org');
SELECT pg_temp.event(1, 12, 'one', 1);
SELECT results_eq('SELECT pg_temp.claim(64 - count(*)::integer) FROM consign.webhook_event WHERE sending', ARRAY['1 one 1'],
    'do not hold up its fifth');
DELETE FROM consign.webhook_event;
INSERT INTO consign.org (org, ims_org_id, name) OVERRIDING SYSTEM VALUE SELECT n, n || '@AdobeOrg', 'many' FROM generate_series(101, 140) n;
INSERT INTO consign.sandbox (org, sandbox, name) OVERRIDING SYSTEM VALUE SELECT n, n, 'prod' FROM generate_series(101, 140) n;
SELECT pg_temp.endpoint(o, o, 'e' || n) FROM generate_series(101, 140) o, generate_series(1, 4) n;
SELECT pg_temp.event(o, o, 'e' || n, 20) FROM generate_series(101, 104) o, generate_series(1, 4) n;
SELECT ok(pg_temp.hang() BETWEEN 32 AND 56, 'four orgs have much of the room');
SELECT pg_temp.event(2, 21, 'theirs', 5);
SELECT results_eq('SELECT pg_temp.claim(64 - count(*)::integer) FROM consign.webhook_event WHERE sending', ARRAY['2 theirs 4'],
    'a fifth has as much as it may');
DELETE FROM consign.webhook_event;
SELECT pg_temp.event(o, o, 'e' || n, 20) FROM generate_series(101, 140) o, generate_series(1, 4) n;
SELECT ok(pg_temp.hang() BETWEEN 40 AND 63, 'forty orgs have most of it');
SELECT is((SELECT count(DISTINCT org) FROM consign.webhook_event WHERE sending), 40::bigint, 'each some');
SELECT pg_temp.event(2, 21, 'theirs', 5);
SELECT results_eq('SELECT pg_temp.claim(64 - count(*)::integer) FROM consign.webhook_event WHERE sending', ARRAY['2 theirs 1'],
    'and the next has its turn');

-- the clock was set back
DELETE FROM consign.webhook_event;
SELECT pg_temp.event(1, 12, 'one', 1);
CREATE FUNCTION pg_temp.early(how text, attempt integer, created bigint, due bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    moment bigint := consign.now_ms();
BEGIN
    UPDATE consign.webhook_event SET sending = how = 'sending', attempts = attempt, created_ms = moment + created, not_before_ms = moment + due;
    RETURN (SELECT string_agg(claim, ',') FROM pg_temp.claim(9) claim);
END $$;
SELECT is(pg_temp.early('new', 0, 1800000, 1800000), '1 one 1', 'what was not tried yet is sent');
SELECT is(pg_temp.early('failed', 3, 1800000, 1900000), NULL, 'a pause is kept all the same');
SELECT is(pg_temp.early('failed', 3, 1800000, 3700000), '1 one 1', 'unless it would be longer than any');
SELECT is(pg_temp.early('sending', 3, 4000000, 4030000), NULL, 'what is being sent is not sent a second time at once');
SELECT ok((SELECT sending AND not_before_ms <= consign.now_ms() + 60000 FROM consign.webhook_event), 'but when its lease is over by the new clock');
SELECT is(pg_temp.early('new', 0, 0, -1), '1 one 1', 'due');
UPDATE consign.webhook_event SET sending = false, not_before_ms = 0;
SELECT is((SELECT count(*) FROM consign.webhook_claim(9, 9e15::bigint)), 1::bigint, 'a sender that asks for long');
SELECT ok((SELECT not_before_ms <= consign.now_ms() + 60000 FROM consign.webhook_event), 'has it for a minute');

-- what an attempt comes to
DELETE FROM consign.webhook_event;
SELECT pg_temp.event(1, 12, 'one', 1);
CREATE FUNCTION pg_temp.outcome(how text, attempt integer DEFAULT NULL, pause integer DEFAULT 5000) RETURNS boolean LANGUAGE sql AS
$$ SELECT consign.webhook_end(e.org, e.sandbox, e.event, coalesce(attempt, e.attempts), how, pause) FROM consign.webhook_event e $$;
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', CASE WHEN e.sending THEN 'sending' END, e.attempts, e.outcome, CASE WHEN e.not_before_ms > consign.now_ms() + 3000 THEN 'later' END,
    CASE WHEN e.ended_ms IS NOT NULL THEN 'ended' END) FROM consign.webhook_event e $$;
CREATE FUNCTION pg_temp.take_one() RETURNS void LANGUAGE sql AS
$$ UPDATE consign.webhook_event SET not_before_ms = 0; SELECT consign.webhook_claim(1, 60000); $$;
SELECT is(pg_temp.outcome('delivered'), false, 'one that nobody sends does not end');
SELECT pg_temp.take_one();
SELECT is(pg_temp.outcome('failed'), true, 'it was not taken');
SELECT is(pg_temp.state(), '1 later', 'and comes again later');
SELECT pg_temp.take_one();
SELECT is(pg_temp.outcome('delivered', 1), false, 'a sender that was slow tells nothing of another''s attempt');
SELECT is(pg_temp.outcome('returned'), true, 'it was handed back');
SELECT is(pg_temp.state(), '1', 'at once, and uncounted');
SELECT pg_temp.take_one();
SELECT is(pg_temp.outcome('gone'), true, 'nobody is there any more');
SELECT is((SELECT active FROM consign.webhook WHERE org = 1 AND name = 'one'), false, 'its endpoint is disabled');
SELECT is(pg_temp.state(), '2 later', 'the event waits');
SELECT is((SELECT bool_and(active) FROM consign.webhook WHERE name <> 'one'), true, 'no other endpoint is');
UPDATE consign.webhook SET active = true WHERE name = 'one';
SELECT pg_temp.take_one();
SELECT is(pg_temp.outcome('delivered'), true, 'it was taken');
SELECT is(pg_temp.state(), '3 delivered ended', 'and that is its end');
SET LOCAL ROLE consign_spooler;
SELECT is_empty('SELECT FROM consign.webhook_give_up(0, 9)', 'nothing is to be given up');
SELECT is(consign.webhook_forget(60000, 9), 0::bigint, 'and it is kept for a while');
RESET ROLE;
UPDATE consign.webhook_event SET ended_ms = ended_ms - 3600001;
SELECT pg_temp.event(1, 12, 'one', 3);
UPDATE consign.webhook_event SET created_ms = 5 WHERE outcome IS NULL;
UPDATE consign.webhook_event SET sending = true, not_before_ms = consign.now_ms() + 60000
    WHERE event = (SELECT event FROM consign.webhook_event WHERE outcome IS NULL LIMIT 1);
SET LOCAL ROLE consign_spooler;
SELECT is((SELECT count(*) FROM consign.webhook_give_up(60000, 1)), 1::bigint, 'an old one is given up');
SELECT is((SELECT count(*) FROM consign.webhook_give_up(60000, 9)), 1::bigint, 'the one that is just being sent is not');
SELECT is(consign.webhook_forget(60000, 9), 1::bigint, 'one that was taken long ago is removed');
SELECT results_eq('SELECT coalesce(outcome, ''-'') FROM consign.webhook_event ORDER BY 1', ARRAY['-', 'given_up', 'given_up'], 'and no other');
-- whatever statement the spooler is brought to run
RESET ROLE;
DELETE FROM consign.webhook_event;
SELECT pg_temp.event(1, 12, 'one', 2);
UPDATE consign.webhook_event SET created_ms = created_ms - 3599000;
CREATE FUNCTION pg_temp.changed(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
SET LOCAL ROLE consign_spooler;
SELECT is(pg_temp.changed('DELETE FROM consign.webhook_event') + pg_temp.changed($$UPDATE consign.webhook_event SET outcome = 'given_up', ended_ms = 1$$),
    0::bigint, 'a young event is neither removed nor ended');
RESET ROLE;
UPDATE consign.webhook_event SET created_ms = 5;
SET LOCAL ROLE consign_spooler;
SELECT throws_ok($$UPDATE consign.webhook_event SET outcome = 'delivered', ended_ms = 1$$, '42501');
SELECT is(pg_temp.changed('DELETE FROM consign.webhook_event'), 0::bigint, 'nor an old one without an end');
RESET ROLE;

-- metrics
DELETE FROM consign.webhook_event;
CREATE FUNCTION pg_temp.metric(of text) RETURNS bigint LANGUAGE sql AS $$ SELECT value FROM consign.metric_read() WHERE name = of $$;
SELECT is((SELECT count(*) FROM consign.metric_read() WHERE name LIKE 'webhook%'), 0::bigint, 'no event, no figure');
SELECT pg_temp.event(1, 12, 'one', 6), pg_temp.event(1, 12, 'two', 2), pg_temp.event(2, 21, 'theirs', 1);
UPDATE consign.webhook SET active = name <> 'two';
UPDATE consign.webhook_event SET created_ms = consign.now_ms() - 90000 WHERE webhook = 'two';
SELECT consign.webhook_end(c.org, c.sandbox, c.event, 1, 'failed', 60000) FROM consign.webhook_claim(1, 60000) c WHERE c.webhook = 'one';
SELECT consign.webhook_claim(16, 60000);
UPDATE consign.webhook_event SET not_before_ms = consign.now_ms() - 7000 WHERE NOT sending AND not_before_ms < consign.now_ms();
SELECT set_eq($$SELECT name, value FROM consign.metric_read() WHERE name LIKE 'webhook_events/%'$$, $$VALUES
    ('webhook_events/waiting', (SELECT count(*) FROM consign.webhook_event WHERE NOT sending AND not_before_ms < consign.now_ms() AND webhook <> 'two')),
    ('webhook_events/sending', 3), ('webhook_events/backoff', 1), ('webhook_events/held', 2)$$, 'every event is in one place');
UPDATE consign.org SET active = false WHERE org = 1;
SELECT is(pg_temp.metric('webhook_events/held'), (SELECT count(*) FROM consign.webhook_event WHERE org = 1 AND (NOT sending OR not_before_ms < consign.now_ms())), 'those of a disabled org are held');
UPDATE consign.org SET active = true WHERE org = 1;
SELECT ok(pg_temp.metric('webhook_oldest_ms') BETWEEN 90000 AND 120000, 'the oldest, held or not');
SELECT is(pg_temp.metric('webhook_due_ms'), NULL, 'who is being sent something is not kept waiting');
UPDATE consign.webhook_event SET not_before_ms = 0 WHERE sending AND webhook = 'theirs';
SELECT ok(pg_temp.metric('webhook_due_ms') > 60000, 'unless its sender is gone');
SELECT pg_temp.event(1, 12, 'one', 10001);
SELECT is((SELECT sum(value) FROM consign.metric_read() WHERE name LIKE 'webhook_events/%'), 10000::numeric, 'a backlog is counted up to a bound');
ANALYZE consign.webhook_event; -- as autovacuum does
CREATE FUNCTION pg_temp.read_so_far() RETURNS bigint LANGUAGE sql AS
$$ SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'consign.webhook_event'::regclass $$;
CREATE FUNCTION pg_temp.reads_of_a_claim() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.read_so_far();
BEGIN
    PERFORM FROM consign.webhook_claim(16, 60000);
    RETURN pg_temp.read_so_far() - before;
END $$;
SELECT cmp_ok(pg_temp.reads_of_a_claim(), '<', 200::bigint, 'a claim does not read it');
SELECT * FROM finish();
ROLLBACK;
