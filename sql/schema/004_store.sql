-- The profile store. Rows are in the order in which an export reads them: (person, identity).
--
-- A person is a connected component of identities. Until the identity graph is built, every
-- identity is a person of its own, which is what the merge policy "none" needs.

-- ingest_ms of the tenant's last loaded batch. Loads of one sandbox take this row in turn and hold
-- it until they commit, so ingest times grow in the order of the commits: what a snapshot sees is
-- exactly what is stamped up to the last_ms that it sees. That makes last_ms the watermark.
CREATE TABLE consign.ingest_clock (
    org      integer NOT NULL,
    sandbox  integer NOT NULL,
    last_ms  bigint NOT NULL,
    PRIMARY KEY (org, sandbox),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);

CREATE SEQUENCE consign.identity_number;

CREATE TABLE consign.identity (
    org       integer NOT NULL,
    sandbox   integer NOT NULL,
    ns        text NOT NULL,
    value     text NOT NULL,
    identity  bigint NOT NULL DEFAULT nextval('consign.identity_number'),
    person    bigint NOT NULL DEFAULT currval('consign.identity_number'),
    PRIMARY KEY (org, sandbox, ns, value),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);

-- One row an identity and dataset: the record ingested last.
CREATE TABLE consign.profile_fragment (
    org          integer NOT NULL,
    sandbox      integer NOT NULL,
    person       bigint NOT NULL,
    identity     bigint NOT NULL,
    dataset      text NOT NULL,
    ingested_ms  bigint NOT NULL,
    body         text COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (org, sandbox, person, identity, dataset),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset
);

-- One row an identity and event id: the record ingested last.
CREATE TABLE consign.profile_event (
    org          integer NOT NULL,
    sandbox      integer NOT NULL,
    person       bigint NOT NULL,
    identity     bigint NOT NULL,
    event_id     text NOT NULL,
    dataset      text NOT NULL,
    time_ms      bigint NOT NULL,
    ingested_ms  bigint NOT NULL,
    body         text COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (org, sandbox, person, identity, event_id),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset
);
