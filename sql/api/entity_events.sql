-- A page of the events of each of some identities or, under a policy with a graph, persons: p_identities is
-- [["<ns>","<value>"],...]. By p_sign (1 or -1) times time, then event id: for 1 the order of stmt_copy_events(). Only times
-- from p_from_ms to p_to_ms, both included.
-- A page begins p_skip events behind the first that is not before (p_after_ms, p_after_id), NULL: at the beginning. It has
-- p_limit events at most, and ends earlier when their bodies pass p_page_bytes. After its events a row with event_id
-- NULL: the policy, and whether there are more. An identity that is not there has no row.
--   CN400  the bodies of all pages together pass p_bytes      CN405  no such policy (entity_policy)
--
-- What a page reads is the events of the person or identity: there is no index by time, which each event would
-- pay for when it is stored. Otherwise as entity_fragments.
CREATE OR REPLACE FUNCTION consign.entity_events(
    p_org integer, p_sandbox integer, p_policy text, p_identities text, p_from_ms bigint, p_to_ms bigint, p_sign integer,
    p_after_ms bigint, p_after_id text, p_skip integer, p_limit integer, p_page_bytes bigint, p_bytes bigint)
    RETURNS TABLE (place integer, policy text, more boolean, event_id text, time_ms bigint, body text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET jit = off
    SET enable_seqscan = off SET enable_bitmapscan = off AS
$$
DECLARE
    rule    record;
    asked   record;
    who     record;
    event   record;
    least   bigint; -- the identities whose events they are
    largest bigint;
    taken   integer;
    page    bigint;
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
        place := asked.place;
        policy := NULL;
        more := false;
        taken := 0;
        page := 0;
        FOR event IN SELECT e.event_id, e.time_ms, e.body FROM consign.profile_event e
                WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = who.person
                    AND e.identity >= least AND e.identity <= largest AND e.time_ms BETWEEN p_from_ms AND p_to_ms
                    AND CASE WHEN p_after_ms IS NULL THEN true
                             ELSE (p_sign * e.time_ms, e.event_id) >= (p_sign * p_after_ms, p_after_id) END
                ORDER BY p_sign * e.time_ms, e.event_id, e.identity OFFSET p_skip LIMIT p_limit + 1 LOOP
            taken := taken + 1;
            page := page + octet_length(event.body);
            more := taken > p_limit OR (page > p_page_bytes AND taken > 1);
            EXIT WHEN more;
            total := total + octet_length(event.body);
            IF total > p_bytes THEN
                RAISE EXCEPTION 'pages too large together' USING ERRCODE = 'CN400';
            END IF;
            event_id := event.event_id;
            time_ms := event.time_ms;
            body := event.body;
            RETURN NEXT;
        END LOOP;
        policy := rule.policy;
        event_id := NULL;
        time_ms := NULL;
        body := NULL;
        RETURN NEXT;
    END LOOP;
END
$$;
