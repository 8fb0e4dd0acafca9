-- Ends sessions that hold leases and have waited for their worker in the middle of a call for so long: one that was
-- stopped while it sent or read leaves the server waiting, which is no idleness and has no time-out of the server's.
-- Only sessions of the caller's own role. Answers how many there were.
CREATE OR REPLACE FUNCTION consign.session_end_silent(p_silence_ms bigint)
    RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog AS
$$
SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
WHERE a.usename = current_user AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND a.application_name = 'consign-spooler lease' AND a.state = 'active' AND a.wait_event_type = 'Client'
    AND a.state_change < clock_timestamp() - p_silence_ms * interval '1 millisecond'
$$;
