-- scope_find and client_secret: what the registry tells, to one client at a time.
BEGIN;
SELECT plan(28);
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
SELECT isnt((SELECT version FROM consign.scope_find('client-9', '', '')), NULL, 'the version is told with every answer');
RESET ROLE;

-- The version is another one after any change of the registry: what a statement makes of it when its transaction ends.
CREATE FUNCTION pg_temp.version_moves(statement text) RETURNS boolean LANGUAGE plpgsql AS
$$
DECLARE
    before uuid := (SELECT version FROM consign.registry_version);
    after uuid;
BEGIN
    BEGIN
        EXECUTE statement;
        SET CONSTRAINTS ALL IMMEDIATE;
        after := (SELECT version FROM consign.registry_version);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN after <> before;
    END;
END
$$;
SELECT ok(pg_temp.version_moves(statement), statement) FROM unnest(ARRAY[
    $$INSERT INTO consign.org (org, ims_org_id, name) OVERRIDING SYSTEM VALUE VALUES (99, 'New@AdobeOrg', 'n')$$,
    $$UPDATE consign.org SET active = false WHERE org = 1$$,
    $$INSERT INTO consign.sandbox (org, sandbox, name) OVERRIDING SYSTEM VALUE VALUES (1, 99, 'new')$$,
    $$UPDATE consign.sandbox SET active = false WHERE org = 1 AND sandbox = 11$$,
    $$INSERT INTO consign.client (client, client_id, name, secret_salt, secret_hash, rights) OVERRIDING SYSTEM VALUE
        SELECT 99, 'new', 'n', c.secret_salt, c.secret_hash, c.rights FROM consign.client c LIMIT 1$$,
    $$UPDATE consign.client SET rights = '{}' WHERE client_id = 'client-1'$$,
    $$UPDATE consign.client SET active = false$$,
    $$INSERT INTO consign.client_org (client, org) SELECT c.client, 2 FROM consign.client c WHERE c.client_id = 'client-1'$$,
    $$DELETE FROM consign.client_org$$]) statement;
SELECT ok(NOT pg_temp.version_moves('SELECT 1'), 'and nothing else moves it');
SELECT is((SELECT string_agg(t.tgrelid::regclass::text, ' ' ORDER BY t.tgrelid::regclass::text) FROM pg_trigger t
    WHERE t.tgname = 'registry_changed' AND t.tgdeferrable AND t.tginitdeferred AND t.tgenabled = 'O'
    AND t.tgtype = 1 + 4 + 8 + 16), 'consign.client consign.client_org consign.org consign.sandbox', 'at the end of each change, by any statement');
SELECT throws_ok('INSERT INTO consign.registry_version (one) VALUES (true)', '23505', NULL, 'there is one');
SELECT * FROM finish();
ROLLBACK;
