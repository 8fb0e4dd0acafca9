-- Enters the identities of the staged records (batch_load) and links those of one record: from then on
-- they are one person, with all that they were linked to before. Leaves the temporary table link_identity with
-- every identity of the batch (ns, value, identity, person), and answers how many are new.
--
-- The caller holds the sandbox's clock row, so the graph stands still but for what is done here. Every step is a scan or
-- a hash of what the batch has, or a look-up by key: no batch and no graph makes it quadratic.
-- p_few: the batch is small beside the store. It is not left to the planner how they are joined, because without
-- statistics of a young sandbox it takes it for empty; nor by which index one is looked up: of a table that was nearly
-- empty when it was last vacuumed it takes each index entry for many pages, and would rather read the table once a name.
CREATE OR REPLACE FUNCTION consign.identity_link(p_org integer, p_sandbox integer, p_few boolean)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_nestloop = on SET enable_seqscan = on SET enable_sort = on AS
$$
DECLARE
    rows bigint;
BEGIN
    IF p_few THEN
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
        CREATE TEMP TABLE link_name ON COMMIT DROP AS
            SELECT n.ns, n.value, i.identity, i.person
            FROM (SELECT DISTINCT unnest(ARRAY[s.ns] || s.link_ns) AS ns, unnest(ARRAY[s.value] || s.link_value) AS value
                FROM pg_temp.ingest_stage s) n
            LEFT JOIN LATERAL (SELECT x.identity, x.person FROM consign.identity x
                WHERE x.org = p_org AND x.sandbox = p_sandbox AND x.ns = n.ns AND x.value BETWEEN n.value AND n.value
                ORDER BY x.value -- which the primary key alone answers unsorted
                OFFSET 0) i ON true; -- OFFSET 0: looked up one by one
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true);
    ELSE
        PERFORM set_config('enable_nestloop', 'off', true);
        CREATE TEMP TABLE link_name ON COMMIT DROP AS
            SELECT n.ns, n.value, i.identity, i.person
            FROM (SELECT DISTINCT unnest(ARRAY[s.ns] || s.link_ns) AS ns, unnest(ARRAY[s.value] || s.link_value) AS value
                FROM pg_temp.ingest_stage s) n
            LEFT JOIN consign.identity i
                ON i.org = p_org AND i.sandbox = p_sandbox AND i.ns = n.ns AND i.value = n.value;
        PERFORM set_config('enable_nestloop', 'on', true);
    END IF;
    -- A new one is a person of its own for now. Numbers are drawn in the order of the values, so within a namespace
    -- both indexes grow in order. (By value first: few namespaces say little to a sort. COLLATE: the same order, and
    -- quick; OFFSET 0: a number is drawn once.)
    CREATE TEMP TABLE link_identity ON COMMIT DROP AS
        SELECT d.ns, d.value, d.identity, coalesce(d.held, d.identity) AS person, d.held IS NULL AS fresh
        FROM (SELECT n.ns, n.value, coalesce(n.identity, nextval('consign.identity_number')) AS identity, n.person AS held
            FROM (SELECT * FROM pg_temp.link_name ORDER BY value COLLATE "C", ns COLLATE "C" OFFSET 0) n
            OFFSET 0) d;
    GET DIAGNOSTICS rows = ROW_COUNT;
    -- without figures the planner knows a temporary table's size but nothing of what is in it
    IF rows > 1000 THEN
        ANALYZE pg_temp.link_identity;
    END IF;

    IF EXISTS (SELECT FROM pg_temp.ingest_stage s WHERE s.link_ns IS NOT NULL) THEN
        PERFORM consign.identity_join(p_org, p_sandbox);
    END IF;

    INSERT INTO consign.identity (org, sandbox, ns, value, identity, person)
        SELECT p_org, p_sandbox, n.ns, n.value, n.identity, n.person
        FROM pg_temp.link_identity n WHERE n.fresh; -- which lie in their order
    GET DIAGNOSTICS rows = ROW_COUNT;
    DROP TABLE pg_temp.link_name;
    RETURN rows;
END
$$;
