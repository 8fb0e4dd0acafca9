/*
 * stmt_spooler: every SQL statement of consign-spooler. See stmt_spooler.h.
 */
#include "core/stmt_spooler.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/invariant.h"
#include "lib/log.h"

const struct stmt STMT_WORK_CLAIM = {"work_claim",
    "SELECT org, sandbox, entry, kind, job, batch, previous, attempts, cancel FROM consign.work_claim($1)", 1};

const struct stmt STMT_WORK_RELEASE = {"work_release",
    "SELECT consign.work_release($1, $2, $3, $4, CASE WHEN $5::boolean THEN 0 ELSE"
    " (SELECT consign.now_ms() + least(greatest(consign.now_ms() - q.created_ms, 1000), 60000)"
    " FROM consign.work_queue q WHERE q.org = $1 AND q.sandbox = $2 AND q.batch = $3) END, $5::boolean, $6)", 6};

const struct stmt STMT_BATCH_LOOK = {"batch_look",
    "SELECT b.dataset, d.class, b.status, b.attempt, (SELECT q.attempt FROM consign.work_queue q"
    " WHERE q.org = $1 AND q.sandbox = $2 AND q.batch = $3) AS holder FROM consign.batch b"
    " JOIN consign.dataset d USING (org, sandbox, dataset)"
    " WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3", 3};

const struct stmt STMT_ATTEMPT_LIVE = {"attempt_live",
    "SELECT EXISTS (SELECT FROM consign.work_queue q WHERE q.attempt = $1)", 1};

const struct stmt STMT_INBOX_WANTED = {"inbox_wanted",
    "SELECT EXISTS (SELECT FROM consign.batch b WHERE b.org = $1 AND b.sandbox = $2 AND b.batch = $3"
    " AND b.kind = 'ingest' AND b.status IN ('loading', 'processing')),"
    " (SELECT count(*) FROM consign.batch_upload u WHERE u.org = $1 AND u.sandbox = $2 AND u.batch = $3)", 3};

const struct stmt STMT_UPLOAD_WANTED = {"upload_wanted",
    "SELECT EXISTS (SELECT FROM consign.batch_upload u WHERE u.org = $1 AND u.sandbox = $2 AND u.batch = $3"
    " AND u.object = $4)", 4};

const struct stmt STMT_KEYS_EXPIRE = {"keys_expire", "SELECT consign.idempotency_expire($1::integer)", 1};

const struct stmt STMT_JOB_START = {"job_start",
    "SELECT dataset, format, compression, fields, additional_fields, filter"
    " FROM consign.job_start($1, $2, $3, $4, $5)", 5};

const struct stmt STMT_JOB_BEAT = {"job_beat",
    "SELECT consign.job_beat($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9};

const struct stmt STMT_JOB_PUBLISH = {"job_publish",
    "SELECT consign.job_publish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)", 14};

const struct stmt STMT_JOB_GIVE_UP = {"job_give_up",
    "SELECT consign.job_give_up($1, $2, $3, $4, $5, $6, $7)", 7};

const struct stmt STMT_UPLOAD_LIST = {"upload_list",
    "SELECT u.name, u.object, u.bytes FROM consign.batch_upload u"
    " WHERE u.org = $1 AND u.sandbox = $2 AND u.batch = $3 ORDER BY u.name COLLATE \"C\"", 3};

const struct stmt STMT_BATCH_LOAD = {"batch_load",
    "SELECT consign.batch_load($1, $2, $3, $4, $5, $6, $7, $8)", 8};

const struct stmt STMT_BATCH_FAIL = {"batch_fail",
    "SELECT consign.batch_fail($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9};

const struct stmt STMT_STORE_LOOK = {"store_look",
    "SELECT coalesce((SELECT c.last_ms FROM consign.ingest_clock c WHERE c.org = $1 AND c.sandbox = $2), 0),"
    " pg_export_snapshot(),"
    " (SELECT count(*) FROM consign.identity i WHERE i.org = $1 AND i.sandbox = $2)", 2};

/* A transaction that failed dropped it too, so the name is free whenever a load begins. */
const char STMT_STAGE_MAKE[] =
    "CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text)"
    " ON COMMIT DROP";
const char STMT_STAGE_COPY[] = "COPY pg_temp.ingest_stage FROM STDIN (FORMAT binary)";
const char STMT_STAGE_ANALYZE[] = "ANALYZE pg_temp.ingest_stage (ns, value, event_id)";

/* The planner would rather sort a large store as a whole, which takes its size on disk and shows the
 * first row only after the last was read. The primary key has (person, identity) in order, so what is
 * left to sort is one identity at a time. */
const char STMT_READ_SETTINGS[] =
    "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off;"
    " SET LOCAL enable_incremental_sort = on; SET LOCAL statement_timeout = 0";

/* SECURITY: COPY takes no parameters. What varies in its text is written by %d and PRId64, whose output
 * is a sign and digits whatever the value, so no input can add SQL. */
static void stmt_made(int length)
{
    INVARIANT(length > 0 && length < STMT_COPY_MAX);
}

void stmt_copy_fragments(char out[STMT_COPY_MAX], int org, int sandbox)
{
    stmt_made(snprintf(out, STMT_COPY_MAX,
                       "COPY (SELECT person, identity, body FROM consign.profile_fragment"
                       " WHERE org = %d AND sandbox = %d ORDER BY person, identity, ingested_ms, dataset)"
                       " TO STDOUT (FORMAT binary)",
                       org, sandbox));
}

void stmt_copy_events(char out[STMT_COPY_MAX], int org, int sandbox, int64_t after_ms, int64_t before_ms)
{
    stmt_made(snprintf(out, STMT_COPY_MAX,
                       "COPY (SELECT person, identity, ingested_ms, body FROM consign.profile_event"
                       " WHERE org = %d AND sandbox = %d AND ingested_ms > '%" PRId64 "'::bigint"
                       " AND ingested_ms < '%" PRId64 "'::bigint ORDER BY person, identity, time_ms, event_id)"
                       " TO STDOUT (FORMAT binary)",
                       org, sandbox, after_ms, before_ms));
}

enum fault stmt_use_snapshot(char out[STMT_COPY_MAX], const char *snapshot)
{
    /* SECURITY: it comes from the server, and goes into a text all the same: digits and dashes only */
    size_t length = strlen(snapshot);
    if (length == 0 || length > 64 || strspn(snapshot, "0123456789ABCDEF-") != length) {
        log_event(LOG_ERROR, "snapshot", "value=%s", log_quote(snapshot));
        return FAULT_INTERNAL;
    }
    stmt_made(snprintf(out, STMT_COPY_MAX, "SET TRANSACTION SNAPSHOT '%s'", snapshot));
    return FAULT_NONE;
}
