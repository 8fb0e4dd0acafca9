-- Gives up events that nobody took within p_keep_ms and that are not being sent, the oldest first and at most p_most, and
-- answers them.
CREATE OR REPLACE FUNCTION consign.webhook_give_up(p_keep_ms bigint, p_most integer)
    RETURNS TABLE (org integer, sandbox integer, event uuid, webhook text, attempts integer)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment constant bigint := consign.now_ms();
BEGIN
    RETURN QUERY
    UPDATE consign.webhook_event e SET outcome = 'given_up', ended_ms = moment, sending = false
        FROM (SELECT x.org, x.sandbox, x.event FROM consign.webhook_event x
              WHERE x.outcome IS NULL AND x.created_ms < moment - p_keep_ms AND NOT (x.sending AND x.not_before_ms > moment)
              ORDER BY x.created_ms LIMIT p_most FOR UPDATE SKIP LOCKED) old
        WHERE e.org = old.org AND e.sandbox = old.sandbox AND e.event = old.event
        RETURNING e.org, e.sandbox, e.event, e.webhook, e.attempts;
END
$$;
