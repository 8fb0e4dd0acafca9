-- Finds which persons the links of the staged records make one, gives the identities in link_identity their
-- person, and moves what is stored under those persons that lose their name. Part of identity_link.
--
-- The winner is the stored person with the most identities, so an identity that moves at least doubles its person:
-- however the links come, one moves log2(identities) times at most.
CREATE OR REPLACE FUNCTION consign.identity_join(p_org integer, p_sandbox integer)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_sort = off AS
$$
DECLARE
    parent integer[];
    edge   record;
    rows   bigint;
    a      integer;
    b      integer;
    up     integer;
    bound  integer := 0;
BEGIN
    CREATE TEMP TABLE link_all ON COMMIT DROP AS
        SELECT x.person AS a, x.fresh AS a_fresh, y.person AS b, y.fresh AS b_fresh
        FROM (SELECT s.ns, s.value, unnest(s.link_ns) AS link_ns, unnest(s.link_value) AS link_value
            FROM pg_temp.ingest_stage s WHERE s.link_ns IS NOT NULL) l
        JOIN pg_temp.link_identity x ON x.ns = l.ns AND x.value = l.value
        JOIN pg_temp.link_identity y ON y.ns = l.link_ns AND y.value = l.link_value
        WHERE x.person <> y.person;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows > 1000 THEN
        ANALYZE pg_temp.link_all;
    END IF;
    -- Most links join two that nothing else joins, one of them new: a pair, and who moves is known at once.
    CREATE TEMP TABLE link_edge ON COMMIT DROP AS
        WITH once AS MATERIALIZED (
            SELECT p.person FROM (SELECT e.a AS person FROM pg_temp.link_all e UNION ALL SELECT e.b FROM pg_temp.link_all e) p
            GROUP BY p.person HAVING count(*) = 1)
        SELECT e.*, (e.a_fresh OR e.b_fresh) AND x.person IS NOT NULL AND y.person IS NOT NULL AS pair
        FROM pg_temp.link_all e LEFT JOIN once x ON x.person = e.a LEFT JOIN once y ON y.person = e.b;
    CREATE TEMP TABLE link_moved ON COMMIT DROP AS
        SELECT CASE WHEN NOT e.a_fresh THEN e.b WHEN NOT e.b_fresh THEN e.a ELSE greatest(e.a, e.b) END AS person,
            CASE WHEN NOT e.a_fresh THEN e.a WHEN NOT e.b_fresh THEN e.b ELSE least(e.a, e.b) END AS winner, true AS fresh
        FROM pg_temp.link_edge e WHERE e.pair;

    CREATE TEMP TABLE link_person ON COMMIT DROP AS
        SELECT p.person, p.fresh, row_number() OVER ()::integer AS number
        FROM (SELECT e.a AS person, e.a_fresh AS fresh FROM pg_temp.link_edge e WHERE NOT e.pair
            UNION SELECT e.b, e.b_fresh FROM pg_temp.link_edge e WHERE NOT e.pair) p;
    IF rows > 1000 THEN
        ANALYZE pg_temp.link_edge, pg_temp.link_person;
    END IF;

    -- Union-find. The root of a tree is its lowest number. An array is changed in place only by an assignment
    -- that does not read it.
    parent := ARRAY(SELECT generate_series(1, (SELECT count(*) FROM pg_temp.link_person)::integer));
    FOR edge IN SELECT x.number AS a, y.number AS b FROM pg_temp.link_edge e
            JOIN pg_temp.link_person x ON x.person = e.a JOIN pg_temp.link_person y ON y.person = e.b
            WHERE NOT e.pair LOOP
        a := edge.a;
        b := edge.b;
        LOOP
            up := parent[a];
            EXIT WHEN up = a;
            up := parent[up];
            parent[a] := up;
            a := up;
        END LOOP;
        LOOP
            up := parent[b];
            EXIT WHEN up = b;
            up := parent[up];
            parent[b] := up;
            b := up;
        END LOOP;
        IF a < b THEN
            parent[b] := a;
        ELSIF b < a THEN
            parent[a] := b;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(parent) LOOP
        up := parent[i];
        up := parent[up];
        parent[i] := up;
    END LOOP;
    CREATE TEMP TABLE link_group ON COMMIT DROP AS
        SELECT parent[p.number] AS root, p.person, p.fresh, 0 AS size FROM pg_temp.link_person p;

    -- Where stored persons meet, the sizes are counted as far as it takes to find the largest, which costs no more
    -- than moving the others. In order of persons, for what identity_move says of it.
    WHILE EXISTS (SELECT FROM pg_temp.link_group g WHERE NOT g.fresh AND g.size = bound GROUP BY g.root HAVING count(*) > 1) LOOP
        UPDATE pg_temp.link_group g
            SET size = (SELECT count(*) FROM (SELECT FROM consign.identity i
                WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.person BETWEEN g.person AND g.person
                ORDER BY i.person LIMIT greatest(bound * 8, 16)) counted)
            WHERE NOT g.fresh AND g.size = bound AND g.root IN (
                SELECT h.root FROM pg_temp.link_group h WHERE NOT h.fresh AND h.size = bound GROUP BY h.root HAVING count(*) > 1);
        bound := greatest(bound * 8, 16);
    END LOOP;

    INSERT INTO pg_temp.link_moved
        SELECT o.person, o.winner, o.fresh
        FROM (SELECT g.person, g.fresh, first_value(g.person) OVER (
                  PARTITION BY g.root ORDER BY g.fresh, g.size DESC, g.person) AS winner FROM pg_temp.link_group g) o
        WHERE o.person <> o.winner;
    ANALYZE pg_temp.link_moved;
    -- A new table and no UPDATE: that leaves every second row dead and the others out of their order.
    CREATE TEMP TABLE link_joined ON COMMIT DROP AS
        SELECT n.ns, n.value, n.identity, coalesce(m.winner, n.person) AS person, n.fresh
        FROM pg_temp.link_identity n LEFT JOIN pg_temp.link_moved m ON m.person = n.person;
    DROP TABLE pg_temp.link_identity;
    ALTER TABLE pg_temp.link_joined RENAME TO link_identity;
    IF rows > 1000 THEN
        ANALYZE pg_temp.link_identity;
    END IF;
    PERFORM consign.identity_move(p_org, p_sandbox);
    DROP TABLE pg_temp.link_all, pg_temp.link_edge, pg_temp.link_person, pg_temp.link_group, pg_temp.link_moved;
END
$$;
