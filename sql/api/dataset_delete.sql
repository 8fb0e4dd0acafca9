-- Removes a dataset that nothing needs, with the system jobs on it that have ended.
--   CN404  no such dataset
--   CN409  it holds batches (those of export jobs that have not ended among them), records or messages, a system job
--          waits for it, or a merge policy names it in some version
-- What is being accepted for the dataset is waited for, and waits: messages by the lock of stream_put, all else by
-- FOR KEY SHARE on its row. Not for long: while it waits for the row, messages for the whole sandbox wait for it.
CREATE OR REPLACE FUNCTION consign.dataset_delete(p_org integer, p_sandbox integer, p_dataset text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog SET lock_timeout = '1s' AS
$$
DECLARE
    turn constant integer := 2;
BEGIN
    PERFORM pg_advisory_xact_lock(turn, p_sandbox);
    PERFORM FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
    END IF;
    IF EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.dataset = p_dataset)
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
    DELETE FROM consign.system_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.dataset = p_dataset;
    DELETE FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset;
    RETURN p_dataset;
END
$$;
