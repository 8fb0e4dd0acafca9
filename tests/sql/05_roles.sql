-- What a program must not do though it has a tenant: one test per refusal, 42501 (no right).
BEGIN;
CREATE FUNCTION pg_temp.denied(VARIADIC statements text[]) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT tap.refuses(s, '42501', current_user || ' must not: ' || s) FROM unnest(statements) s $$;

SELECT plan(94);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;
SELECT pg_temp.denied(
    'UPDATE consign.identity SET person = 1', 'UPDATE consign.profile_fragment SET body = ''''', 'UPDATE consign.profile_event SET person = 1',
    'UPDATE consign.ingest_clock SET last_ms = 0', 'INSERT INTO consign.identity (org, sandbox, ns, value) VALUES (1, 11, ''a'', ''b'')',
    'SELECT FROM consign.org', 'SELECT FROM consign.sandbox', 'SELECT FROM consign.client', 'SELECT FROM consign.client_org',
    'SELECT FROM consign.schema_migration', 'UPDATE consign.client SET active = true', 'INSERT INTO consign.client_org VALUES (1, 2)',
    'DELETE FROM consign.export_target', 'DELETE FROM consign.batch_file', 'UPDATE consign.system_job SET status = ''NEW''', 'TRUNCATE consign.export_job',
    'UPDATE consign.dataset SET class = ''x''', 'UPDATE consign.dataset SET org = 2',
    'INSERT INTO consign.batch_file VALUES (1, 11, tap.b(1), 0, ''x'', 1, 1, repeat(''0'', 64))', 'DELETE FROM consign.batch_error',
    'INSERT INTO consign.export_progress VALUES (1, 11, 2, ''read'', 0, 0, 0)', 'SELECT nextval(''consign.identity_number'')',
    'SELECT * FROM consign.work_claim(''x'')', 'SELECT consign.job_publish(1,11,1,'''','''','''','''',0,0,'''','''',0,0,0)',
    'SELECT consign.batch_load(1, 11, '''', '''', 0, 0, 0, '''')', 'SELECT consign.batch_end(1, 11, '''', '''', 0, 0, 0, '''', '''')',
    'CREATE TEMP TABLE t (a integer)', 'CREATE TABLE consign.t (a integer)', 'CREATE TABLE public.t (a integer)', 'CREATE SCHEMA s',
    'CREATE OR REPLACE FUNCTION consign.now_ms() RETURNS bigint LANGUAGE sql AS ''SELECT 1::bigint''',
    'ALTER TABLE consign.batch DISABLE ROW LEVEL SECURITY', 'DROP POLICY tenant ON consign.batch', 'CREATE ROLE r',
    'COPY consign.batch TO PROGRAM ''true''', 'SELECT pg_read_file(''PG_VERSION'')',
    'SELECT secret FROM consign.webhook', 'SELECT url FROM consign.webhook', 'SELECT FROM consign.webhook_event', 'SELECT * FROM consign.webhook_claim(9, 1)',
    'INSERT INTO consign.webhook (org, sandbox, name, url, secret) VALUES (1, 11, ''n'', ''u'', decode(repeat(''00'', 32), ''hex''))');
SET LOCAL row_security = off;
SELECT pg_temp.denied('SELECT FROM consign.batch');
SET LOCAL row_security = on;

SET LOCAL ROLE consign_spooler;
SELECT pg_temp.denied(
    'SELECT tap.make_job(1, 11, 77)', 'INSERT INTO consign.export_job SELECT * FROM consign.export_job',
    'INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms) VALUES (1, 11, ''export'', ''b'', 0)',
    'SELECT tap.make_batch(1, 11, 77)', 'DELETE FROM consign.batch_upload_part', 'UPDATE consign.dataset SET version = 2',
    'UPDATE consign.idempotency_key SET object = ''x''', 'SELECT FROM consign.client', 'SELECT FROM consign.org', 'SELECT FROM consign.sandbox',
    'SELECT FROM consign.policy_document', 'DELETE FROM consign.export_target', 'DELETE FROM consign.system_job', 'DELETE FROM consign.dataset_retention',
    'SELECT consign.job_cancel(1, 11, 1)', 'SELECT * FROM consign.scope_find(''client-1'', ''One@AdobeOrg'', ''prod'')',
    'SELECT * FROM consign.client_secret(''client-1'')', 'CREATE TABLE consign.t (a integer)',
    'SELECT name FROM consign.webhook', 'UPDATE consign.webhook SET active = true', 'SELECT body FROM consign.webhook_event',
    'SELECT * FROM consign.webhook_claim(9, 1)', 'UPDATE consign.webhook_event SET not_before_ms = 0', 'UPDATE consign.webhook_event SET body = ''x''',
    'INSERT INTO consign.webhook_event (org, sandbox, event, webhook, body, created_ms, not_before_ms)
        VALUES (1, 11, gen_random_uuid(), ''hook'', ''{}'', 0, 0)');

SET LOCAL ROLE consign_sender;
SELECT pg_temp.denied('SELECT FROM consign.webhook', 'SELECT FROM consign.webhook_event', 'DELETE FROM consign.webhook_event', 'UPDATE consign.webhook SET active = true',
    'SELECT * FROM consign.webhook_give_up(0, 9)', 'SELECT consign.webhook_forget(0, 9)', 'SELECT FROM consign.org', 'SELECT FROM consign.sandbox',
    'SELECT FROM consign.export_job', 'SELECT FROM consign.batch', 'SELECT FROM consign.profile_fragment', 'SELECT FROM consign.work_queue',
    'SELECT * FROM consign.work_claim(''x'')', 'SELECT consign.job_cancel(1, 11, 1)', 'SELECT * FROM consign.client_secret(''client-1'')',
    'DELETE FROM consign.metric_count', 'CREATE TEMP TABLE t (a integer)', 'CREATE TABLE consign.t (a integer)');

SET LOCAL ROLE consign_metrics;
SELECT pg_temp.denied('SELECT consign.now_ms()', 'SELECT FROM consign.work_queue', 'SELECT FROM consign.export_job',
    'SELECT FROM consign.org', 'CREATE TEMP TABLE t (a integer)', 'SELECT consign.job_cancel(1, 11, 1)');

-- a row is neither made for another tenant nor given away
SET LOCAL ROLE consign_api;
SELECT pg_temp.denied('UPDATE consign.batch SET org = 2, sandbox = 21', 'UPDATE consign.work_queue SET org = 2',
    'INSERT INTO consign.work_queue (org, sandbox, kind, batch, created_ms) VALUES (2, 21, ''export'', ''b'', 0)');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
