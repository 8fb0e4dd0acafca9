-- Every call of calls.psql in a session that had a tenant in an earlier transaction: the setting reads '',
-- which a policy that only compares would take for a tenant without rows.
BEGIN;
SET LOCAL consign.org = 1;
COMMIT;
BEGIN;
DO $$ BEGIN PERFORM run_work(); END $$;
SELECT plan(1 + (SELECT count(*)::integer FROM call));
SELECT is(current_setting('consign.org', true), '', 'the setting reads as an empty text');
SET LOCAL ROLE consign_api;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_spooler;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_sender;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_metrics;
SELECT calls_without_tenant();
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
