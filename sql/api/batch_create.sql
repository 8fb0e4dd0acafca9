-- Opens an ingest batch for a dataset that takes records. p_format: json or csv, with p_delimiter between the fields;
-- p_bad_percent: with more bad records than this nothing of the batch is kept.
--   CN404  no such dataset        CN400  a union dataset: it is exported into, not ingested
CREATE OR REPLACE FUNCTION consign.batch_create(
    p_org integer, p_sandbox integer, p_batch text, p_dataset text, p_client text, p_key_sha256 text,
    p_body_sha256 text, p_format text DEFAULT 'json', p_delimiter text DEFAULT ',', p_bad_percent numeric DEFAULT 100)
    RETURNS SETOF consign.batch
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
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
