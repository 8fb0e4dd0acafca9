-- The first rows of what an export wrote, for clients to look at (sql/api/preview_keep.sql).

-- Of each dataset that exports fill, those of the job that was published last; none of datasets that were filled before
-- this table was. Made in the transaction that publishes the job, deleted in the one in which the first of its batches
-- expires: so who sees it sees the batches too.
CREATE TABLE consign.dataset_preview (
    org           integer NOT NULL,
    sandbox       integer NOT NULL,
    dataset       text NOT NULL,
    job           bigint NOT NULL,
    batch_ids     text[] NOT NULL, -- that the job filled
    completed_ms  bigint NOT NULL,
    total         bigint NOT NULL, -- rows that the job wrote
    shown         bigint NOT NULL, -- rows in body
    body          text COMPRESSION lz4 NOT NULL, -- JSON objects with commas between
    PRIMARY KEY (org, sandbox, dataset),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset ON DELETE CASCADE
);
ALTER TABLE consign.dataset_preview ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.dataset_preview FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.dataset_preview USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- What a helper hands over of it, in the form of fcgi/export/preview.h.
ALTER TABLE consign.export_helper ADD COLUMN preview text COMPRESSION lz4;

-- Their new forms are in sql/api, which replaces a function only when its arguments stay.
DROP FUNCTION IF EXISTS consign.job_publish, consign.help_end;
