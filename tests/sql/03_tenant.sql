-- Every call of calls.psql without a tenant, with its own, and with another.
BEGIN;
DO $$ BEGIN PERFORM run_work(); END $$;
SELECT plan(2 + 3 * (SELECT count(*)::integer FROM call));
SELECT set_eq('SELECT DISTINCT role, object FROM call',
    $$SELECT role, object FROM expected_right WHERE kind = 'function' OR rights ~ 'SELECT|DELETE' AND kind IN ('table', 'view')$$,
    'every function and table of a program is called');
SELECT is(current_setting('consign.org', true), NULL, 'the setting was never made in this session');
SET LOCAL ROLE consign_api;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_spooler;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_sender;
SELECT calls_without_tenant();
SET LOCAL ROLE consign_metrics;
SELECT calls_without_tenant();
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_spooler;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_sender;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_metrics;
SELECT calls_with_tenant();
SET LOCAL consign.org = 2;
SET LOCAL ROLE consign_api;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_spooler;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_sender;
SELECT calls_with_tenant();
SET LOCAL ROLE consign_metrics;
SELECT calls_with_tenant();
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
