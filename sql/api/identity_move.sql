-- Gives what is stored under the persons in link_moved that lose their name (not fresh) to their winners. Part of
-- identity_join.
--
-- Person by person, and by look-ups only, whatever the planner knows of the tables: a join it would do by reading
-- all that the sandbox holds, or for a young sandbox, which it takes for empty, once a person. Hence no sequential
-- scan, and the order: without sorting, only identity_person can give it.
CREATE OR REPLACE FUNCTION consign.identity_move(p_org integer, p_sandbox integer)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off SET enable_sort = off
    SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    moved record;
    place record;
    held  CURSOR (loser bigint) FOR SELECT i.person FROM consign.identity i
        WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.person BETWEEN loser AND loser ORDER BY i.person;
BEGIN
    FOR moved IN SELECT m.person, m.winner FROM pg_temp.link_moved m WHERE NOT m.fresh LOOP
        FOR place IN held(moved.person) LOOP
            UPDATE consign.identity SET person = moved.winner WHERE CURRENT OF held;
        END LOOP;
        UPDATE consign.profile_fragment f SET person = moved.winner
            WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.person = moved.person;
        UPDATE consign.profile_event e SET person = moved.winner
            WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = moved.person;
    END LOOP;
END
$$;
