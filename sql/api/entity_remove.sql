-- Removes the profile of an identity as the system job p_job. 'done': it is gone when this commits. 'queued': it goes
-- behind what was accepted before and is not loaded yet, so that nothing of that brings it back; or it is large.
--   CN404  no such identity, and nothing waits that could bring it
-- Where nothing waits nothing is being loaded either: a load's entry goes in the transaction that loads.
CREATE OR REPLACE FUNCTION consign.entity_remove(
    p_org integer, p_sandbox integer, p_ns text, p_value text, p_job text, p_client text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog SET enable_seqscan = off SET enable_sort = off
    SET plan_cache_mode = force_generic_plan AS
$$
DECLARE
    most    constant integer := 5000; -- rows that a client may wait for
    moment  bigint := consign.now_ms();
    waits   boolean;
    target  bigint;
    held    bigint;
    removed bigint;
BEGIN
    -- asked first: what has left the queue by then is in the store when that is asked
    waits := EXISTS (SELECT FROM consign.work_queue q
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.kind = 'ingest');
    SELECT i.person INTO target FROM consign.identity i
        WHERE i.org = p_org AND i.sandbox = p_sandbox AND i.ns = p_ns AND i.value = p_value;
    IF target IS NULL AND NOT waits THEN
        RAISE EXCEPTION 'identity' USING ERRCODE = 'CN404';
    END IF;

    SELECT count(*) INTO held FROM (
        (SELECT FROM consign.identity i WHERE i.org = p_org AND i.sandbox = p_sandbox
            AND i.person BETWEEN target AND target ORDER BY i.person LIMIT most)
        UNION ALL (SELECT FROM consign.profile_fragment f
            WHERE f.org = p_org AND f.sandbox = p_sandbox AND f.person = target LIMIT most)
        UNION ALL (SELECT FROM consign.profile_event e
            WHERE e.org = p_org AND e.sandbox = p_sandbox AND e.person = target LIMIT most)) counted;
    IF held < most AND NOT waits THEN
        PERFORM FROM consign.ingest_clock c WHERE c.org = p_org AND c.sandbox = p_sandbox FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            removed := consign.profile_remove(p_org, p_sandbox, p_ns, p_value);
            INSERT INTO consign.system_job (org, sandbox, job, what, ns, status, removed, created_ms, updated_ms,
                    created_client)
                VALUES (p_org, p_sandbox, p_job, 'profile', p_ns, 'COMPLETED', removed, moment, moment, p_client);
            RETURN 'done';
        END IF;
    END IF;

    INSERT INTO consign.system_job (org, sandbox, job, what, ns, value, status, created_ms, updated_ms, created_client)
        VALUES (p_org, p_sandbox, p_job, 'profile', p_ns, p_value, 'NEW', moment, moment, p_client);
    PERFORM consign.system_job_queue(p_org, p_sandbox, p_job);
    RETURN 'queued';
END
$$;
