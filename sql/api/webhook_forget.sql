-- Removes events that were delivered or given up longer ago than p_keep_ms, the oldest first and at most p_most. Answers
-- how many.
CREATE OR REPLACE FUNCTION consign.webhook_forget(p_keep_ms bigint, p_most integer)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    before constant bigint := consign.now_ms() - p_keep_ms;
    removed bigint;
BEGIN
    DELETE FROM consign.webhook_event e
        USING (SELECT x.org, x.sandbox, x.event FROM consign.webhook_event x
               WHERE x.outcome IS NOT NULL AND x.ended_ms < before
               ORDER BY x.ended_ms LIMIT p_most) old
        WHERE e.org = old.org AND e.sandbox = old.sandbox AND e.event = old.event;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
