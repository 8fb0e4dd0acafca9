-- Row level security: the second wall behind "WHERE org = $1 AND sandbox = $2".
-- Enabled and forced on every table with tenant rows, so that the owner is bound too.
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['dataset', 'batch', 'batch_file', 'batch_upload', 'batch_error', 'export_job',
        'export_progress', 'work_queue', 'idempotency_key', 'ingest_clock', 'identity', 'profile_fragment',
        'profile_event'] LOOP
        EXECUTE format('ALTER TABLE consign.%I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE consign.%I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY tenant ON consign.%I USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org())',
                       tenant_table);
    END LOOP;
END
$$;
-- The queue is where the spooler learns which tenant is next, so for it, and it alone, all entries show.
-- A permissive policy is OR-ed with `tenant`, whose function raises; hence the split by role.
DROP POLICY tenant ON consign.work_queue;
CREATE POLICY tenant ON consign.work_queue TO consign_api
    USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
CREATE POLICY claim ON consign.work_queue TO consign_spooler USING (true) WITH CHECK (true);

-- Idempotency keys end after 24 h, and then the spooler's sweep removes them: it sees the keys of all
-- tenants, but none that still counts.
DROP POLICY tenant ON consign.idempotency_key;
CREATE POLICY tenant ON consign.idempotency_key TO consign_api
    USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
CREATE POLICY expire ON consign.idempotency_key TO consign_spooler
    USING (created_ms < consign.now_ms() - 86400000) WITH CHECK (created_ms < consign.now_ms() - 86400000);
