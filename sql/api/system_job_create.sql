-- Accepts the removal of a dataset's records, or of what one batch of it brought (the other one NULL), and answers it.
-- With a key, the job that the same key and body made within 24 h is answered instead.
--   CN404  no such dataset or batch         CN400  the dataset is exported into: it has no records in the store
--   CN409  the batch holds nothing that could be told from other records: it was not loaded, or before times were kept
--   CN422  the key belongs to another body
CREATE OR REPLACE FUNCTION consign.system_job_create(
    p_org integer, p_sandbox integer, p_job text, p_dataset text, p_batch text, p_client text, p_key_sha256 text,
    p_body_sha256 text)
    RETURNS SETOF consign.system_job
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    moment bigint := consign.now_ms();
    made   text := p_job;
    source consign.batch;
    target consign.dataset;
    turn   constant integer := 2;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'system/jobs', p_key_sha256, p_body_sha256, p_job);
    END IF;
    IF made = p_job THEN
        PERFORM pg_advisory_xact_lock(turn, p_sandbox); -- of system_job_queue; before the rows, as in dataset_delete
        IF p_batch IS NOT NULL THEN
            SELECT * INTO source FROM consign.batch b
                WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = p_batch AND b.kind = 'ingest' FOR KEY SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'batch' USING ERRCODE = 'CN404';
            ELSIF source.status <> 'success' OR source.first_stamp_ms IS NULL THEN
                RAISE EXCEPTION 'batch state' USING ERRCODE = 'CN409';
            END IF;
        END IF;
        SELECT * INTO target FROM consign.dataset d WHERE d.org = p_org AND d.sandbox = p_sandbox
            AND d.dataset = coalesce(source.dataset, p_dataset) FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
        ELSIF target.class = 'profile_union' THEN
            RAISE EXCEPTION 'dataset class' USING ERRCODE = 'CN400';
        END IF;
        INSERT INTO consign.system_job (org, sandbox, job, what, dataset, batch, status, created_ms, updated_ms,
                created_client)
            VALUES (p_org, p_sandbox, p_job, CASE WHEN p_batch IS NULL THEN 'dataset' ELSE 'batch' END, target.dataset,
                p_batch, 'NEW', moment, moment, p_client);
        PERFORM consign.system_job_queue(p_org, p_sandbox, p_job);
    END IF;
    RETURN QUERY SELECT * FROM consign.system_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = made;
END
$$;
