-- Ends the sessions that still work for an attempt or a helper whose worker died or stands still: a transaction of one
-- that was stopped in the middle of a COPY would hold its locks for ever. Transactions carry the name (db_name_work in
-- fcgi/lib/db.h); a session between two transactions has none, and what it begins later is refused by the attempt.
-- Only sessions of the caller's own role, so it needs no further right. Waits up to a second for each to be gone.
-- Answers how many there were.
CREATE OR REPLACE FUNCTION consign.session_end(p_attempt text)
    RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog AS
$$
SELECT count(pg_terminate_backend(a.pid, 1000)) FROM pg_stat_activity a
WHERE a.usename = current_user AND a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND a.application_name = 'consign attempt ' || p_attempt
$$;
