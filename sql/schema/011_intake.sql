-- The ways in, second part: uploads that are compressed, CSV or come in pieces, batches that tolerate a share of bad
-- records, messages one by one (streams), and which records of the store a batch wrote.

-- How a client sends a batch's files, and how many of its records may be bad: with more than this percentage nothing
-- of it is kept. stream: the batch counts messages, see stream_message; nobody uploads into it.
-- The ingest times of what it wrote, from the first to the last. A file batch has one; no other batch of the sandbox
-- shares it. NULL: nothing written, or written before this was kept.
ALTER TABLE consign.batch
    ADD COLUMN input_format text NOT NULL DEFAULT 'json' CHECK (input_format IN ('json', 'csv')),
    ADD COLUMN delimiter text NOT NULL DEFAULT ',' CHECK (length(delimiter) = 1),
    ADD COLUMN bad_percent numeric NOT NULL DEFAULT 100 CHECK (bad_percent BETWEEN 0 AND 100),
    ADD COLUMN stream boolean NOT NULL DEFAULT false,
    ADD COLUMN first_stamp_ms bigint,
    ADD COLUMN last_stamp_ms bigint;
CREATE INDEX batch_stream ON consign.batch (org, sandbox, dataset, created_ms) WHERE stream;

-- encoding: what the bytes in the inbox are compressed with. whole: false while a file that comes in pieces is not
-- complete; a batch with such a file cannot be completed.
ALTER TABLE consign.batch_upload
    ADD COLUMN encoding text NOT NULL DEFAULT 'identity' CHECK (encoding IN ('identity', 'gzip', 'zstd')),
    ADD COLUMN whole boolean NOT NULL DEFAULT true;

-- Messages that were acknowledged and are not in the profile store yet. Rows go in the transaction that loads them.
CREATE TABLE consign.stream_message (
    org          integer NOT NULL,
    sandbox      integer NOT NULL,
    dataset      text NOT NULL,
    number       bigint GENERATED ALWAYS AS IDENTITY,
    received_ms  bigint NOT NULL,
    bytes        integer NOT NULL, -- of body
    body         text COMPRESSION lz4 NOT NULL, -- the record
    PRIMARY KEY (org, sandbox, dataset, number),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset
);
ALTER TABLE consign.stream_message ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.stream_message FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.stream_message USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- What an entry of kind ingest is: a batch to load; a stream to load, `batch` is then 'stream-' and the dataset;
-- or records to remove, `batch` is then 'delete-' and the system job. All of one sandbox go one after the other.
ALTER TABLE consign.work_queue
    ADD COLUMN task text NOT NULL DEFAULT 'batch' CHECK (task IN ('batch', 'stream', 'delete'));
DROP FUNCTION IF EXISTS consign.work_take(integer, integer, bigint, text, text), consign.work_claim(text);
