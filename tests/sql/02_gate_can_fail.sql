-- The gate sees what it is there for: each fault is made, found, and undone.
BEGIN;
SELECT plan(24);

-- A test: after `damage`, `gate` answers exactly these lines.
CREATE FUNCTION pg_temp.finds(damage text, gate text, VARIADIC faults text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text[];
BEGIN
    BEGIN
        EXECUTE damage;
        EXECUTE format('SELECT array_agg(f ORDER BY f) FROM tap.%I() f', gate) INTO found;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'P0099';
    EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL;
    END;
    RETURN tap.is(found, faults, gate || ': ' || damage);
END
$$;

SELECT pg_temp.finds('CREATE TABLE consign.bad (org integer NOT NULL, sandbox integer NOT NULL, x text UNIQUE)', 'gate_tables',
    'bad: no primary key', 'bad: no row level security', 'bad: row level security not forced',
    'bad: unique index consign.bad_x_key does not begin with (org, sandbox)');
SELECT pg_temp.finds('CREATE TABLE consign.bad (org integer PRIMARY KEY)', 'gate_tables', 'bad: neither registry nor (org, sandbox)',
    'bad: no row level security', 'bad: row level security not forced', 'bad: unique index consign.bad_pkey does not begin with (org, sandbox)');
SELECT pg_temp.finds('ALTER TABLE consign.batch DISABLE ROW LEVEL SECURITY', 'gate_tables', 'batch: no row level security');
SELECT pg_temp.finds('ALTER TABLE consign.batch NO FORCE ROW LEVEL SECURITY', 'gate_tables', 'batch: row level security not forced');
SELECT pg_temp.finds('CREATE UNIQUE INDEX bad ON consign.batch (sandbox, org, batch)', 'gate_tables',
    'batch: unique index consign.bad does not begin with (org, sandbox)');
SELECT pg_temp.finds('CREATE VIEW consign.bad AS SELECT 1 AS one', 'gate_tables', 'bad: a view that is not security_invoker');
SELECT pg_temp.finds('CREATE MATERIALIZED VIEW consign.bad AS SELECT 1 AS one', 'gate_tables', 'bad: a relation that bypasses policies');

SELECT pg_temp.finds('DROP POLICY tenant ON consign.batch', 'gate_policies', 'missing policy: batch tenant public (org = consign.tenant_org())');
SELECT pg_temp.finds('CREATE POLICY more ON consign.batch USING (true)', 'gate_policies', 'unknown policy: batch more public PERMISSIVE ALL true -');
SELECT pg_temp.finds('ALTER POLICY claim ON consign.work_queue TO PUBLIC', 'gate_policies',
    'missing policy: work_queue claim consign_spooler true', 'unknown policy: work_queue claim public true');
SELECT pg_temp.finds('ALTER POLICY tenant ON consign.batch WITH CHECK (true)', 'gate_policies',
    'missing policy: batch tenant public (org = consign.tenant_org())',
    'unknown policy: batch tenant public PERMISSIVE ALL (org = consign.tenant_org()) true');

SELECT pg_temp.finds('ALTER TABLE consign.batch ADD CONSTRAINT bad FOREIGN KEY (org) REFERENCES consign.org', 'gate_foreign_keys',
    'batch: foreign key bad is not by (org, sandbox)');
SELECT pg_temp.finds('ALTER TABLE consign.work_queue ADD CONSTRAINT bad FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox',
    'gate_foreign_keys', 'work_queue: has a foreign key: bad');

SELECT pg_temp.finds('ALTER FUNCTION consign.job_end RESET search_path', 'gate_functions', 'job_end: no fixed search_path');
SELECT pg_temp.finds('ALTER FUNCTION consign.job_end SECURITY DEFINER', 'gate_functions', 'job_end: security definer');
SELECT pg_temp.finds('ALTER ROLE consign_api BYPASSRLS', 'gate_roles', 'consign_api: bypasses row level security');
SELECT pg_temp.finds('GRANT consign_owner TO consign_spooler', 'gate_roles', 'consign_spooler: member of another role');
SELECT pg_temp.finds('ALTER TABLE consign.batch OWNER TO consign_api', 'gate_roles', 'batch: not owned by consign_owner',
    'consign_api: a program that owns something');

SELECT pg_temp.finds('DROP STATISTICS consign.batch_place', 'gate_statistics', 'batch: no statistics of (org, sandbox)');
SELECT pg_temp.finds('CREATE INDEX other ON consign.quota (org, sandbox, weight)', 'gate_statistics',
    'quota: no statistics of (org, sandbox)');
SELECT pg_temp.finds('GRANT SELECT ON consign.client TO consign_metrics', 'gate_rights', 'not in rights.txt: consign_metrics table client SELECT');
SELECT pg_temp.finds('GRANT SELECT (body) ON consign.profile_fragment TO consign_api', 'gate_rights',
    'not in rights.txt: consign_api column profile_fragment.body SELECT');
SELECT pg_temp.finds('REVOKE EXECUTE ON FUNCTION consign.now_ms FROM consign_api', 'gate_rights',
    'not in the catalog: consign_api function now_ms EXECUTE');
SELECT pg_temp.finds('CREATE FUNCTION consign.bad() RETURNS integer LANGUAGE sql AS ''SELECT 1''', 'gate_rights',
    'not in rights.txt: PUBLIC function bad EXECUTE');
SELECT * FROM finish();
ROLLBACK;
