-- Exports that several workers write: the ranges of persons that the attempt which owns the job has cut the
-- store into, and the workers that help it. Rows live as long as the attempt's run.
ALTER TABLE consign.work_queue ADD COLUMN snapshot text; -- of an export: open for helpers, who import it
CREATE INDEX work_queue_open ON consign.work_queue (entry) WHERE snapshot IS NOT NULL;

CREATE TABLE consign.export_share (
    org          integer NOT NULL,
    sandbox      integer NOT NULL,
    job          bigint NOT NULL,
    share        integer NOT NULL,
    person_from  bigint NOT NULL, -- this one included
    person_to    bigint NOT NULL, -- this one not
    taken_by     text,            -- a helper, or the attempt itself; NULL: nobody yet
    PRIMARY KEY (org, sandbox, job, share)
) WITH (fillfactor = 50);

-- status: working, and done when its files are whole and durable. Only a done helper's files are taken, and a row
-- that the attempt has removed can't become done any more: its worker may stand still and go on later.
CREATE TABLE consign.export_helper (
    org           integer NOT NULL,
    sandbox       integer NOT NULL,
    job           bigint NOT NULL,
    helper        text NOT NULL,
    attempt       text NOT NULL,   -- whom it helps
    liveness      bigint NOT NULL, -- the advisory lock that its session holds
    status        text NOT NULL CHECK (status IN ('working', 'done')),
    beat_ms       bigint NOT NULL,
    profiles      bigint NOT NULL DEFAULT 0,
    files_written bigint NOT NULL DEFAULT 0,
    events        bigint NOT NULL DEFAULT 0,
    too_many      bigint NOT NULL DEFAULT 0,
    too_large     bigint NOT NULL DEFAULT 0,
    by_namespace  text NOT NULL DEFAULT '{}',
    files         text NOT NULL DEFAULT '[]', -- [{"target","name","rows","bytes","sha256"}, ...]
    PRIMARY KEY (org, sandbox, job, helper)
) WITH (fillfactor = 50);

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['export_share', 'export_helper'] LOOP
        EXECUTE format('ALTER TABLE consign.%I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE consign.%I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY tenant ON consign.%I USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org())',
                       tenant_table);
    END LOOP;
END
$$;
