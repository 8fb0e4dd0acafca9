-- Notes that work of a kind was claimed: the turn of the org, and within it that of the sandbox. Claims must not wait
-- for each other: while another one notes a turn of the same org this one goes unnoted, and whoever notes the
-- time of all does it for the others too.
CREATE OR REPLACE FUNCTION consign.work_turn_note(p_org integer, p_sandbox integer, p_kind text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    noting constant integer := 5; -- among advisory locks of two numbers
    org_begins     bigint;
    sandbox_begins bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(noting, p_org) THEN
        RETURN;
    END IF;
    SELECT coalesce(greatest(a.clock, o.begins + 1000000 / coalesce(oq.weight, 1)), 0),
           coalesce(greatest(o.clock, s.begins + 1000000 / coalesce(sq.weight, 1)), 0)
        INTO org_begins, sandbox_begins
        FROM (VALUES (p_org, p_sandbox)) place(org, sandbox)
        LEFT JOIN consign.work_turn a ON a.org = 0 AND a.sandbox = 0
        LEFT JOIN consign.work_turn o ON o.org = place.org AND o.sandbox = 0
        LEFT JOIN consign.work_turn s ON s.org = place.org AND s.sandbox = place.sandbox
        LEFT JOIN consign.quota oq ON oq.org = place.org AND oq.sandbox = 0
        LEFT JOIN consign.quota sq ON sq.org = place.org AND sq.sandbox = place.sandbox;
    INSERT INTO consign.work_turn AS t (org, sandbox, begins, clock) VALUES (p_org, 0, org_begins, sandbox_begins)
        ON CONFLICT (org, sandbox) DO UPDATE
            SET begins = EXCLUDED.begins, clock = greatest(t.clock, EXCLUDED.clock);
    INSERT INTO consign.work_turn (org, sandbox, begins, kind) VALUES (p_org, p_sandbox, sandbox_begins, p_kind)
        ON CONFLICT (org, sandbox) DO UPDATE SET begins = EXCLUDED.begins, kind = EXCLUDED.kind;
    IF pg_try_advisory_xact_lock(noting, 0) THEN
        INSERT INTO consign.work_turn AS t (org, sandbox, clock) VALUES (0, 0, org_begins)
            ON CONFLICT (org, sandbox) DO UPDATE SET clock = greatest(t.clock, EXCLUDED.clock);
    END IF;
END
$$;
