-- An attempt tells how far it is and learns whether to go on; what its helpers told is added.
--   CN410, CN408  as work_hold
--   CN507  it and its helpers have written more than those that run already leave room for in the lake
CREATE OR REPLACE FUNCTION consign.job_beat(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_attempt text, p_phase text, p_done bigint,
    p_estimated bigint, p_files bigint, p_bytes bigint)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    held   consign.work_queue := consign.work_look(p_org, p_sandbox, p_batch, p_attempt);
    helped record;
BEGIN
    SELECT coalesce(sum(h.profiles), 0) AS done, coalesce(sum(h.files_written), 0) AS files,
           coalesce(sum(h.bytes), 0) AS bytes INTO helped
        FROM consign.export_helper h WHERE h.org = p_org AND h.sandbox = p_sandbox AND h.job = p_job;
    IF p_bytes + helped.bytes > consign.quota_room(p_org, p_sandbox, held.entry) THEN
        RAISE EXCEPTION 'room in the lake' USING ERRCODE = 'CN507';
    END IF;
    INSERT INTO consign.export_progress AS p
            (org, sandbox, job, phase, profiles_done, profiles_estimated, files_written, bytes)
        VALUES (p_org, p_sandbox, p_job, p_phase, p_done + helped.done, p_estimated, p_files + helped.files,
                p_bytes + helped.bytes)
        ON CONFLICT (org, sandbox, job) DO UPDATE
            SET phase = EXCLUDED.phase, -- not less, though what a lost helper told is missing now
                profiles_done = greatest(p.profiles_done, EXCLUDED.profiles_done),
                profiles_estimated = EXCLUDED.profiles_estimated, files_written = EXCLUDED.files_written,
                bytes = EXCLUDED.bytes;
END
$$;
