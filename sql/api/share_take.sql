-- Gives p_helper (a helper, or the attempt itself) the next range that nobody has, or no row. A helper gets none
-- either while work of anybody waits that it could claim: helping must not keep others waiting. When none is
-- left the job is closed for more helpers.
--   CN410  the attempt does not own the job any more, or has given the helper up     CN408  the job was cancelled
CREATE OR REPLACE FUNCTION consign.share_take(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_helper text)
    RETURNS TABLE (person_from bigint, person_to bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held consign.work_queue := consign.work_look(p_org, p_sandbox, p_batch, p_attempt);
BEGIN
    IF p_helper <> p_attempt THEN
        -- held to the end of the transaction, so that giving up the helper comes before or after it
        PERFORM FROM consign.export_helper h
            WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job AND h.helper = p_helper
                AND h.status = 'working' FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'helper' USING ERRCODE = 'CN410';
        END IF;
        IF consign.work_waits() THEN
            RETURN;
        END IF;
    END IF;
    -- The owner is asked for again in the statement that takes: the job may have been taken over and cut anew since
    -- `held` was read, and a range that an old attempt took of the new one's would be missing in the export.
    RETURN QUERY UPDATE consign.export_share s SET taken_by = p_helper
        WHERE s.org = p_org AND s.sandbox = p_sandbox AND s.job = p_job AND s.share = (
            SELECT f.share FROM consign.export_share f
            WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.job = p_job AND f.taken_by IS NULL
            ORDER BY f.share LIMIT 1 FOR UPDATE SKIP LOCKED)
            AND EXISTS (SELECT FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox
                AND q.batch = p_batch AND q.attempt = p_attempt)
        RETURNING s.person_from, s.person_to;
    IF FOUND OR held.snapshot IS NULL THEN
        RETURN;
    END IF;
    -- The attempt waits for who enters, so that afterwards it knows of all. A helper, who holds its own row, must not
    -- wait for an entry (share_clear): then the next one closes.
    IF p_helper <> p_attempt THEN
        PERFORM FROM consign.work_queue q WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch
            FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    UPDATE consign.work_queue q SET snapshot = NULL
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch AND q.attempt = p_attempt;
END
$$;
