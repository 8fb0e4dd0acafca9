-- The operator (consignctl, as consign_owner) sees the queue of all tenants, as the spooler does: `consignctl jobs`
-- has to show whose work waits. Whatever else the operator looks at, one tenant is set.
CREATE POLICY operator ON consign.work_queue TO consign_owner USING (true) WITH CHECK (true);
