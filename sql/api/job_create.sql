-- Accepts an export job: the job (NEW), its batch or batches and its queue entry, or nothing at all.
-- p_segments makes it one with a batch a segment: [{"batch", "ns", "id", "statuses": [...]}, ...], the
-- first of which has p_batch. With a key, the job that the same key and body made within 24 h is
-- answered instead.
--   CN404  no such dataset           CN400  not a union dataset
--   CN501  its format is not offered CN422  the key belongs to another body
--   CN405, CN406  as job_policy      CN429, CN507  as quota_admit
--   CN407  no such webhook
-- p_webhook is told of its end; without one, the dataset's is.
-- Planned once a connection, by look-ups, whatever the tables hold then.
CREATE OR REPLACE FUNCTION consign.job_create(
    p_org integer, p_sandbox integer, p_job bigint, p_batch text, p_created_ms bigint, p_dataset text,
    p_policy text, p_policy_version integer, p_fields text, p_filter text, p_additional text, p_segments text,
    p_instance text, p_request_id text, p_client text, p_key_sha256 text, p_body_sha256 text,
    p_webhook text DEFAULT NULL)
    RETURNS SETOF consign.job_document
    LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS
$$
DECLARE
    target   record;
    made     text;
    policy   text;
    version  integer;
    accepted consign.export_job;
    targets  text;
BEGIN
    IF p_key_sha256 IS NOT NULL THEN
        made := consign.idempotency_claim(p_org, p_sandbox, 'export/jobs', p_key_sha256, p_body_sha256, p_job::text);
        IF made <> p_job::text THEN
            RETURN QUERY SELECT * FROM consign.job_document d
                WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.job = made::bigint;
            IF NOT FOUND THEN -- archived by dataset_delete
                RETURN QUERY SELECT * FROM consign.export_job_archive a
                    WHERE a.org = p_org AND a.sandbox = p_sandbox AND a.job = made::bigint;
            END IF;
            RETURN;
        END IF;
    END IF;

    SELECT d.class, d.compression, d.webhook INTO target FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
    ELSIF target.class <> 'profile_union' THEN
        RAISE EXCEPTION 'dataset class' USING ERRCODE = 'CN400';
    ELSIF target.compression = 'snappy' THEN
        RAISE EXCEPTION 'dataset format' USING ERRCODE = 'CN501';
    END IF;
    SELECT * INTO policy, version FROM consign.job_policy(p_org, p_sandbox, p_policy, p_policy_version);
    IF p_webhook IS NOT NULL THEN
        PERFORM consign.webhook_look(p_org, p_sandbox, p_webhook);
        target.webhook := p_webhook;
    END IF;
    PERFORM consign.quota_admit(p_org, p_sandbox);

    INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
        VALUES (p_org, p_sandbox, p_batch, p_dataset, 'export', 'active', p_created_ms, p_created_ms, p_client);
    INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, segment_per_batch, merge_policy,
            merge_policy_version, fields, filter, additional_fields, profile_instance_id, request_id, created_client,
            created_ms, updated_ms, webhook)
        VALUES (p_org, p_sandbox, p_job, 'NEW', p_dataset, p_batch, p_segments IS NOT NULL, policy,
            version, p_fields, p_filter, p_additional, p_instance, p_request_id, p_client,
            p_created_ms, p_created_ms, target.webhook)
        RETURNING * INTO accepted;
    IF p_segments IS NOT NULL THEN
        INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
            SELECT p_org, p_sandbox, s.item->>'batch', p_dataset, 'export', 'active', p_created_ms, p_created_ms, p_client
            FROM json_array_elements(p_segments::json) AS s(item) WHERE s.item->>'batch' <> p_batch;
        INSERT INTO consign.export_target (org, sandbox, job, number, batch, segment_ns, segment_id, statuses)
            SELECT p_org, p_sandbox, p_job, s.ordinality - 1, s.item->>'batch', s.item->>'ns', s.item->>'id', s.item->>'statuses'
            FROM json_array_elements(p_segments::json) WITH ORDINALITY AS s(item, ordinality);
        targets := consign.job_targets(p_org, p_sandbox, p_job);
    END IF;
    INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms)
        VALUES (p_org, p_sandbox, 'export', p_job, p_batch, p_created_ms);
    -- its job_document, of what such a job has; it has no progress yet
    RETURN QUERY SELECT accepted.org, accepted.sandbox, accepted.job, accepted.status, accepted.dataset, accepted.batch,
        accepted.merge_policy, accepted.merge_policy_version, accepted.fields, accepted.filter, accepted.additional_fields,
        accepted.profile_instance_id, accepted.request_id, accepted.created_client, accepted.created_ms, accepted.updated_ms,
        accepted.ended_ms, accepted.attempt, accepted.push, accepted.export_start_ms, accepted.export_end_ms,
        accepted.write_start_ms, accepted.write_end_ms, accepted.watermark_ms, accepted.profiles, accepted.events,
        accepted.by_namespace, accepted.skipped, accepted.errors, accepted.segment_per_batch,
        NULL::text, NULL::bigint, NULL::bigint, NULL::bigint, targets, accepted.webhook;
END
$$;
