-- Merge policies: creating, replacing, deleting; the default, the versions, the most an org may have.
BEGIN;
SELECT plan(47);
CREATE FUNCTION pg_temp.defaults(s integer) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(policy, ' ' ORDER BY policy), 'none') FROM consign.merge_policy WHERE org = 1 AND sandbox = s AND is_default $$;
CREATE FUNCTION pg_temp.versions(n integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(version || ' ' || rules, ', ' ORDER BY version) FROM consign.merge_policy_version
   WHERE org = 1 AND sandbox = 11 AND policy = tap.p(n) $$;
CREATE FUNCTION pg_temp.newest(n integer) RETURNS integer LANGUAGE sql AS
$$ SELECT version FROM consign.merge_policy WHERE org = 1 AND sandbox = 11 AND policy = tap.p(n) $$;
SET LOCAL consign.org = 1;
SET LOCAL ROLE consign_api;

SELECT is(make_policy(1, 11, 2, key => 'key', body => 'body'), p(2), 'a policy');
SELECT is(pg_temp.versions(2), '1 rules', 'has version 1');
SELECT is(pg_temp.defaults(11), 'none', 'and is not the default unasked');
SELECT is(make_policy(1, 11, 77, key => 'key', body => 'body'), p(2), 'the same key and body: the same policy');
SELECT refuses($$SELECT make_policy(1, 11, 77, key => 'key', body => 'other')$$, 'CN422', 'the same key, another body');
SELECT refuses('SELECT make_policy(1, 11, 2)', '23505', 'an id is used once');
SELECT refuses($$SELECT make_policy(1, 11, 77, datasets => ARRAY[d(3), d(99)])$$, 'CN400', 'an order with an unknown dataset');
SELECT refuses($$SELECT make_policy(1, 11, 77, datasets => ARRAY[d(112)])$$, 'CN400', 'with one of another sandbox');
SELECT refuses($$SELECT make_policy(1, 11, 77, datasets => ARRAY[d(121)])$$, 'CN400', 'with one of another org');
SELECT refuses($$SELECT make_policy(1, 11, 77, datasets => ARRAY[d(1)])$$, 'CN400', 'with a union dataset');
SELECT refuses($$SELECT make_policy(1, 11, 77, datasets => ARRAY[d(5)])$$, 'CN400', 'with a dataset of events');
SELECT results_eq('SELECT consign.policy_stranger(1, 11, ARRAY[d(3), d(5), d(99)])', 'VALUES (1::bigint)', 'the first of them is told');
SELECT is_empty('SELECT consign.policy_stranger(1, 11, ARRAY[d(3), d(4)])', 'and nothing of a good order');
SELECT refuses($$SELECT make_policy(1, 11, 77, key => 'new', body => 'body', datasets => ARRAY[d(99)])$$, 'CN400', 'a refusal with a key');
SELECT is(make_policy(1, 11, 3, true, ARRAY[d(4), d(3)], 'new', 'another body'), p(3), 'does not use the key up');
SELECT is(pg_temp.defaults(11), p(3), 'a policy made as the default');
SELECT is(make_policy(1, 12, 4, true), p(4), 'a default of another sandbox');
SELECT is(pg_temp.defaults(11), p(3), 'each sandbox has its own');

SELECT is(make_policy(1, 12, 5, true), p(5), 'the fifth of the org');
SELECT is(pg_temp.defaults(12), p(5), 'the new default takes the place of the old one');
SELECT is((SELECT version FROM consign.merge_policy WHERE org = 1 AND policy = p(4)), 1, 'whose version stays');
SELECT refuses('SELECT make_policy(1, 11, 6)', 'CN409', 'the sixth of the org, here');
SELECT refuses('SELECT make_policy(1, 12, 6, true)', 'CN409', 'and in its other sandbox');
SELECT is(pg_temp.defaults(12), p(5), 'a refused one takes no place');
SELECT is(make_policy(1, 11, 78, key => 'key', body => 'body'), p(2), 'a key is answered over the limit too');

SELECT is((SELECT version FROM replace_policy(1, 11, 2)), 2, 'a replacement is a new version');
SELECT is(pg_temp.versions(2), '1 rules, 2 other rules', 'and the old one is kept');
SELECT is((SELECT version FROM replace_policy(1, 11, 2)), 2, 'the same again is none');
SELECT is((SELECT version FROM replace_policy(1, 11, 2, name => NULL)), 3, 'another name is one');
SELECT is((SELECT version || ' ' || is_default FROM replace_policy(1, 11, 2, true, name => NULL)), '4 true', 'so is becoming the default');
SELECT is(pg_temp.defaults(11), p(2), 'alone');
SELECT is((SELECT version || ' ' || is_default FROM replace_policy(1, 11, 2, name => NULL)), '5 false', 'and ceasing to be it');
SELECT is(pg_temp.defaults(11), 'none', 'which leaves none');
SELECT is_empty('SELECT * FROM replace_policy(1, 11, 2, from_version => 4)', 'content made of an older version is not taken');
SELECT is_empty('SELECT * FROM replace_policy(1, 11, 2, from_version => 5, from_default => true)', 'nor of what was the default then');
SELECT is(pg_temp.newest(2), 5, 'and changes nothing');
SELECT is((SELECT version FROM replace_policy(1, 11, 2, from_version => 5, from_default => false)), 6, 'of the newest it is');
SELECT refuses('SELECT replace_policy(1, 11, 99)', 'CN404', 'replacing an unknown policy');
SELECT refuses('SELECT replace_policy(1, 11, 4)', 'CN404', 'or one of another sandbox');
SELECT refuses($$SELECT replace_policy(1, 11, 99, datasets => ARRAY[d(99)])$$, 'CN404', 'is that, whatever its order');
SELECT refuses($$SELECT replace_policy(1, 11, 2, rules => 'new', datasets => ARRAY[d(3), d(5)])$$, 'CN400', 'an order with a dataset of events');
SELECT is((SELECT name FROM replace_policy(1, 11, 2, name => 'n', datasets => ARRAY[d(99)])), 'n', 'an order that stays is not looked at again');

SELECT is(make_job(1, 11, 5, policy => p(2), version => 1), 5::bigint, 'a job under the first version');
SELECT refuses('SELECT consign.policy_delete(1, 11, p(2))', 'CN409', 'a policy that a live job uses');
RESET ROLE;
UPDATE consign.export_job SET status = 'SUCCEEDED' WHERE org = 1 AND sandbox = 11 AND job = 5;
SET LOCAL ROLE consign_api;
SELECT lives_ok('SELECT consign.policy_delete(1, 11, p(2))', 'goes when the job has ended');
SELECT is((SELECT merge_policy || ' ' || merge_policy_version FROM consign.export_job WHERE org = 1 AND sandbox = 11 AND job = 5),
    p(2) || ' 1', 'which still says its version');
SELECT is(pg_temp.versions(2), NULL, 'that is gone');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
