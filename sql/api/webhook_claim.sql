-- Gives a sender that has room for p_most events some that are due, 16 at most, each for p_lease_ms: then it is due again, so
-- that of a sender that died nothing is lost. With an event what is needed to send it; the secrets in hex, old_secret while
-- it still signs.
-- An endpoint has 4 events under way at most and an org 16, over all senders, and who has fewer under way is first. So that
-- endpoints that don't answer hold up nobody but themselves, an org may have no more under way than half of the room that is
-- left, and an endpoint no more than half of what is left to its org; one is always allowed. So the more orgs hang the less
-- each of them takes, and the last room is kept for who has nothing under way: up to 60 orgs a sender, 15 endpoints an org.
-- Senders claim one after the other: one that finds another at it gets nothing, and asks again.
-- Events of an org or sandbox that is disabled wait as those of a disabled endpoint do.
-- What would have to wait longer than any event does (webhook_end), and what was not tried yet and is of a later time than now,
-- is due too: the clock was set back, or another server took over whose clock is slower.
-- SECURITY: runs as the owner, so that the role that sends has a right to what is due and to no table; and it takes no
-- event for longer than a minute.
CREATE OR REPLACE FUNCTION consign.webhook_claim(p_most integer, p_lease_ms bigint)
    RETURNS TABLE (org integer, sandbox integer, event uuid, attempts integer, webhook text, url text, secret text,
                   old_secret text, body text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$$
DECLARE
    claiming      constant integer := 7; -- among advisory locks of two numbers
    endpoint_most constant integer := 4;
    org_most      constant integer := 16;
    once_most     constant integer := 16; -- the sender has their bodies in memory twice
    longest_ms    constant bigint := 3600000; -- as in webhook_end
    heal_most     constant integer := 1000;
    moment        constant bigint := consign.now_ms();
    lease_ms      constant bigint := least(greatest(p_lease_ms, 1), 60000);
    early         record;
BEGIN
    -- an idle sender asks this several times a second: each is a look at the end of an index
    FOR early IN
        (SELECT e.org, e.sandbox, e.event FROM consign.webhook_event e
            WHERE e.outcome IS NULL AND e.not_before_ms > moment + longest_ms ORDER BY e.not_before_ms DESC LIMIT heal_most)
        UNION ALL
        (SELECT e.org, e.sandbox, e.event FROM consign.webhook_event e
            WHERE e.outcome IS NULL AND e.created_ms > moment AND e.not_before_ms > moment AND e.attempts = 0
            ORDER BY e.created_ms DESC LIMIT heal_most)
    LOOP
        UPDATE consign.webhook_event e SET not_before_ms = moment + CASE WHEN e.sending THEN lease_ms ELSE 0 END
            WHERE e.org = early.org AND e.sandbox = early.sandbox AND e.event = early.event;
    END LOOP;
    PERFORM FROM consign.webhook_event e WHERE e.outcome IS NULL AND e.not_before_ms <= moment LIMIT 1;
    IF NOT FOUND OR NOT pg_try_advisory_xact_lock(claiming, 0) THEN
        RETURN;
    END IF;
    RETURN QUERY -- sees what others have claimed: its snapshot is younger than the lock
    WITH running AS (
        SELECT e.org, e.sandbox, e.webhook, count(*) AS n FROM consign.webhook_event e
        WHERE e.outcome IS NULL AND e.sending AND e.not_before_ms > moment GROUP BY 1, 2, 3
    ), running_org AS (
        SELECT r.org, sum(r.n)::bigint AS n FROM running r GROUP BY 1
    ), due AS ( -- nth: it would be the endpoint's nth that is under way
        SELECT w.org, w.sandbox, w.name, w.url, w.secret, w.old_secret, w.old_until_ms, d.event, d.not_before_ms,
            coalesce(r.n, 0) + row_number() OVER (PARTITION BY w.org, w.sandbox, w.name ORDER BY d.not_before_ms) AS nth
        FROM consign.webhook w JOIN consign.org x ON x.org = w.org
            JOIN consign.sandbox s ON s.org = w.org AND s.sandbox = w.sandbox
            LEFT JOIN running r ON (r.org, r.sandbox, r.webhook) = (w.org, w.sandbox, w.name)
            CROSS JOIN LATERAL (
                SELECT e.event, e.not_before_ms FROM consign.webhook_event e
                WHERE e.org = w.org AND e.sandbox = w.sandbox AND e.webhook = w.name AND e.outcome IS NULL
                    AND e.not_before_ms <= moment
                ORDER BY e.not_before_ms LIMIT greatest(endpoint_most - coalesce(r.n, 0), 0) FOR UPDATE SKIP LOCKED) d
        WHERE w.active AND x.active AND s.active
    ), placed AS ( -- place: and the org's place-th
        SELECT d.*, coalesce(o.n, 0) + row_number() OVER (PARTITION BY d.org ORDER BY d.nth, d.not_before_ms) AS place
        FROM due d LEFT JOIN running_org o ON o.org = d.org
    ), bound AS ( -- org_may: how many its org may have under way, by the room that those before it leave
        SELECT p.*, least(org_most, greatest(1, (p_most + 1 - row_number() OVER (ORDER BY p.place, p.not_before_ms)) / 2)) AS org_may
        FROM placed p
    ), chosen AS (
        SELECT * FROM bound b WHERE b.place <= b.org_may AND b.nth <= greatest(1, (b.org_may - b.place + 1) / 2)
        ORDER BY b.place, b.not_before_ms LIMIT least(p_most, once_most)
    )
    UPDATE consign.webhook_event e
        SET sending = true, attempts = e.attempts + 1, not_before_ms = moment + lease_ms
        FROM chosen c WHERE e.org = c.org AND e.sandbox = c.sandbox AND e.event = c.event
        RETURNING e.org, e.sandbox, e.event, e.attempts, c.name, c.url, encode(c.secret, 'hex'),
            CASE WHEN c.old_until_ms > moment THEN encode(c.old_secret, 'hex') END, e.body;
END
$$;
