-- Webhooks: who is told when an export job ends.

-- An endpoint of a sandbox, registered by the operator (consignctl webhook). Datasets and jobs name it; it is never removed.
-- SECURITY: what signs is kept as it is, because a signature needs it; of the programs only the spooler reads it.
CREATE TABLE consign.webhook (
    org           integer NOT NULL,
    sandbox       integer NOT NULL,
    name          text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    url           text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    secret        bytea NOT NULL CHECK (length(secret) = 32),
    old_secret    bytea CHECK (length(old_secret) = 32), -- the one before, which signs as well
    old_until_ms  bigint NOT NULL DEFAULT 0,             -- up to then
    active        boolean NOT NULL DEFAULT true,         -- false: events for it wait (the operator; or it answered 410)
    created_ms    bigint NOT NULL DEFAULT consign.now_ms(),
    PRIMARY KEY (org, sandbox, name),
    FOREIGN KEY (org, sandbox) REFERENCES consign.sandbox
);

-- What is to be told, and for a while what was. outcome, and who sets it:
--   NULL       to be sent (webhook_note, in the transaction that ends the job)
--   delivered  an answer 2xx came (spooler)
--   given_up   it had its time (spooler's sweep)
CREATE TABLE consign.webhook_event (
    org            integer NOT NULL,
    sandbox        integer NOT NULL,
    event          uuid NOT NULL,
    webhook        text NOT NULL,
    body           text NOT NULL,
    created_ms     bigint NOT NULL,
    not_before_ms  bigint NOT NULL, -- when it is sent next; of one that is being sent, when others may
    sending        boolean NOT NULL DEFAULT false,
    attempts       integer NOT NULL DEFAULT 0,
    outcome        text CHECK (outcome IN ('delivered', 'given_up')),
    ended_ms       bigint,
    CHECK ((outcome IS NULL) = (ended_ms IS NULL)),
    PRIMARY KEY (org, sandbox, event),
    FOREIGN KEY (org, sandbox, webhook) REFERENCES consign.webhook
) WITH (fillfactor = 70);
CREATE STATISTICS consign.webhook_event_place (dependencies) ON org, sandbox FROM consign.webhook_event;
-- Whether anything is due at all; what is due of an endpoint; what is being sent; what has an end.
CREATE INDEX webhook_event_next ON consign.webhook_event (not_before_ms) WHERE outcome IS NULL;
CREATE INDEX webhook_event_due ON consign.webhook_event (org, sandbox, webhook, not_before_ms) WHERE outcome IS NULL;
CREATE INDEX webhook_event_sending ON consign.webhook_event (not_before_ms) WHERE outcome IS NULL AND sending;
CREATE INDEX webhook_event_old ON consign.webhook_event (created_ms) WHERE outcome IS NULL;
CREATE INDEX webhook_event_ended ON consign.webhook_event (ended_ms) WHERE outcome IS NOT NULL;

-- The pool sees whether there is an endpoint of that name, and no event at all. The spooler's sender takes the events of
-- all tenants in turn, as its workers do with the queue.
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['webhook', 'webhook_event'] LOOP
        EXECUTE format('ALTER TABLE consign.%I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE consign.%I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY claim ON consign.%I TO consign_spooler USING (true) WITH CHECK (true)', tenant_table);
        EXECUTE format('CREATE POLICY operator ON consign.%I TO consign_owner USING (true) WITH CHECK (true)', tenant_table);
    END LOOP;
END
$$;
CREATE POLICY tenant ON consign.webhook TO consign_api
    USING (org = consign.tenant_org()) WITH CHECK (org = consign.tenant_org());

-- NOT VALID: nothing of before needs the check, which would ask the policies of all tenants at once.
ALTER TABLE consign.dataset ADD COLUMN webhook text;
ALTER TABLE consign.dataset ADD FOREIGN KEY (org, sandbox, webhook) REFERENCES consign.webhook NOT VALID;
-- The endpoint that the job named, else its dataset's of then. No foreign key: job_create looked, and none is removed.
ALTER TABLE consign.export_job ADD COLUMN webhook text;
ALTER TABLE consign.export_job_archive ADD COLUMN webhook text;

-- As before, with `webhook` last: job_archive_move goes by the order of the columns.
CREATE OR REPLACE VIEW consign.job_document WITH (security_invoker = true) AS
SELECT j.org, j.sandbox, j.job, j.status, j.dataset, j.batch, j.merge_policy, j.merge_policy_version, j.fields, j.filter,
       j.additional_fields, j.profile_instance_id, j.request_id, j.created_client, j.created_ms, j.updated_ms, j.ended_ms,
       j.attempt, j.push, j.export_start_ms, j.export_end_ms, j.write_start_ms, j.write_end_ms, j.watermark_ms, j.profiles,
       j.events, j.by_namespace, j.skipped, j.errors, j.segment_per_batch,
       p.phase, p.profiles_done, p.profiles_estimated, p.files_written,
       CASE WHEN j.segment_per_batch THEN consign.job_targets(j.org, j.sandbox, j.job) END AS targets, j.webhook
FROM consign.export_job j LEFT JOIN LATERAL (
    SELECT q.phase, q.profiles_done, q.profiles_estimated, q.files_written FROM consign.export_progress q
    WHERE q.org = j.org AND q.sandbox = j.sandbox AND q.job = j.job AND j.status IN ('PROCESSING', 'CANCELLING')
    OFFSET 0) p ON true;

-- Enters the event that tells of a job's end, in the transaction that ends the job: so no end is without its event and no
-- event without its end, whichever function it was. What is told is the job as it was then, in the words of the job's
-- document (fcgi/responder/job_document.c); it may be tried again later (job_retry).
-- SECURITY: runs as the owner, so that no program has a right to make events, or to read the names of orgs and sandboxes.
CREATE FUNCTION consign.webhook_note() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    names_most constant integer := 16384; -- a count for each namespace, and a tenant may have made up many
    event     uuid := gen_random_uuid();
    succeeded boolean := NEW.status = 'SUCCEEDED';
BEGIN
    INSERT INTO consign.webhook_event (org, sandbox, event, webhook, created_ms, not_before_ms, body)
    SELECT NEW.org, NEW.sandbox, event, NEW.webhook, NEW.ended_ms, NEW.ended_ms, json_strip_nulls(json_build_object(
        'id', event,
        'type', 'export.job.' || lower(NEW.status),
        'created', NEW.ended_ms,
        'imsOrgId', o.ims_org_id,
        'sandboxName', s.name,
        'job', json_build_object(
            'id', NEW.job,
            'status', NEW.status,
            'requestId', NEW.request_id,
            'destination', json_build_object(
                'datasetId', NEW.dataset,
                'segmentPerBatch', NEW.segment_per_batch,
                'batchId', CASE WHEN succeeded AND NOT NEW.segment_per_batch THEN NEW.batch END,
                'batches', CASE WHEN succeeded AND NEW.segment_per_batch
                    THEN consign.job_targets(NEW.org, NEW.sandbox, NEW.job)::json END),
            'metrics', json_build_object(
                'totalTime', json_build_object('startTimeInMs', NEW.created_ms, 'endTimeInMs', NEW.ended_ms,
                    'totalTimeInMs', NEW.ended_ms - NEW.created_ms),
                'totalExportedProfileCounter', NEW.profiles,
                'exportedProfileByNamespaceCounter', CASE WHEN octet_length(NEW.by_namespace) <= names_most
                    THEN NEW.by_namespace::json END,
                'totalExportedEventCounter', NEW.events,
                'skippedProfiles', NEW.skipped::json),
            'errors', NEW.errors::json,
            'watermark', NEW.watermark_ms,
            'creationTime', NEW.created_ms)))::text
    FROM consign.org o JOIN consign.sandbox s ON s.org = o.org
    WHERE o.org = NEW.org AND s.sandbox = NEW.sandbox;
    RETURN NULL;
END
$$;
CREATE TRIGGER webhook_note AFTER UPDATE OF status ON consign.export_job FOR EACH ROW
    WHEN (NEW.webhook IS NOT NULL AND NEW.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION consign.webhook_note();

-- Their new forms are in sql/api, which replaces a function only when its arguments stay.
DROP FUNCTION IF EXISTS consign.job_create, consign.dataset_create, consign.dataset_change;
