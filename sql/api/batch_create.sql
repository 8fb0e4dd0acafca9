-- Opens an ingest batch for a dataset that takes records. p_format: json or csv, with p_delimiter between the fields;
-- p_bad_percent: with more bad records than this nothing of the batch is kept.
-- An empty batch takes no room, so batches that have not ended have a bound by number, and a sandbox one below its org's: what
-- one sandbox opens must not keep the others out. Who posts at the same moment does not see each other (quota_admit).
--   CN404  no such dataset        CN400  a union dataset: it is exported into, not ingested
--   CN429  the org or the sandbox has as many batches that have not ended as it may have
-- Planned once a connection, by look-ups, whatever the table holds then.
CREATE OR REPLACE FUNCTION consign.batch_create(
    p_org integer, p_sandbox integer, p_batch text, p_dataset text, p_client text, p_key_sha256 text,
    p_body_sha256 text, p_format text DEFAULT 'json', p_delimiter text DEFAULT ',', p_bad_percent numeric DEFAULT 100)
    RETURNS SETOF consign.batch
    LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS
$$
DECLARE
    org_most     constant integer := 10000; -- inbox_room leaves room for more
    sandbox_most constant integer := 5000;
    moment bigint := consign.now_ms();
    target consign.dataset;
    made   text := p_batch;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'import/batches', p_key_sha256, p_body_sha256, p_batch);
    END IF;
    IF made = p_batch THEN
        SELECT * INTO target FROM consign.dataset d
            WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
        ELSIF target.class = 'profile_union' THEN
            RAISE EXCEPTION 'dataset class' USING ERRCODE = 'CN400';
        ELSIF EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.sandbox = p_sandbox
                AND b.status IN ('loading', 'processing') OFFSET sandbox_most - 1 LIMIT 1) THEN
            RAISE EXCEPTION 'open batches of the sandbox' USING ERRCODE = 'CN429';
        ELSIF EXISTS (SELECT FROM consign.batch b WHERE b.org = p_org AND b.status IN ('loading', 'processing')
                OFFSET org_most - 1 LIMIT 1) THEN
            RAISE EXCEPTION 'open batches of the org' USING ERRCODE = 'CN429';
        END IF;
        INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client,
                                   input_format, delimiter, bad_percent)
            VALUES (p_org, p_sandbox, p_batch, p_dataset, 'ingest', 'loading', moment, moment, p_client,
                    p_format, p_delimiter, p_bad_percent);
    END IF;
    RETURN QUERY SELECT * FROM consign.batch b
        WHERE b.org = p_org AND b.sandbox = p_sandbox AND b.batch = made;
END
$$;
