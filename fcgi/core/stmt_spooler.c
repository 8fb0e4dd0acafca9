/*
 * stmt_spooler: every SQL statement of consign-spooler. See stmt_spooler.h.
 */
#include "core/stmt_spooler.h"

const struct stmt STMT_SPOOLER_SCHEMA = {"schema", "SELECT consign.schema_version(), current_user, consign.sql_digest()", 0};

const struct stmt STMT_WORK_CLAIM = {"work_claim",
    "SELECT org, sandbox, entry, kind, job, batch, previous, attempts, cancel, task FROM consign.work_claim($1, $2)", 2};

const struct stmt STMT_WORK_RELEASE = {"work_release", "SELECT consign.work_release($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_WORK_LOOK = {"work_look", "SELECT entry FROM consign.work_look($1, $2, $3, $4)", 4};

const struct stmt STMT_BATCH_LOOK = {"batch_look",
    "SELECT b.dataset, d.class, b.status, b.attempt, q.last_fault, j.request_id FROM consign.batch b"
    " JOIN consign.dataset d USING (org, sandbox, dataset) LEFT JOIN consign.work_queue q USING (org, sandbox, batch)"
    " LEFT JOIN consign.export_job j ON j.org = q.org AND j.sandbox = q.sandbox AND j.job = q.job"
    " WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3", 3};

const struct stmt STMT_SESSION_END_SILENT = {"session_end_silent", "SELECT consign.session_end_silent($1)", 1};

const struct stmt STMT_ATTEMPT_LIVE = {"attempt_live",
    "SELECT EXISTS (SELECT FROM consign.work_queue q WHERE q.attempt = $1)", 1};

const struct stmt STMT_INBOX_WANTED = {"inbox_wanted",
    "SELECT EXISTS (SELECT FROM consign.batch b WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3"
    " AND b.kind = 'ingest' AND b.status IN ('loading', 'processing')),"
    " (SELECT count(*) FROM consign.batch_upload u LEFT JOIN consign.batch_upload_part p USING (org, sandbox, batch, name)"
    " WHERE u.org = $1 AND u.sandbox = $2 AND u.batch = $3)", 3};

const struct stmt STMT_UPLOAD_WANTED = {"upload_wanted",
    "SELECT EXISTS (SELECT FROM consign.batch_upload u WHERE u.org = $1 AND u.sandbox = $2 AND u.batch = $3"
    " AND u.object = $4) OR EXISTS (SELECT FROM consign.batch_upload_part p WHERE p.org = $1 AND p.sandbox = $2"
    " AND p.batch = $3 AND p.object = $4)", 4};

const struct stmt STMT_KEYS_EXPIRE = {"keys_expire", "SELECT consign.idempotency_expire($1::integer)", 1};

const struct stmt STMT_WEBHOOK_CLAIM = {"webhook_claim",
    "SELECT org, sandbox, event, attempts, webhook, url, secret, old_secret, body"
    " FROM consign.webhook_claim($1::integer, $2::bigint)", 2};

const struct stmt STMT_WEBHOOK_END = {"webhook_end",
    "SELECT consign.webhook_end($1::integer, $2::integer, $3::uuid, $4::integer, $5, $6::bigint)", 6};

const struct stmt STMT_WEBHOOK_GIVE_UP = {"webhook_give_up",
    "SELECT org, sandbox, event, webhook, attempts FROM consign.webhook_give_up($1::bigint, $2::integer)", 2};

const struct stmt STMT_WEBHOOK_FORGET = {"webhook_forget", "SELECT consign.webhook_forget($1::bigint, $2::integer)", 2};

const struct stmt STMT_METRIC_ADD = {"metric_add", "SELECT consign.metric_add($1::text[], $2::bigint[])", 2};

const struct stmt STMT_SWEEP_BEGIN = {"sweep_begin", "SELECT step, place FROM consign.sweep_begin($1)", 1};

const struct stmt STMT_SWEEP_END = {"sweep_end", "SELECT pg_advisory_unlock(4, 0)", 0};

const struct stmt STMT_SWEEP_MARK = {"sweep_mark",
    "INSERT INTO consign.sweep_mark (step, place) VALUES ($1, $2) ON CONFLICT (step) DO UPDATE SET place = EXCLUDED.place", 2};

const struct stmt STMT_SWEEP_PLACES = {"sweep_places", "SELECT org, sandbox FROM consign.sweep_places($1, $2, $3)", 3};

const struct stmt STMT_RETENTION_NEXT = {"retention_next",
    "SELECT r.org, r.sandbox, r.dataset FROM consign.dataset_retention r WHERE (r.org, r.sandbox, r.dataset) > ($1::integer,"
    " $2::integer, $3) ORDER BY r.org, r.sandbox, r.dataset LIMIT $4::integer", 4};

const struct stmt STMT_BATCH_EXPIRE = {"batch_expire", "SELECT batch, kind FROM consign.batch_expire($1, $2, $3, $4)", 4};

const struct stmt STMT_LAKE_DEAD = {"lake_dead",
    "SELECT place, awaited FROM consign.lake_dead($1, $2, $3::text[], $4::text[], $5::text[])", 5};

const struct stmt STMT_DATASET_THERE = {"dataset_there",
    "SELECT EXISTS (SELECT FROM consign.dataset d WHERE d.org = $1::integer AND d.sandbox = $2::integer AND d.dataset = $3)", 3};

const struct stmt STMT_JOB_ARCHIVE = {"job_archive", "SELECT consign.job_archive($1, $2, $3, $4)", 4};

const struct stmt STMT_BATCH_ABANDON = {"batch_abandon", "SELECT consign.batch_abandon($1, $2, $3, $4)", 4};

const struct stmt STMT_BATCH_FORGET = {"batch_forget", "SELECT consign.batch_forget($1, $2, $3, $4)", 4};

#define JOB_ORDERS "dataset, format, compression, fields, additional_fields, filter, policy, segment_per_batch"

const struct stmt STMT_JOB_START = {"job_start",
    "SELECT " JOB_ORDERS " FROM consign.job_start($1, $2, $3, $4, $5)", 5};

const struct stmt STMT_JOB_ORDERS = {"job_orders", "SELECT " JOB_ORDERS " FROM consign.job_orders($1, $2, $3)", 3};

const struct stmt STMT_JOB_TARGETS = {"job_targets",
    "SELECT number, batch, segment_ns, segment_id FROM consign.export_target"
    " WHERE org = $1 AND sandbox = $2 AND job = $3 ORDER BY number", 3};

const struct stmt STMT_JOB_BEAT = {"job_beat",
    "SELECT consign.job_beat($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", 10};

const struct stmt STMT_JOB_PUBLISH = {"job_publish",
    "SELECT consign.job_publish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", 15};

const struct stmt STMT_JOB_GIVE_UP = {"job_give_up",
    "SELECT consign.job_give_up($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_UPLOAD_LIST = {"upload_list",
    "SELECT u.name, coalesce(p.object, u.object), coalesce(p.bytes, u.bytes), u.encoding, b.input_format, b.delimiter"
    " FROM consign.batch b JOIN consign.batch_upload u USING (org, sandbox, batch)"
    " LEFT JOIN consign.batch_upload_part p USING (org, sandbox, batch, name)"
    " WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3 ORDER BY u.name COLLATE \"C\", p.first_byte", 3};

const struct stmt STMT_BATCH_TOO_BAD = {"batch_too_bad",
    "SELECT $5::bigint * 100 > b.bad_percent * $4::bigint, b.bad_percent FROM consign.batch b"
    " WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3", 5};

const struct stmt STMT_BATCH_WRITTEN = {"batch_written",
    "UPDATE consign.batch SET output_bytes = $4 WHERE org = $1 AND sandbox = $2 AND batch = $3", 4};

const struct stmt STMT_BATCH_LOAD = {"batch_load",
    "SELECT consign.batch_load($1, $2, $3, $4, $5, $6, $7, $8)", 8};

const struct stmt STMT_BATCH_FAIL = {"batch_fail",
    "SELECT consign.batch_fail($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9};

const struct stmt STMT_SYSTEM_JOB_START = {"system_job_start", "SELECT consign.system_job_start($1, $2, $3, $4)", 4};

const struct stmt STMT_SYSTEM_JOB_BEHIND = {"system_job_behind",
    "SELECT d.dataset FROM consign.dataset d CROSS JOIN LATERAL (SELECT m.number FROM consign.stream_message m"
    " WHERE m.org = d.org AND m.sandbox = d.sandbox AND m.dataset = d.dataset ORDER BY m.number LIMIT 1) oldest"
    " WHERE d.org = $1 AND d.sandbox = $2 AND oldest.number < (SELECT consign.system_job_horizon($1, $2)) LIMIT 1", 2};

const struct stmt STMT_SYSTEM_JOB_RUN = {"system_job_run", "SELECT consign.system_job_run($1, $2, $3, $4)", 4};

const struct stmt STMT_SYSTEM_JOB_FAIL = {"system_job_fail", "SELECT consign.system_job_fail($1, $2, $3, $4)", 4};

/* The horizon is asked in a query of its own: within the condition it would keep the index from being used. */
const struct stmt STMT_STREAM_LOOK = {"stream_look",
    "SELECT d.class, coalesce((SELECT m.number FROM consign.stream_message m WHERE m.org = $1 AND m.sandbox = $2"
    " AND m.dataset = $3 AND m.number < (SELECT consign.system_job_horizon($1, $2)) ORDER BY m.number DESC LIMIT 1), 0)"
    " FROM consign.dataset d WHERE d.org = $1 AND d.sandbox = $2 AND d.dataset = $3", 3};

const struct stmt STMT_STREAM_TAKE = {"stream_take",
    "SELECT number, xaction, bytes, body FROM consign.stream_take($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_STREAM_LOAD = {"stream_load",
    "SELECT consign.stream_load($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", 13};

const struct stmt STMT_STREAM_TRY = {"stream_try",
    "SELECT number, again FROM consign.stream_try($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_STREAM_END = {"stream_end", "SELECT consign.stream_end($1, $2, $3, $4)", 4};

const struct stmt STMT_INTAKE_RULES = {"intake_rules",
    "SELECT class, document, identities FROM consign.dataset_rules($1, $2, $3)", 3};

const struct stmt STMT_OBSERVED_GET = {"observed_get",
    "SELECT o.schema FROM consign.observed_schema o WHERE o.org = $1 AND o.sandbox = $2 AND o.dataset = $3", 3};

const struct stmt STMT_OBSERVED_PUT = {"observed_put",
    "INSERT INTO consign.observed_schema (org, sandbox, dataset, schema, updated_ms)"
    " VALUES ($1, $2, $3, $4, consign.now_ms()) ON CONFLICT (org, sandbox, dataset)"
    " DO UPDATE SET schema = EXCLUDED.schema, updated_ms = EXCLUDED.updated_ms", 4};

const struct stmt STMT_OBSERVED_NEXT = {"observed_next",
    "SELECT o.dataset, d.class, o.schema FROM consign.observed_schema o"
    " JOIN consign.dataset d USING (org, sandbox, dataset)"
    " WHERE o.org = $1 AND o.sandbox = $2 AND o.dataset > $3 ORDER BY o.dataset LIMIT 1", 3};

const struct stmt STMT_STORE_LOOK = {"store_look",
    "SELECT coalesce((SELECT c.last_ms FROM consign.ingest_clock c WHERE c.org = $1 AND c.sandbox = $2), 0),"
    " pg_export_snapshot(),"
    " coalesce((SELECT c.identities FROM consign.ingest_clock c WHERE c.org = $1 AND c.sandbox = $2), 0)", 2};

const struct stmt STMT_STORE_BOUNDS = {"store_bounds",
    "SELECT ARRAY(SELECT DISTINCT n.person FROM (SELECT i.person, row_number() OVER (ORDER BY i.person) AS place"
    " FROM consign.identity i WHERE i.org = $1 AND i.sandbox = $2 AND i.person IS NOT NULL) n"
    " WHERE n.place % $3::bigint = 0 ORDER BY n.person)::text", 3};

const struct stmt STMT_SHARE_OPEN = {"share_open",
    "SELECT consign.share_open($1, $2, $3, $4, $5, $6, $7::bigint[])", 7};

const struct stmt STMT_SHARE_TAKE = {"share_take",
    "SELECT person_from, person_to FROM consign.share_take($1, $2, $3, $4, $5, $6)", 6};

const struct stmt STMT_HELP_BEGIN = {"help_begin",
    "SELECT org, sandbox, job, batch, attempt, snapshot, liveness FROM consign.help_begin($1)", 1};

const struct stmt STMT_HELP_ENTER = {"help_enter", "SELECT consign.help_enter($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_HELP_BEAT = {"help_beat", "SELECT consign.help_beat($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9};

const struct stmt STMT_HELP_END = {"help_end", "SELECT consign.help_end($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", 11};

const struct stmt STMT_HELP_DROP = {"help_drop", "SELECT consign.help_drop($1, $2, $3, $4)", 4};

const struct stmt STMT_HELP_LOOK = {"help_look", "SELECT working, free FROM consign.help_look($1, $2, $3, $4)", 4};

const struct stmt STMT_HELP_CLEAR = {"help_clear", "SELECT consign.help_clear($1, $2, $3, $4)", 4};

const struct stmt STMT_HELP_FILES = {"help_files",
    "SELECT h.helper, f.target, f.name, f.rows, f.bytes, f.sha256 FROM consign.export_helper h"
    " CROSS JOIN LATERAL jsonb_to_recordset(h.files::jsonb)"
    " AS f(target integer, name text, rows bigint, bytes bigint, sha256 text)"
    " WHERE h.org = $1 AND h.sandbox = $2 AND h.job = $3 AND h.status = 'done' ORDER BY h.helper, f.target, f.name", 3};

/* A transaction that failed dropped it too, so the name is free whenever a load begins. */
const char STMT_STAGE_MAKE[] =
    "CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint,"
    " body text COMPRESSION lz4, link_ns text[], link_value text[]) ON COMMIT DROP";
const char STMT_STAGE_COPY[] = "COPY pg_temp.ingest_stage FROM STDIN (FORMAT binary)";
/* A small sample does, here and for what the load derives from it: the default one reads most of a large table. */
const char STMT_STAGE_ANALYZE[] =
    "SET LOCAL default_statistics_target = 10; ANALYZE pg_temp.ingest_stage (ns, value, event_id)";

/* The planner would rather sort a large store as a whole, which takes its size on disk and shows the
 * first row only after the last was read. The primary key has (person, identity) in order, so what is
 * left to sort is one identity at a time. */
const char STMT_READ_SETTINGS[] =
    "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off;"
    " SET LOCAL enable_incremental_sort = on; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0"; /* while helpers read under its snapshot */
