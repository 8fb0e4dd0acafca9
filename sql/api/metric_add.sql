-- Adds to the counters of what the spoolers have done. In the order of their names, so that no two calls wait for each
-- other.
CREATE OR REPLACE FUNCTION consign.metric_add(p_names text[], p_counts bigint[]) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog AS
$$
INSERT INTO consign.metric_count AS m (name, count)
    SELECT a.name, a.count FROM unnest(p_names, p_counts) AS a(name, count) ORDER BY a.name
    ON CONFLICT (name) DO UPDATE SET count = m.count + EXCLUDED.count
$$;
