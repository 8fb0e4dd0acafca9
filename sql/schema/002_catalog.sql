-- The catalog: datasets, batches and what they hold. Every key begins with (org, sandbox).

CREATE TABLE consign.dataset (
    org                  integer NOT NULL,
    sandbox              integer NOT NULL,
    dataset              text NOT NULL CHECK (dataset ~ '^[0-9a-f]{24}$'),
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description          text,
    schema_id            text NOT NULL,
    schema_content_type  text NOT NULL,
    class                text NOT NULL CHECK (class IN ('profile_union', 'profile', 'experienceevent')),
    format               text NOT NULL CHECK (format IN ('json', 'parquet')),
    compression          text NOT NULL CHECK (compression IN ('zstd', 'none', 'snappy')),
    tags                 text,
    created_ms           bigint NOT NULL,
    updated_ms           bigint NOT NULL,
    created_client       text NOT NULL,
    version              integer NOT NULL DEFAULT 1,
    PRIMARY KEY (org, sandbox, dataset),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);
CREATE INDEX dataset_created ON consign.dataset (org, sandbox, created_ms, dataset);
CREATE INDEX dataset_updated ON consign.dataset (org, sandbox, updated_ms, dataset);
CREATE INDEX dataset_name ON consign.dataset (org, sandbox, name, dataset);

-- One row for what a client uploaded (kind ingest) or what a job is to publish (kind export).
-- status, and who moves it on:
--   loading     a client may add files (api)
--   processing  complete, waiting for or in the hands of a spooler worker (api)
--   active      an export job is to fill it; nobody sees it yet (api)
--   success     whole and durable (spooler)
--   failed      nothing of it was kept; errors say why (spooler)
--   aborted     given up by the client, or its job was cancelled (api, spooler)
CREATE TABLE consign.batch (
    org             integer NOT NULL,
    sandbox         integer NOT NULL,
    batch           text NOT NULL CHECK (batch ~ '^[0-9a-f]{32}$'),
    dataset         text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('ingest', 'export')),
    status          text NOT NULL CHECK (status IN ('loading', 'processing', 'active', 'success', 'failed', 'aborted')),
    attempt         text, -- whose files were published; part of their path
    created_ms      bigint NOT NULL,
    updated_ms      bigint NOT NULL,
    started_ms      bigint,
    completed_ms    bigint,
    created_client  text NOT NULL,
    version         integer NOT NULL DEFAULT 1,
    input_records   bigint,
    output_records  bigint,
    failed_records  bigint,
    input_bytes     bigint,
    output_bytes    bigint,
    errors          text,
    PRIMARY KEY (org, sandbox, batch),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset
);
CREATE INDEX batch_created ON consign.batch (org, sandbox, created_ms, batch);
CREATE INDEX batch_updated ON consign.batch (org, sandbox, updated_ms, batch);
CREATE INDEX batch_dataset ON consign.batch (org, sandbox, dataset, created_ms, batch);

-- The files of a published export batch. `part` counts from 0; the manifest is not a row.
CREATE TABLE consign.batch_file (
    org      integer NOT NULL,
    sandbox  integer NOT NULL,
    batch    text NOT NULL,
    part     integer NOT NULL,
    name     text NOT NULL,
    records  bigint NOT NULL,
    bytes    bigint NOT NULL,
    sha256   text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (org, sandbox, batch, part),
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);

-- A file that a client put into a batch. Its bytes lie in the inbox under `object`, never under
-- the client's name.
CREATE TABLE consign.batch_upload (
    org      integer NOT NULL,
    sandbox  integer NOT NULL,
    batch    text NOT NULL,
    name     text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    object   text NOT NULL CHECK (object ~ '^[0-9a-f-]{36}$'),
    bytes    bigint NOT NULL,
    PRIMARY KEY (org, sandbox, batch, name),
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);

-- The first refused records of an ingested batch (setting ingest.errors_kept); the count of all is
-- batch.failed_records.
CREATE TABLE consign.batch_error (
    org          integer NOT NULL,
    sandbox      integer NOT NULL,
    batch        text NOT NULL,
    number       integer NOT NULL,
    file         text NOT NULL,
    line         bigint NOT NULL,
    byte_offset  bigint NOT NULL,
    code         text NOT NULL,
    reason       text NOT NULL,
    record       text NOT NULL,
    PRIMARY KEY (org, sandbox, batch, number),
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);
