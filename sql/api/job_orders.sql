-- What a job asks for, with its dataset's format and the rules of the policy version that it was accepted with
-- (NULL: of the built-in policy). No row when the job or the version is not there.
CREATE OR REPLACE FUNCTION consign.job_orders(p_org integer, p_sandbox integer, p_job bigint)
    RETURNS TABLE (dataset text, format text, compression text, fields text, additional_fields text, filter text,
        policy text, segment_per_batch boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
SELECT j.dataset, d.format, d.compression, j.fields, j.additional_fields, j.filter, v.rules, j.segment_per_batch
FROM consign.export_job j JOIN consign.dataset d USING (org, sandbox, dataset)
LEFT JOIN consign.merge_policy_version v ON v.org = j.org AND v.sandbox = j.sandbox
    AND v.policy = j.merge_policy AND v.version = j.merge_policy_version
WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = p_job
    AND (v.rules IS NOT NULL OR j.merge_policy = 'timestampOrdered-none-mp')
$$;
