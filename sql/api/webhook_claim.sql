-- Gives a sender events that are due, at most p_most, each for p_lease_ms: then it is due again, so that of a sender that
-- died nothing is lost. With an event what is needed to send it; the secrets in hex, old_secret while it still signs.
-- An endpoint has 4 events under way at most and an org 16, over all senders, and among orgs the one with fewer under way
-- is first: so endpoints that don't answer hold up nobody but themselves.
-- Events of an org or sandbox that is disabled wait as those of a disabled endpoint do.
-- SECURITY: runs as the owner, so that the role that sends has a right to what is due and to no table.
CREATE OR REPLACE FUNCTION consign.webhook_claim(p_most integer, p_lease_ms bigint)
    RETURNS TABLE (org integer, sandbox integer, event uuid, attempts integer, webhook text, url text, secret text,
                   old_secret text, body text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
$$
DECLARE
    endpoint_most constant integer := 4;
    org_most      constant integer := 16;
    moment        constant bigint := consign.now_ms();
BEGIN
    -- an idle sender asks this several times a second
    PERFORM FROM consign.webhook_event e WHERE e.outcome IS NULL AND e.not_before_ms <= moment LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH running AS (
        SELECT e.org, e.sandbox, e.webhook, count(*) AS n FROM consign.webhook_event e
        WHERE e.outcome IS NULL AND e.sending AND e.not_before_ms > moment GROUP BY 1, 2, 3
    ), running_org AS (
        SELECT r.org, sum(r.n) AS n FROM running r GROUP BY 1
    ), due AS (
        SELECT w.org, w.sandbox, w.name, w.url, w.secret, w.old_secret, w.old_until_ms, d.event, d.not_before_ms,
            coalesce(o.n, 0) + row_number() OVER (PARTITION BY w.org ORDER BY coalesce(r.n, 0), d.not_before_ms) AS place
        FROM consign.webhook w JOIN consign.org x ON x.org = w.org
            JOIN consign.sandbox s ON s.org = w.org AND s.sandbox = w.sandbox
            LEFT JOIN running r ON (r.org, r.sandbox, r.webhook) = (w.org, w.sandbox, w.name)
            LEFT JOIN running_org o ON o.org = w.org
            CROSS JOIN LATERAL (
                SELECT e.event, e.not_before_ms FROM consign.webhook_event e
                WHERE e.org = w.org AND e.sandbox = w.sandbox AND e.webhook = w.name AND e.outcome IS NULL
                    AND e.not_before_ms <= moment
                ORDER BY e.not_before_ms LIMIT greatest(endpoint_most - coalesce(r.n, 0), 0) FOR UPDATE SKIP LOCKED) d
        WHERE w.active AND x.active AND s.active
    ), chosen AS (
        SELECT * FROM due WHERE due.place <= org_most ORDER BY due.place, due.not_before_ms LIMIT p_most
    )
    UPDATE consign.webhook_event e
        SET sending = true, attempts = e.attempts + 1, not_before_ms = moment + p_lease_ms
        FROM chosen c WHERE e.org = c.org AND e.sandbox = c.sandbox AND e.event = c.event
        RETURNING e.org, e.sandbox, e.event, e.attempts, c.name, c.url, encode(c.secret, 'hex'),
            CASE WHEN c.old_until_ms > moment THEN encode(c.old_secret, 'hex') END, e.body;
END
$$;
