-- System jobs: what a tenant asked to have removed from the profile store.

-- what: all records of `dataset`; those that `batch` (of that dataset) wrote; or the profile of identity (ns, value),
-- whose value is forgotten when it is done.
-- status: NEW (a queue entry exists), PROCESSING, COMPLETED, ERROR.
CREATE TABLE consign.system_job (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    job             text NOT NULL CHECK (job ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    what            text NOT NULL CHECK (what IN ('dataset', 'batch', 'profile')),
    dataset         text,
    batch           text,
    ns              text,
    value           text,
    status          text NOT NULL CHECK (status IN ('NEW', 'PROCESSING', 'COMPLETED', 'ERROR')),
    removed         bigint, -- records
    created_ms      bigint NOT NULL,
    updated_ms      bigint NOT NULL,
    created_client  text NOT NULL,
    PRIMARY KEY (org, sandbox, job),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset,
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);
CREATE INDEX system_job_created ON consign.system_job (org, sandbox, created_ms, job);
ALTER TABLE consign.system_job ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.system_job FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.system_job USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- A profile is removed by its identities, and a person's rows are found by the keys they have; a dataset's or a
-- batch's are not, and reading the sandbox for them is what such a job costs.
