-- What monitoring is told of the spoolers' work, over all tenants: the counters of metric_add, and of the queue how much
-- there is of each task in each state and how long the oldest waits (ms), by the weight of the org in four classes; of
-- webhooks, how many events of the 10,000 oldest there are in each state, how old the oldest is, and how long one has been due
-- at an endpoint to which nothing is being sent. Costs as much as the queue is long: 1 to 1.5 us of CPU an entry.
-- SECURITY: runs as the owner, because nobody else sees the work of all tenants; it answers sums, and names no tenant. An
-- org that is alone in its class of weight shows in that class, as how much work there is and nothing else.
CREATE OR REPLACE FUNCTION consign.metric_read() RETURNS TABLE (name text, value bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = on AS
$$
DECLARE
    pending_most constant integer := 10000;
    moment bigint := consign.now_ms();
BEGIN
    RETURN QUERY SELECT m.name, m.count FROM consign.metric_count m;
    RETURN QUERY SELECT 'sweep_last_ms', m.began_ms FROM consign.sweep_mark m WHERE m.step = 'sweep';
    RETURN QUERY
    WITH pending AS (
        SELECT e.org, e.sandbox, e.webhook, e.sending AND e.not_before_ms > moment AS sending, e.not_before_ms > moment AS later
        FROM consign.webhook_event e WHERE e.outcome IS NULL ORDER BY e.created_ms LIMIT pending_most
    ), endpoint AS (
        SELECT p.org, p.sandbox, p.webhook, p.sending, p.later, count(*) AS events FROM pending p GROUP BY 1, 2, 3, 4, 5
    )
    SELECT 'webhook_events/' || CASE WHEN h.sending THEN 'sending' WHEN NOT (w.active AND o.active AND s.active) THEN 'held'
            WHEN h.later THEN 'backoff' ELSE 'waiting' END, sum(h.events)::bigint
        FROM endpoint h JOIN consign.webhook w ON (w.org, w.sandbox, w.name) = (h.org, h.sandbox, h.webhook)
            JOIN consign.org o ON o.org = h.org JOIN consign.sandbox s ON s.org = h.org AND s.sandbox = h.sandbox GROUP BY 1;
    RETURN QUERY
    SELECT 'webhook_oldest_ms', greatest(moment - min(e.created_ms), 0) FROM consign.webhook_event e WHERE e.outcome IS NULL
        HAVING min(e.created_ms) IS NOT NULL;
    RETURN QUERY
    SELECT 'webhook_due_ms', moment - min(d.not_before_ms)
        FROM consign.webhook w JOIN consign.org o ON o.org = w.org JOIN consign.sandbox s ON s.org = w.org AND s.sandbox = w.sandbox
            CROSS JOIN LATERAL (
                SELECT e.not_before_ms FROM consign.webhook_event e
                WHERE e.org = w.org AND e.sandbox = w.sandbox AND e.webhook = w.name AND e.outcome IS NULL
                    AND e.not_before_ms <= moment
                ORDER BY e.not_before_ms LIMIT 1) d
        WHERE w.active AND o.active AND s.active AND NOT EXISTS (
            SELECT FROM consign.webhook_event u WHERE u.outcome IS NULL AND u.sending AND u.not_before_ms > moment
                AND (u.org, u.sandbox, u.webhook) = (w.org, w.sandbox, w.name))
        HAVING count(*) > 0;
    RETURN QUERY
    WITH org AS ( -- numbers and flags only: texts are made of the few rows that this comes to
        SELECT q.org, q.kind, q.task, q.cancel, q.attempt IS NOT NULL AS taken, q.not_before_ms > moment AS later,
            count(*) AS entries, min(q.created_ms) AS oldest
        FROM consign.work_queue q GROUP BY 1, 2, 3, 4, 5, 6
    ), class AS (
        SELECT CASE h.kind WHEN 'export' THEN 'export' ELSE h.task END AS task,
            CASE WHEN h.cancel THEN 'cancelling' WHEN h.taken THEN 'running' WHEN h.later THEN 'backoff'
                ELSE 'waiting' END AS state,
            CASE WHEN coalesce(o.weight, 1) = 1 THEN '1' WHEN o.weight < 10 THEN '2-9'
                WHEN o.weight < 100 THEN '10-99' ELSE '100-1000' END AS weight,
            sum(h.entries)::bigint AS entries, greatest(moment - min(h.oldest), 0) AS oldest_ms
        FROM org h LEFT JOIN consign.quota o ON o.org = h.org AND o.sandbox = 0 GROUP BY 1, 2, 3
    )
    SELECT 'work/' || c.task || '/' || c.state || '/' || c.weight, c.entries FROM class c
    UNION ALL
    SELECT 'oldest/' || c.task || '/' || c.weight, c.oldest_ms FROM class c WHERE c.state = 'waiting';
END
$$;
