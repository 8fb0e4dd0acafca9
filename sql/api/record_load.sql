-- Takes the records staged in the temporary table ingest_stage (seq, ns, value, event_id, time_ms, body,
-- link_ns, link_value), p_records of them, into the profile store as records of the dataset. Answers the ingest time
-- that they were stamped with. The caller's transaction holds the COPY that filled the table too.
-- What it costs grows with the records, whatever the store holds: only keys are looked up there.
CREATE OR REPLACE FUNCTION consign.record_load(
    p_org integer, p_sandbox integer, p_dataset text, p_class text, p_records bigint)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog SET jit = off SET work_mem = '32MB' SET enable_hashjoin = on
    SET enable_mergejoin = on AS
$$
DECLARE
    stamp_ms bigint;
    known    bigint;
    created  bigint;
BEGIN
    -- SECURITY: the watermark of exports rests on this row being held until the commit, and so does the identity
    -- graph: nobody else changes it meanwhile
    INSERT INTO consign.ingest_clock AS c (org, sandbox, last_ms) VALUES (p_org, p_sandbox, consign.now_ms())
        ON CONFLICT (org, sandbox) DO UPDATE SET last_ms = greatest(c.last_ms + 1, consign.now_ms())
        RETURNING last_ms, identities INTO stamp_ms, known;

    created := consign.identity_link(p_org, p_sandbox, known > 8 * p_records);
    IF created > 0 THEN
        UPDATE consign.ingest_clock c SET identities = c.identities + created
            WHERE c.org = p_org AND c.sandbox = p_sandbox;
    END IF;

    -- Which record of an identity stays is found without the bodies; these are then fetched by their place, each once.
    -- Only an identity that was there before can have a row already.
    IF p_class = 'profile' THEN
        CREATE TEMP TABLE link_record ON COMMIT DROP AS
            SELECT DISTINCT ON (i.person, i.identity) i.person, i.identity, i.fresh, s.seq, s.ctid AS place
            FROM pg_temp.ingest_stage s
            JOIN pg_temp.link_identity i ON i.ns = s.ns AND i.value = s.value
            ORDER BY i.person, i.identity, s.seq DESC;
        PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
        INSERT INTO consign.profile_fragment
                (org, sandbox, person, identity, dataset, ingested_ms, body, ingested_seq)
            SELECT p_org, p_sandbox, r.person, r.identity, p_dataset, stamp_ms, s.body, r.seq
            FROM pg_temp.link_record r JOIN pg_temp.ingest_stage s ON s.ctid = r.place
            WHERE r.fresh;
        INSERT INTO consign.profile_fragment
                (org, sandbox, person, identity, dataset, ingested_ms, body, ingested_seq)
            SELECT p_org, p_sandbox, r.person, r.identity, p_dataset, stamp_ms, s.body, r.seq
            FROM pg_temp.link_record r JOIN pg_temp.ingest_stage s ON s.ctid = r.place
            WHERE NOT r.fresh
            ON CONFLICT (org, sandbox, person, identity, dataset) DO UPDATE
                SET ingested_ms = EXCLUDED.ingested_ms, body = EXCLUDED.body, ingested_seq = EXCLUDED.ingested_seq;
    ELSE
        CREATE TEMP TABLE link_record ON COMMIT DROP AS
            SELECT DISTINCT ON (i.person, i.identity, s.event_id)
                   i.person, i.identity, i.fresh, s.event_id, s.seq, s.ctid AS place
            FROM pg_temp.ingest_stage s
            JOIN pg_temp.link_identity i ON i.ns = s.ns AND i.value = s.value
            ORDER BY i.person, i.identity, s.event_id, s.seq DESC;
        PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
        INSERT INTO consign.profile_event
                (org, sandbox, person, identity, event_id, dataset, time_ms, ingested_ms, body, ingested_seq)
            SELECT p_org, p_sandbox, r.person, r.identity, r.event_id, p_dataset, s.time_ms, stamp_ms, s.body, r.seq
            FROM pg_temp.link_record r JOIN pg_temp.ingest_stage s ON s.ctid = r.place
            WHERE r.fresh;
        INSERT INTO consign.profile_event
                (org, sandbox, person, identity, event_id, dataset, time_ms, ingested_ms, body, ingested_seq)
            SELECT p_org, p_sandbox, r.person, r.identity, r.event_id, p_dataset, s.time_ms, stamp_ms, s.body, r.seq
            FROM pg_temp.link_record r JOIN pg_temp.ingest_stage s ON s.ctid = r.place
            WHERE NOT r.fresh
            ON CONFLICT (org, sandbox, person, identity, event_id) DO UPDATE
                SET dataset = EXCLUDED.dataset, time_ms = EXCLUDED.time_ms, ingested_ms = EXCLUDED.ingested_ms,
                    body = EXCLUDED.body, ingested_seq = EXCLUDED.ingested_seq;
    END IF;
    DROP TABLE pg_temp.link_record;
    DROP TABLE pg_temp.link_identity;
    RETURN stamp_ms;
END
$$;
