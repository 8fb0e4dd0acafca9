-- The sum of several {name: number} texts, member by member and without zeros; '{}' for none.
CREATE OR REPLACE FUNCTION consign.counts_sum(p_counts text[])
    RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS
$$
SELECT coalesce('{' || string_agg(to_json(s.name)::text || ':' || s.total, ',' ORDER BY s.total DESC, s.name) || '}', '{}')
FROM (SELECT m.key AS name, sum(m.value::bigint) AS total
      FROM unnest(p_counts) AS c(counts), json_each_text(c.counts::json) m
      GROUP BY m.key HAVING sum(m.value::bigint) > 0) s
$$;
