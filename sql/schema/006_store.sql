-- The profile store, second part: the identity graph and the observed schemas.

-- Position in its batch of the record that a row holds: with ingested_ms, the order of ingestion. 0 in rows
-- from before.
ALTER TABLE consign.profile_fragment ADD COLUMN ingested_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE consign.profile_event ADD COLUMN ingested_seq bigint NOT NULL DEFAULT 0;

-- A person is a connected component of identities; batch_load() joins them. This finds the identities of a
-- person, and how many a sandbox has stands in its clock row, which a load holds anyway. The condition, always true,
-- keeps the index from queries that don't speak of persons: without statistics of a young sandbox the planner takes it
-- for as good as the primary key to find one identity, and reads them all.
CREATE INDEX identity_person ON consign.identity (org, sandbox, person) WHERE person IS NOT NULL;
ALTER TABLE consign.ingest_clock ADD COLUMN identities bigint NOT NULL DEFAULT 0;

-- Which members the records of a dataset have, in the form of core/observed. Written in the transaction that
-- stores the records, so whatever a snapshot sees of a dataset, it also sees described. A dataset that holds
-- records has a row; without a schema when it had records before schemas were kept: nobody knows them then.
CREATE TABLE consign.observed_schema (
    org         integer NOT NULL,
    sandbox     integer NOT NULL,
    dataset     text NOT NULL,
    schema      text COMPRESSION lz4,
    updated_ms  bigint NOT NULL,
    PRIMARY KEY (org, sandbox, dataset),
    FOREIGN KEY (org, sandbox, dataset) REFERENCES consign.dataset
);
ALTER TABLE consign.observed_schema ENABLE ROW LEVEL SECURITY;
ALTER TABLE consign.observed_schema FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consign.observed_schema USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- What is stored already. The policies bind the owner too, so it is done for one org at a time.
DO $$
DECLARE
    tenant integer;
BEGIN
    FOR tenant IN SELECT o.org FROM consign.org o ORDER BY o.org LOOP
        PERFORM set_config('consign.org', tenant::text, true);
        UPDATE consign.ingest_clock c
            SET identities = (SELECT count(*) FROM consign.identity i WHERE i.org = c.org AND i.sandbox = c.sandbox)
            WHERE c.org = tenant;
        INSERT INTO consign.observed_schema (org, sandbox, dataset, schema, updated_ms)
            SELECT d.org, d.sandbox, d.dataset, NULL, consign.now_ms() FROM consign.dataset d
            WHERE d.org = tenant AND (
                EXISTS (SELECT FROM consign.profile_fragment f
                    WHERE f.org = d.org AND f.sandbox = d.sandbox AND f.dataset = d.dataset)
                OR EXISTS (SELECT FROM consign.profile_event e
                    WHERE e.org = d.org AND e.sandbox = d.sandbox AND e.dataset = d.dataset));
    END LOOP;
    PERFORM set_config('consign.org', '', true);
END
$$;
