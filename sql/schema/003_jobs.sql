-- Export jobs, the queue of live work beside them, and the idempotency keys.

-- status, and who moves it on (contract.md section 5):
--   NEW         accepted and durable; a queue entry exists (api)
--   PROCESSING  claimed by an attempt (spooler)
--   CANCELLING  claimed, and asked to stop (api)
--   SUCCEEDED, FAILED, CANCELLED  the end; the queue entry is gone (spooler; CANCELLED also api)
CREATE TABLE consign.export_job (
    org                   integer NOT NULL,
    sandbox               integer NOT NULL,
    job                   bigint NOT NULL CHECK (job BETWEEN 1 AND 9007199254740991),
    status                text NOT NULL CHECK (status IN ('NEW', 'PROCESSING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    dataset               text NOT NULL,
    batch                 text NOT NULL,
    merge_policy          text NOT NULL,
    merge_policy_version  integer NOT NULL,
    fields                text,
    filter                text,
    additional_fields     text,
    profile_instance_id   text NOT NULL,
    request_id            text NOT NULL,
    created_client        text NOT NULL,
    created_ms            bigint NOT NULL,
    updated_ms            bigint NOT NULL,
    ended_ms              bigint,
    attempt               text,
    push                  text,
    export_start_ms       bigint,
    export_end_ms         bigint,
    write_start_ms        bigint,
    write_end_ms          bigint,
    watermark_ms          bigint,
    profiles              bigint,
    events                bigint,
    by_namespace          text,
    skipped               text,
    errors                text,
    PRIMARY KEY (org, sandbox, job),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset,
    FOREIGN KEY (org, sandbox, batch) REFERENCES consign.batch
);
-- A job's number grows with its creation time, so the primary key serves the lists by creation.
CREATE INDEX export_job_updated ON consign.export_job (org, sandbox, updated_ms, job);
CREATE INDEX export_job_status ON consign.export_job (org, sandbox, status, job);
CREATE INDEX export_job_status_updated ON consign.export_job (org, sandbox, status, updated_ms, job);

-- Written at most once a second by the attempt; apart from the job so that a long snapshot does not
-- bloat the rows that clients poll.
CREATE TABLE consign.export_progress (
    org                 integer NOT NULL,
    sandbox             integer NOT NULL,
    job                 bigint NOT NULL,
    phase               text NOT NULL,
    profiles_done       bigint NOT NULL,
    profiles_estimated  bigint NOT NULL,
    files_written       bigint NOT NULL,
    PRIMARY KEY (org, sandbox, job)
) WITH (fillfactor = 50);

CREATE VIEW consign.job_document WITH (security_invoker = true) AS
SELECT j.*, p.phase, p.profiles_done, p.profiles_estimated, p.files_written
FROM consign.export_job j LEFT JOIN consign.export_progress p USING (org, sandbox, job);

-- Live work: export jobs and batches to load. Small, without foreign keys, so that claiming across
-- tenants stays one short statement. An entry is claimed while its attempt is set; the session that
-- claimed it holds the advisory lock `entry`, and losing that lock is what makes it an orphan.
CREATE TABLE consign.work_queue (
    org            integer NOT NULL,
    sandbox        integer NOT NULL,
    entry          bigint GENERATED ALWAYS AS IDENTITY,
    kind           text NOT NULL CHECK (kind IN ('export', 'ingest')),
    job            bigint, -- of an export
    batch          text NOT NULL,
    attempt        text,
    attempts       integer NOT NULL DEFAULT 0,
    cancel         boolean NOT NULL DEFAULT false,
    created_ms     bigint NOT NULL,
    not_before_ms  bigint NOT NULL DEFAULT 0,
    last_fault     text,
    PRIMARY KEY (org, sandbox, entry)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX work_queue_batch ON consign.work_queue (org, sandbox, batch);
-- What a claim looks up, so that its cost does not grow with how much work waits: the oldest entry of a
-- kind in a sandbox, and the entries that somebody works on.
CREATE INDEX work_queue_kind ON consign.work_queue (org, sandbox, kind, entry);
CREATE INDEX work_queue_claimed ON consign.work_queue (org, entry) WHERE attempt IS NOT NULL;

CREATE TABLE consign.idempotency_key (
    org         integer NOT NULL,
    sandbox     integer NOT NULL,
    route       text NOT NULL,
    key_sha256  text NOT NULL,
    body_sha256 text NOT NULL,
    object      text NOT NULL, -- what the first call made
    created_ms  bigint NOT NULL,
    PRIMARY KEY (org, sandbox, route, key_sha256)
);
CREATE INDEX idempotency_key_created ON consign.idempotency_key (created_ms);
