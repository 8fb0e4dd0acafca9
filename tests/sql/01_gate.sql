-- The catalog gate: what the migrated database is, against what fcgi/README.md (The database) says.
BEGIN;
SELECT plan(8);
SELECT is_empty('SELECT gate_tables()', 'every table: row level security, forced, keys by (org, sandbox)');
SELECT is_empty('SELECT gate_statistics()', 'every table with several indexes: the planner knows whose a sandbox is');
SELECT is_empty('SELECT gate_policies()', 'every table: the policy by the raising function, and no other');
SELECT is_empty('SELECT gate_foreign_keys()', 'every foreign key by (org, sandbox)');
SELECT is_empty('SELECT gate_functions()', 'every function: fixed search_path, three definers, one owner');
SELECT is_empty('SELECT gate_roles()', 'no role has a power of the cluster; programs own nothing');
SELECT is_empty('SELECT gate_rights()', 'every right in the catalog is in rights.txt and the other way round');
SELECT cmp_ok((SELECT count(*) FROM consign_table WHERE tenant AND NOT registry), '>=', 13::bigint, 'the gate looks at the tenant tables');
SELECT * FROM finish();
ROLLBACK;
