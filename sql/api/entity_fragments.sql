-- The fragments of the profiles of some identities, for the pool to merge: p_identities is [["<ns>","<value>"],...].
-- Of each whose profile has a record under the policy (entity_policy) first a row with what is to be told of it, body
-- NULL: policy; the identities of the profile, 50 at most, as JSON; the datasets that take part, as JSON; when it
-- changed last. Then the bodies, the weakest first: the order of stmt_copy_fragments(). An identity that is not there, or
-- has no record, has no row.
-- fits: false when the fragments are more than p_most or longer than p_bytes; they are not sent then. Those of all
-- profiles together are p_bytes at most:
--   CN400  they are more      CN405  no such policy
--
-- One statement, so all is of one moment. Only keys are looked up, of the profiles asked for, whatever the planner knows
-- of the tables: for a young sandbox it takes any index on (org, sandbox) for as good as any other. Hence the orders
-- within: without sorting, only the key of profile_fragment and identity_person can give them.
CREATE OR REPLACE FUNCTION consign.entity_fragments(
    p_org integer, p_sandbox integer, p_policy text, p_identities text, p_most integer, p_bytes bigint)
    RETURNS TABLE (place integer, policy text, identities text, sources text, updated_ms bigint, fits boolean, body text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET jit = off
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS
$$
DECLARE
    rule    record;
    asked   record;
    who     record;
    least   bigint; -- the identities of the profile
    largest bigint;
    held    bigint;
    bytes   bigint;
    total   bigint := 0;
BEGIN
    SELECT * INTO rule FROM consign.entity_policy(p_org, p_sandbox, p_policy);
    FOR asked IN SELECT a.number - 1 AS place, a.pair ->> 0 AS ns, a.pair ->> 1 AS value
            FROM json_array_elements(p_identities::json) WITH ORDINALITY a(pair, number) LOOP
        SELECT i.person, i.identity INTO who FROM consign.identity i
            WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.ns = asked.ns AND i.value = asked.value;
        CONTINUE WHEN NOT FOUND;
        least := CASE WHEN rule.graph THEN 0 ELSE who.identity END;
        largest := CASE WHEN rule.graph THEN 9223372036854775807 ELSE who.identity END;
        -- the length of a body is known without reading it
        SELECT count(*), coalesce(sum(octet_length(f.body)), 0), max(f.ingested_ms), json_agg(DISTINCT f.dataset)
            INTO held, bytes, updated_ms, sources
            FROM (SELECT one.body, one.ingested_ms, one.dataset FROM consign.profile_fragment one
                WHERE one.org = p_org AND one.sandbox = p_sandbox AND one.person = who.person
                    AND one.identity >= least AND one.identity <= largest
                    AND CASE WHEN rule.datasets IS NULL THEN true ELSE one.dataset = ANY (rule.datasets) END
                ORDER BY one.person, one.identity LIMIT p_most + 1) f;
        CONTINUE WHEN held = 0;
        place := asked.place;
        policy := rule.policy;
        fits := held <= p_most AND bytes <= p_bytes;
        body := NULL;
        identities := (
            SELECT json_agg(json_build_object('id', i.value, 'namespace', json_build_object('code', i.ns)))
            FROM (SELECT one.ns, one.value FROM consign.identity one
                WHERE one.org = p_org AND one.sandbox = p_sandbox AND one.person IS NOT NULL
                    AND (one.person, one.identity) >= (who.person, least)
                    AND (one.person, one.identity) <= (who.person, largest)
                ORDER BY one.person, one.identity LIMIT 50) i);
        RETURN NEXT;
        CONTINUE WHEN NOT fits;
        total := total + bytes;
        IF total > p_bytes THEN
            RAISE EXCEPTION 'profiles too large together' USING ERRCODE = 'CN400';
        END IF;
        RETURN QUERY SELECT asked.place::integer, NULL, NULL, NULL, NULL::bigint, NULL::boolean, f.body
            FROM (SELECT one.* FROM consign.profile_fragment one
                WHERE one.org = p_org AND one.sandbox = p_sandbox AND one.person = who.person
                    AND one.identity >= least AND one.identity <= largest
                    AND CASE WHEN rule.datasets IS NULL THEN true ELSE one.dataset = ANY (rule.datasets) END
                ORDER BY one.person, one.identity LIMIT p_most) f
            ORDER BY array_position(rule.datasets, f.dataset) DESC, f.ingested_ms, f.ingested_seq, f.dataset, f.identity;
    END LOOP;
END
$$;
