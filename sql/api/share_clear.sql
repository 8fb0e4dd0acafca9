-- Removes the helpers and shares of a job. The caller holds its queue entry.
--
-- Locks: the queue entry first, then helpers, then shares. share_take and help_drop begin with the helper, so they
-- never wait for an entry.
CREATE OR REPLACE FUNCTION consign.share_clear(p_org integer, p_sandbox integer, p_job bigint)
    RETURNS void
    LANGUAGE sql SET search_path = pg_catalog AS
$$
DELETE FROM consign.export_helper h WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job;
DELETE FROM consign.export_share s WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.job = p_job;
$$;
