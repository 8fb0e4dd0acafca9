-- Accepts messages for a dataset, durably when this commits: p_bodies, with the xactionId of each in p_xactions and the
-- id of the schema that it says it follows in p_schemas (NULL: it does not say; NULL as a whole: none does). Makes the
-- dataset's queue entry when there is none. Answers the xactionId of the call (p_xaction, or that of the first call with
-- the same key, which then is the one that counted) and the places, from 1, of the messages that name another schema
-- than the dataset's and were not accepted.
--   CN404  no such dataset        CN400  a union dataset        CN422  the key belongs to another body
--
-- Planned once a connection, or most of what a message costs is planning; by look-ups, whatever the tables hold then.
--
-- The lock: stream_end deletes the entry when no message is left. It holds the same lock alone, so an entry that is seen
-- under it stays until this commits, and whoever comes after the entry went sees that it is gone.
CREATE OR REPLACE FUNCTION consign.stream_put(
    p_org integer, p_sandbox integer, p_dataset text, p_bodies text[], p_xactions text[], p_schemas text[],
    p_xaction text, p_key_sha256 text, p_body_sha256 text, OUT xaction text, OUT misfits integer[])
    LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS
$$
DECLARE
    turn   constant integer := 2;
    gather constant integer := 100; -- ms: what comes within it goes into the store together
    moment bigint := consign.now_ms();
    target record;
    placed boolean;
BEGIN
    xaction := p_xaction;
    misfits := '{}';
    IF p_key_sha256 IS NOT NULL THEN
        xaction := consign.idempotency_claim(p_org, p_sandbox, 'import/collection/' || p_dataset, p_key_sha256,
                                             p_body_sha256, p_xaction);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(turn, p_sandbox);
    SELECT d.class, d.schema_id, d.registry_schema INTO target FROM consign.dataset d
        WHERE d.org = p_org AND d.sandbox = p_sandbox AND d.dataset = p_dataset;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'dataset' USING ERRCODE = 'CN404';
    ELSIF target.class = 'profile_union' THEN
        RAISE EXCEPTION 'dataset class' USING ERRCODE = 'CN400';
    END IF;
    IF p_schemas IS NOT NULL THEN -- every form of a registered schema's id ends with its number
        misfits := ARRAY(SELECT s.place::integer FROM unnest(p_schemas) WITH ORDINALITY AS s(id, place)
            WHERE s.id <> target.schema_id AND right(s.id, 40) IS DISTINCT FROM target.registry_schema);
    END IF;
    IF xaction <> p_xaction THEN
        RETURN;
    END IF;
    IF cardinality(p_bodies) = 1 AND misfits = '{}' THEN -- as most calls are
        INSERT INTO consign.stream_message (org, sandbox, dataset, received_ms, bytes, xaction, body)
            VALUES (p_org, p_sandbox, p_dataset, moment, octet_length(p_bodies[1]), p_xactions[1], p_bodies[1]);
        placed := true;
    ELSE
        INSERT INTO consign.stream_message (org, sandbox, dataset, received_ms, bytes, xaction, body)
            SELECT p_org, p_sandbox, p_dataset, moment, octet_length(m.body), m.xaction, m.body
            FROM unnest(p_bodies, p_xactions) WITH ORDINALITY AS m(body, xaction, place)
            WHERE m.place <> ALL (misfits) ORDER BY m.place;
        placed := FOUND;
    END IF;
    IF placed AND NOT EXISTS (SELECT FROM consign.work_queue q
            WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = 'stream-' || p_dataset) THEN
        INSERT INTO consign.work_queue (org, sandbox, kind, task, batch, created_ms, not_before_ms)
            VALUES (p_org, p_sandbox, 'ingest', 'stream', 'stream-' || p_dataset, moment, moment + gather)
            ON CONFLICT (org, sandbox, batch) DO NOTHING;
    END IF;
END
$$;
