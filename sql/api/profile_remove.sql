-- Removes the person of an identity: all its identities, fragments and events. Answers how many records that were; none
-- when the identity is unknown. The caller holds the sandbox's clock row.
--
-- By look-ups only, whatever the planner knows of a young sandbox: see identity_move.
CREATE OR REPLACE FUNCTION consign.profile_remove(p_org integer, p_sandbox integer, p_ns text, p_value text)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off SET enable_sort = off
    SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    target  bigint;
    gone    bigint := 0;
    rows    bigint;
    removed bigint;
    place   record;
    held    CURSOR (whose bigint) FOR SELECT i.person FROM consign.identity i
        WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.person BETWEEN whose AND whose ORDER BY i.person;
BEGIN
    SELECT i.person INTO target FROM consign.identity i
        WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.ns = p_ns AND i.value = p_value;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    FOR place IN held(target) LOOP
        DELETE FROM consign.identity WHERE CURRENT OF held;
        gone := gone + 1;
    END LOOP;
    DELETE FROM consign.profile_fragment f WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.person = target;
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM consign.profile_event e WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = target;
    GET DIAGNOSTICS rows = ROW_COUNT;
    UPDATE consign.ingest_clock c SET identities = c.identities - gone
        WHERE c.org = p_org AND c.sandbox = p_sandbox;
    RETURN removed + rows;
END
$$;
