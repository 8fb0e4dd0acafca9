-- Does a system job and ends it, whole or not at all. Answers how many records it removed. What the batches and
-- messages that were accepted before it bring is in the store by then, and nothing that came after.
--   CN410  the attempt does not own it any more
CREATE OR REPLACE FUNCTION consign.system_job_run(p_org integer, p_sandbox integer, p_batch text, p_attempt text)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    wanted  consign.system_job;
    source  consign.batch;
    removed bigint;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    SELECT * INTO STRICT wanted FROM consign.system_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = substr(p_batch, length('delete-') + 1);
    -- SECURITY: as in record_load. last_ms stays, so the watermark of exports does not move.
    PERFORM FROM consign.ingest_clock c WHERE c.org = p_org AND c.sandbox = p_sandbox FOR UPDATE;

    IF wanted.what = 'profile' THEN
        removed := consign.profile_remove(p_org, p_sandbox, wanted.ns, wanted.value);
    ELSIF wanted.what = 'batch' THEN
        SELECT * INTO STRICT source FROM consign.batch b
            WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = wanted.batch;
        removed := consign.record_remove(p_org, p_sandbox, source.dataset, source.first_stamp_ms, source.last_stamp_ms);
    ELSE
        removed := consign.record_remove(p_org, p_sandbox, wanted.dataset, NULL, NULL);
        DELETE FROM consign.observed_schema o
            WHERE o.org = p_org AND o.sandbox = p_sandbox AND o.dataset = wanted.dataset;
    END IF;
    PERFORM consign.system_job_end(p_org, p_sandbox, wanted.job, 'COMPLETED', removed);
    RETURN removed;
END
$$;
