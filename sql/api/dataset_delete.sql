-- Removes a dataset that nothing needs: with the export jobs that filled it, which go to the archive, its batches that
-- have expired, and the system jobs on it that have ended. NULL: it had so many of them that some are left, and the
-- dataset too; what went stays gone when the caller commits, and calls again.
--   CN404  no such dataset
--   CN409  it holds batches that have not expired (those of export jobs that have not ended among them), records or
--          messages, a system job waits for it, or a merge policy names it in some version
-- What is being accepted for the dataset is waited for, and waits: messages by the lock of stream_put, all else by
-- FOR KEY SHARE on its row. Not for long: while it waits for the row, messages for the whole sandbox wait for it.
CREATE OR REPLACE FUNCTION consign.dataset_delete(p_org integer, p_sandbox integer, p_dataset text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog SET lock_timeout = '1s' AS
$$
DECLARE
    turn constant integer := 2;
    most constant integer := 200;
    batches text[];
    jobs    bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(turn, p_sandbox);
    PERFORM FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
    END IF;
    -- an export's batch that was not published never was there for a client; one that may still be is active
    IF EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset
            AND b.expired_ms IS NULL AND (b.kind = 'ingest' OR b.status = 'success'))
        OR EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset
            AND b.status = 'active')
        OR EXISTS (SELECT FROM consign.observed_schema o
            WHERE o.org = p_org AND o.sandbox = p_sandbox AND o.dataset = p_dataset)
        OR EXISTS (SELECT FROM consign.stream_message m
            WHERE m.org = p_org AND m.sandbox = p_sandbox AND m.dataset = p_dataset)
        OR EXISTS (SELECT FROM consign.system_job j WHERE j.org = p_org AND j.sandbox = p_sandbox
            AND j.dataset = p_dataset AND j.status IN ('NEW', 'PROCESSING'))
        -- fcgi/core/policy.h says what rules look like; nothing but an order holds an id in quotes
        OR EXISTS (SELECT FROM consign.merge_policy_version v WHERE v.org = p_org AND v.sandbox = p_sandbox
            AND position('"' || p_dataset || '"' IN v.rules) > 0) THEN
        RAISE EXCEPTION 'dataset in use' USING ERRCODE = 'CN409';
    END IF;
    batches := ARRAY(SELECT b.batch FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset LIMIT most);
    jobs := ARRAY(
        SELECT j.job FROM consign.export_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.batch = ANY (batches)
        UNION
        SELECT t.job FROM consign.export_target t
        WHERE t.org = p_org AND t.sandbox = p_sandbox AND t.batch = ANY (batches));
    IF (SELECT count(*) FROM (
            SELECT FROM consign.export_job j WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = ANY (jobs)
                AND j.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED') FOR UPDATE) ended) < cardinality(jobs) THEN
        RAISE EXCEPTION 'dataset in use' USING ERRCODE = 'CN409'; -- job_retry made one new again just now
    END IF;
    PERFORM consign.job_archive_move(p_org, p_sandbox, jobs);
    DELETE FROM consign.system_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.dataset = p_dataset;
    DELETE FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = ANY (batches);
    IF cardinality(batches) = most THEN
        RETURN NULL;
    END IF;
    DELETE FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset;
    RETURN p_dataset;
END
$$;
