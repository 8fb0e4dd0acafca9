-- Removes the records of a dataset that were ingested from p_first_ms to p_last_ms (NULL: all), without those that a
-- batch loaded meanwhile from files brought; and the identities of the persons that hold nothing any more. Answers how
-- many records that were. The caller holds the sandbox's clock row.
--
-- Nothing finds a dataset's rows but reading the sandbox, once a table. Hence no loop over rows anywhere, whatever the
-- planner knows: what is joined is hashed or merged.
CREATE OR REPLACE FUNCTION consign.record_remove(
    p_org integer, p_sandbox integer, p_dataset text, p_first_ms bigint, p_last_ms bigint)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off SET enable_nestloop = off SET jit = off
    SET work_mem = '32MB' AS
$$
DECLARE
    removed bigint;
    gone    bigint;
    others  bigint[];
    first_ms constant bigint := coalesce(p_first_ms, 0);
    last_ms  constant bigint := coalesce(p_last_ms, 9223372036854775807);
BEGIN
    -- batches of messages have a range, into which the time of another batch may fall; a batch of files has one time
    others := CASE WHEN p_first_ms < p_last_ms THEN ARRAY(SELECT b.first_stamp_ms FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset AND NOT b.stream
            AND b.first_stamp_ms BETWEEN p_first_ms AND p_last_ms) ELSE '{}' END;
    CREATE TEMP TABLE remove_person (person bigint) ON COMMIT DROP;
    IF (SELECT d.class FROM consign.dataset d
            WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset) = 'profile' THEN
        WITH gone AS (DELETE FROM consign.profile_fragment f
            WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.dataset = p_dataset
                AND f.ingested_ms BETWEEN first_ms AND last_ms AND f.ingested_ms <> ALL (others)
            RETURNING f.person)
        INSERT INTO pg_temp.remove_person SELECT g.person FROM gone g;
    ELSE
        WITH gone AS (DELETE FROM consign.profile_event e
            WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.dataset = p_dataset
                AND e.ingested_ms BETWEEN first_ms AND last_ms AND e.ingested_ms <> ALL (others)
            RETURNING e.person)
        INSERT INTO pg_temp.remove_person SELECT g.person FROM gone g;
    END IF;
    GET DIAGNOSTICS removed = ROW_COUNT;
    ANALYZE pg_temp.remove_person;

    DELETE FROM consign.identity i
        USING (SELECT DISTINCT r.person FROM pg_temp.remove_person r
            WHERE NOT EXISTS (SELECT FROM consign.profile_fragment f
                WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.person = r.person)
            AND NOT EXISTS (SELECT FROM consign.profile_event e
                WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = r.person)) bare
        WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.person = bare.person;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE consign.ingest_clock c SET identities = c.identities - gone
        WHERE c.org = p_org AND c.sandbox = p_sandbox;
    DROP TABLE pg_temp.remove_person;
    RETURN removed;
END
$$;
