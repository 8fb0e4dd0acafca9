-- What an org, or one of its sandboxes, may take of the service, and whose turn it is.

-- Set by the operator (consignctl quota). A row without a sandbox (0) is the org's; what is NULL is the default.
CREATE TABLE consign.quota (
    org              integer NOT NULL,
    sandbox          integer NOT NULL DEFAULT 0,
    weight           integer CHECK (weight BETWEEN 1 AND 1000),  -- its share when several wait; default 1
    running_most     integer CHECK (running_most > 0),           -- pieces of work at a time; default: no bound
    live_most        integer CHECK (live_most >= 0),             -- export jobs that have not ended; default: see job_create
    lake_bytes_most  bigint CHECK (lake_bytes_most >= 0),        -- of published batches; default: no bound
    PRIMARY KEY (org, sandbox)
);
ALTER TABLE consign.quota ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.quota FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.quota TO consign_api
    USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
CREATE POLICY claim ON consign.quota FOR SELECT TO consign_spooler USING (true); -- a claim compares all orgs with work
CREATE POLICY operator ON consign.quota TO consign_owner USING (true) WITH CHECK (true);

-- Bytes of the published batches that have not expired. Changes in the transactions that publish and expire them.
CREATE TABLE consign.lake_usage (
    org      integer NOT NULL,
    sandbox  integer NOT NULL,
    bytes    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org, sandbox)
) WITH (fillfactor = 50);
ALTER TABLE consign.lake_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.lake_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.lake_usage USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());
DO $$
DECLARE
    place record;
BEGIN
    FOR place IN SELECT o.org FROM consign.org o LOOP
        PERFORM set_config('consign.org', place.org::text, true);
        INSERT INTO consign.lake_usage (org, sandbox, bytes)
            SELECT b.org, b.sandbox, coalesce(sum(b.output_bytes), 0) FROM consign.batch b
            WHERE b.org = place.org AND b.kind = 'export' AND b.status = 'success' GROUP BY b.org, b.sandbox;
    END LOOP;
END
$$;

-- When work of a kind in a sandbox was claimed last. Who waits longest, by weight, is next (work_claim). A crash of the
-- database empties the table, and then all are equal.
CREATE UNLOGGED TABLE consign.work_turn (
    org        integer NOT NULL,
    sandbox    integer NOT NULL,
    kind       text NOT NULL,
    served_ms  bigint NOT NULL,
    PRIMARY KEY (org, sandbox, kind)
) WITH (fillfactor = 50);
ALTER TABLE consign.work_turn ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.work_turn FORCE ROW LEVEL SECURITY;
CREATE POLICY claim ON consign.work_turn TO consign_spooler USING (true) WITH CHECK (true);
