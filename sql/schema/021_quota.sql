-- What an org, or one of its sandboxes, may take of the service, and whose turn it is.

-- Set by the operator (consignctl quota). A row without a sandbox (0) is the org's; what is NULL is the default.
CREATE TABLE consign.quota (
    org              integer NOT NULL,
    sandbox          integer NOT NULL DEFAULT 0,
    weight           integer CHECK (weight BETWEEN 1 AND 1000),  -- its share when several wait; default 1
    running_most     integer CHECK (running_most > 0),           -- pieces of work at a time; default: no bound
    live_most        integer CHECK (live_most >= 0),             -- export jobs that have not ended; default: see quota_admit
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

-- Whose turn it is to have work claimed (work_claim, work_take). Start-time fair queueing: a turn of who has the weight w
-- takes 1/w of a time that only turns move on (in millionths), and who would begin the next one soonest is next. Who
-- had nothing to do begins at the present and not in the past, so that nobody saves turns up. No clock of a machine
-- has a part in it. A crash of the database empties the table, and then all are equal.
--   (0, 0)          all orgs: `clock` is their present: when the last turn began
--   (org, 0)        an org: its last turn, and the clock of its sandboxes
--   (org, sandbox)  a sandbox: its last turn among those of its org, and the kind of work that it was
CREATE UNLOGGED TABLE consign.work_turn (
    org        integer NOT NULL,
    sandbox    integer NOT NULL,
    begins     bigint NOT NULL DEFAULT 0,
    clock      bigint NOT NULL DEFAULT 0,
    kind       text,
    PRIMARY KEY (org, sandbox)
) WITH (fillfactor = 50);
ALTER TABLE consign.work_turn ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.work_turn FORCE ROW LEVEL SECURITY;
CREATE POLICY claim ON consign.work_turn TO consign_spooler USING (true) WITH CHECK (true);
CREATE POLICY operator ON consign.work_turn TO consign_owner USING (true) WITH CHECK (true);

ALTER TABLE consign.export_helper ADD COLUMN bytes bigint NOT NULL DEFAULT 0; -- that it has written so far
DROP FUNCTION IF EXISTS consign.work_claim(text),
    consign.job_beat(integer, integer, bigint, text, text, text, bigint, bigint, bigint),
    consign.help_beat(integer, integer, bigint, text, text, text, bigint, bigint);
