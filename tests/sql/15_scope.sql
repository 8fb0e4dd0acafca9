-- scope_find and client_secret: what the registry tells, to one client at a time.
BEGIN;
SELECT plan(15);
CREATE FUNCTION pg_temp.scope(client text, org text, sandbox text) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' ', f.client_active, f.entitled, f.org, f.sandbox, f.rights) FROM consign.scope_find(client, org, sandbox) f $$;
SET LOCAL ROLE consign_api;
SELECT is(pg_temp.scope('client-1', 'One@AdobeOrg', 'prod'), 't t 1 11 export:read export:write', 'org and sandbox of the client');
SELECT is(pg_temp.scope('client-1', 'One@AdobeOrg', 'dev'), 't t 1 12 export:read export:write', 'its other sandbox');
SELECT is(pg_temp.scope('client-2', 'Two@AdobeOrg', 'prod'), 't t 2 21 export:read export:write', 'a sandbox name belongs to an org');
SELECT is(pg_temp.scope('client-1', 'One@AdobeOrg', 'none'), 't t 1 0 export:read export:write', 'an unknown sandbox');
SELECT is(pg_temp.scope('client-2', 'Two@AdobeOrg', 'shut'), 't t 2 0 export:read export:write', 'an inactive sandbox');
SELECT is(pg_temp.scope('client-1', 'Two@AdobeOrg', 'prod'), 't f 0 0 export:read export:write', 'an org that is not its own');
SELECT is(pg_temp.scope('client-1', 'Nobody@AdobeOrg', 'prod'), pg_temp.scope('client-1', 'Two@AdobeOrg', 'prod'), 'is told like an unknown one');
SELECT is(pg_temp.scope('client-3', 'Three@AdobeOrg', 'prod'), 't f 0 0 export:read export:write', 'an inactive org');
SELECT is(pg_temp.scope('client-4', 'One@AdobeOrg', 'prod'), 'f f 0 0 ', 'an inactive client');
SELECT is(pg_temp.scope('client-9', 'One@AdobeOrg', 'prod'), 'f f 0 0 ', 'an unknown client');
SELECT is(pg_temp.scope(NULL, NULL, NULL), 'f f 0 0 ', 'nothing at all');
SELECT is((SELECT length(secret_salt) || ' ' || length(secret_hash) FROM consign.client_secret('client-1')), '16 32', 'the secret of a client');
SELECT is((SELECT count(*) FROM consign.client_secret('client-4')), 0::bigint, 'not of an inactive one');
SELECT is((SELECT count(*) FROM consign.client_secret('client-9')), 0::bigint, 'not of an unknown one');
SELECT is((SELECT count(*) FROM consign.client_secret('%')), 0::bigint, 'a pattern is a name like any other');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
