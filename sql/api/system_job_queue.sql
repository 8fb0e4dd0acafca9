-- Puts a system job behind everything of its sandbox that was accepted before it. Part of entity_remove and
-- system_job_create.
--
-- The lock is that of stream_put: no message is on its way while the number is drawn, so those that were acknowledged
-- before have lower numbers and those after it higher ones.
CREATE OR REPLACE FUNCTION consign.system_job_queue(p_org integer, p_sandbox integer, p_job text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    turn constant integer := 2;
BEGIN
    PERFORM pg_advisory_xact_lock(turn, p_sandbox);
    INSERT INTO consign.work_queue (org, sandbox, kind, task, batch, created_ms, horizon)
        VALUES (p_org, p_sandbox, 'ingest', 'delete', 'delete-' || p_job, consign.now_ms(),
            nextval('consign.stream_message_number_seq'));
END
$$;
