-- idempotency_expire: keys that have ended go, of all tenants; the others stay, and out of the spooler's sight.
BEGIN;
SELECT plan(6);
INSERT INTO consign.idempotency_key (org, sandbox, route, key_sha256, body_sha256, object, created_ms)
    SELECT o.org, o.sandbox, 'export/jobs', 'age ' || age, 'body', '1', consign.now_ms() - age * 3600000
    FROM (VALUES (1, 11), (2, 21)) o(org, sandbox), generate_series(0, 48, 6) age;
SET LOCAL ROLE consign_spooler;
SELECT is((SELECT count(*) FROM consign.idempotency_key WHERE key_sha256 IN ('age 18', 'age 0')), 0::bigint,
          'a key that still counts is not shown');
SELECT is(consign.idempotency_expire(1), 1::bigint, 'no more than was asked for');
SELECT is(consign.idempotency_expire(1000), 9::bigint, 'all that have ended, of both orgs');
SELECT is(consign.idempotency_expire(1000), 0::bigint, 'then none is left');
RESET ROLE;
SELECT set_eq($$SELECT DISTINCT key_sha256 FROM consign.idempotency_key WHERE key_sha256 LIKE 'age %'$$,
    ARRAY['age 0', 'age 6', 'age 12', 'age 18'], 'the others stay');
SELECT is((SELECT count(*) FROM consign.idempotency_key WHERE key_sha256 LIKE 'age %'), 8::bigint, 'in both orgs');
SELECT * FROM finish();
ROLLBACK;
