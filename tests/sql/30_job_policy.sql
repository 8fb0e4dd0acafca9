-- The merge policy that a job is accepted with: named, pinned to a version, the sandbox's default, built in.
BEGIN;
SELECT plan(24);
-- Policy p(n) with versions up to the newest.
CREATE FUNCTION pg_temp.keep_policy(p_org integer, p_sandbox integer, n integer, newest integer, p_default boolean)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consign.merge_policy (org, sandbox, policy, class, is_default, version, created_ms, updated_ms, created_client)
        VALUES (p_org, p_sandbox, tap.p(n), '_xdm.context.profile', p_default, newest, 0, 0, 'client');
    INSERT INTO consign.merge_policy_version (org, sandbox, policy, version, name, rules, active_on_edge, created_ms)
        SELECT p_org, p_sandbox, tap.p(n), v, 'name', format('rules %s of %s', v, n), false, 0 FROM generate_series(1, newest) v;
END
$$;
-- What a new job n is to run under, and what an attempt then gets: "n-th policy / version / rules".
CREATE FUNCTION pg_temp.runs(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    SELECT concat_ws(' / ', CASE WHEN j.merge_policy LIKE '00000000-%' THEN ltrim(right(j.merge_policy, 12), '0') ELSE j.merge_policy END,
            j.merge_policy_version) INTO answer
        FROM consign.export_job j WHERE j.org = 1 AND j.sandbox = 11 AND j.job = n;
    SET LOCAL ROLE consign_spooler;
    PERFORM tap.take(1, 11, n, 'a');
    SELECT answer || ' / ' || coalesce(s.policy, 'none') INTO answer FROM consign.job_start(1, 11, n, tap.b(n), 'a') s;
    SET LOCAL ROLE consign_api;
    RETURN answer;
END
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO PUBLIC;
SET LOCAL consign.org = 1;
DELETE FROM consign.merge_policy_version WHERE org = 1;
DELETE FROM consign.merge_policy WHERE org = 1;
SELECT pg_temp.keep_policy(1, 11, 1, 3, false);
SELECT pg_temp.keep_policy(1, 12, 2, 1, true);
SET LOCAL consign.org = 2;
SELECT pg_temp.keep_policy(2, 21, 3, 1, false);
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;

SELECT is(make_job(1, 11, 5, policy => NULL), 5::bigint, 'a job that names no policy');
SELECT is(pg_temp.runs(5), 'timestampOrdered-none-mp / 1 / none', 'runs under the built-in one while none is the default');
SELECT is(make_job(1, 11, 6, policy => NULL, version => 1), 6::bigint, 'version 1 of the default');
SELECT refuses('SELECT make_job(1, 11, 7, policy => NULL, version => 2)', 'CN406', 'a version that the built-in one, as the default, has not');
SELECT is(make_job(1, 11, 7, version => 1), 7::bigint, 'the built-in one by its name and version');
SELECT is(pg_temp.runs(7), 'timestampOrdered-none-mp / 1 / none', 'has no rules');
SELECT refuses('SELECT make_job(1, 11, 8, version => 2)', 'CN406', 'and no version 2');

SELECT is(make_job(1, 11, 8, policy => tap.p(1)), 8::bigint, 'a named policy');
SELECT is(pg_temp.runs(8), '1 / 3 / rules 3 of 1', 'in its newest version');
SELECT is(make_job(1, 11, 9, policy => tap.p(1), version => 2), 9::bigint, 'a pinned version');
SELECT is(pg_temp.runs(9), '1 / 2 / rules 2 of 1', 'is what runs');
SELECT refuses('SELECT make_job(1, 11, 10, policy => tap.p(1), version => 4)', 'CN406', 'a version that is not there');
SELECT refuses('SELECT make_job(1, 11, 10, policy => tap.p(2))', 'CN405', 'a policy of another sandbox');
SELECT refuses('SELECT make_job(1, 11, 10, policy => tap.p(3))', 'CN405', 'a policy of another org');
SELECT refuses('SELECT make_job(1, 11, 10, policy => tap.p(9), version => 1)', 'CN405', 'no policy of anybody');
SELECT refuses($$SELECT make_job(1, 11, 10, 'policy key', 'body', policy => 'none')$$, 'CN405', 'a refusal with a key');
SELECT is(make_job(1, 11, 10, 'policy key', 'other'), 10::bigint, 'does not use the key up');

RESET ROLE;
UPDATE consign.merge_policy SET is_default = true WHERE org = 1 AND sandbox = 11;
SET LOCAL ROLE consign_api;
SELECT is(make_job(1, 11, 11, policy => NULL), 11::bigint, 'once the sandbox has a default');
SELECT is(pg_temp.runs(11), '1 / 3 / rules 3 of 1', 'it is that one');
SELECT is(make_job(1, 11, 12, policy => NULL, version => 1), 12::bigint, 'and a version without a name');
SELECT is(pg_temp.runs(12), '1 / 1 / rules 1 of 1', 'is one of it');
SELECT is(make_job(1, 11, 13), 13::bigint, 'the built-in one is still there by its name');

SELECT is(make_job(1, 11, 14, policy => tap.p(1)), 14::bigint, 'a job that waits');
RESET ROLE;
INSERT INTO consign.merge_policy_version (org, sandbox, policy, version, name, rules, active_on_edge, created_ms)
    VALUES (1, 11, tap.p(1), 4, 'name', 'rules 4 of 1', false, 0);
UPDATE consign.merge_policy SET version = 4 WHERE org = 1 AND sandbox = 11;
SELECT is(pg_temp.runs(14), '1 / 3 / rules 3 of 1', 'runs under what was the newest when it was accepted');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
