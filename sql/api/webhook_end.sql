-- Ends an attempt at an event, p_attempts being its number: another sender may have the event by now, and then nothing
-- changes. Answers whether it was ours.
--   delivered  it was taken                failed    to be sent again in p_pause_ms, an hour at most
--   gone       the same, and its endpoint is disabled until the operator enables it
--   returned   its sender stopped before there was an answer, and it may have been taken: it is sent again at once, by anybody,
--              and the attempt does not count
-- SECURITY: runs as the owner, as webhook_claim does.
CREATE OR REPLACE FUNCTION consign.webhook_end(
    p_org integer, p_sandbox integer, p_event uuid, p_attempts integer, p_outcome text, p_pause_ms bigint)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    longest_ms constant bigint := 3600000;
    moment constant bigint := consign.now_ms();
    endpoint text;
BEGIN
    UPDATE consign.webhook_event e
        SET sending = false, attempts = e.attempts - (p_outcome = 'returned')::integer,
            not_before_ms = moment + CASE WHEN p_outcome IN ('failed', 'gone') THEN least(p_pause_ms, longest_ms) ELSE 0 END,
            outcome = CASE p_outcome WHEN 'delivered' THEN 'delivered' END,
            ended_ms = CASE p_outcome WHEN 'delivered' THEN moment END
        WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.event = p_event AND e.attempts = p_attempts
            AND e.sending AND e.outcome IS NULL
        RETURNING e.webhook INTO endpoint;
    IF endpoint IS NOT NULL AND p_outcome = 'gone' THEN
        UPDATE consign.webhook w SET active = false
            WHERE w.org = p_org AND w.sandbox = p_sandbox AND w.name = endpoint;
    END IF;
    RETURN endpoint IS NOT NULL;
END
$$;
