/*
 * metric: the table of metrics and the two text formats. See metric.h.
 */
#include "responder/metric.h"

#include <inttypes.h>

#include "lib/invariant.h"

static const struct metric_row TABLE[METRIC_COUNT] = {
    [METRIC_REQUESTS] = {"consign_requests", METRIC_COUNTER, "", "route, code", "Requests that the pool has served, by route (README, Routes; none: no such path or method) and class of the status; cut: nobody was left to answer. What nginx answers itself is not in it."},
    [METRIC_REQUEST_DURATION] = {"consign_request_duration_seconds", METRIC_HISTOGRAM, "seconds", "route, le", "Time from a worker's taking of a request to its answer, without what ?wait= held it and without the queue."},
    [METRIC_WORKERS] = {"consign_workers", METRIC_GAUGE, "", "", "Workers that the pool has."},
    [METRIC_WORKERS_BUSY] = {"consign_workers_busy", METRIC_GAUGE, "", "", "Workers that have a request, the one that answers this included."},
    [METRIC_WORKERS_ENDED] = {"consign_workers_ended", METRIC_COUNTER, "", "", "Workers of the pool that ended unasked and were replaced."},
    [METRIC_START_TIME] = {"consign_start_time_seconds", METRIC_GAUGE, "seconds", "", "When the pool started or was last reloaded, in seconds since 1970; its counters begin then."},
    [METRIC_QUEUE_CONNECTIONS] = {"consign_queue_connections", METRIC_GAUGE, "", "", "Connections that no worker has taken yet, at most a second ago; absent where the kernel does not tell."},
    [METRIC_QUEUE_LIMIT] = {"consign_queue_limit", METRIC_GAUGE, "", "", "Connections that may wait so; absent where the kernel does not tell."},
    [METRIC_QUEUE_WAIT] = {"consign_queue_wait_seconds", METRIC_GAUGE, "seconds", "", "The longest that a request taken in the last one to two seconds had waited for its worker."},
    [METRIC_POOL_FULL] = {"consign_pool_full_seconds", METRIC_GAUGE, "seconds", "", "How long no worker has found the queue empty; 0 while one is free."},
    [METRIC_TOKEN_LOOKUPS] = {"consign_token_cache_lookups", METRIC_COUNTER, "", "outcome", "Tokens looked up in the cache of verified ones: hit or miss."},
    [METRIC_TOKEN_ENTRIES] = {"consign_token_cache_entries", METRIC_GAUGE, "", "", "Entries of the token cache that have not ended."},
    [METRIC_TOKEN_SLOTS] = {"consign_token_cache_slots", METRIC_GAUGE, "", "", "Entries that the token cache has room for."},
    [METRIC_KEY_SET_KEYS] = {"consign_key_set_keys", METRIC_GAUGE, "", "issuer", "Usable keys of a token issuer."},
    [METRIC_KEY_SET_REFUSED] = {"consign_key_set_refused", METRIC_GAUGE, "", "issuer", "1 while the issuer's file is no good and an older set is used."},
    [METRIC_KEY_SET_AGE] = {"consign_key_set_age_seconds", METRIC_GAUGE, "seconds", "issuer", "Time since the set was read; -1: never."},

    [METRIC_DATABASE_UP] = {"consign_database_up", METRIC_GAUGE, "", "", "1 when the database answered this or an earlier look of the last five seconds; else the metrics below are absent."},
    [METRIC_WORK] = {"consign_work", METRIC_GAUGE, "", "task, state, weight", "Entries of the work queue by task, state (waiting; backoff: to be tried again later; running; cancelling) and weight of the org (consignctl quota)."},
    [METRIC_WORK_OLDEST] = {"consign_work_oldest_seconds", METRIC_GAUGE, "seconds", "task, weight", "Age of the oldest entry that waits for a worker; 0: none does."},
    [METRIC_ATTEMPTS] = {"consign_attempts", METRIC_COUNTER, "", "task, outcome", "Attempts at work by how they ended: succeeded, failed (for good), cancelled, retried (later), handed_on (at a stop), lost (somebody else has the work, or nobody can tell)."},
    [METRIC_ATTEMPT_SECONDS] = {"consign_attempt_seconds", METRIC_COUNTER, "seconds", "task", "Time that attempts took together."},
    [METRIC_TAKEOVERS] = {"consign_takeovers", METRIC_COUNTER, "", "task", "Attempts that took work over from a worker that had died or stood still."},
    [METRIC_EXPORT_ROWS] = {"consign_export_rows", METRIC_COUNTER, "", "", "Rows of published exports; with a batch a segment, a profile in each of its batches."},
    [METRIC_EXPORT_FILES] = {"consign_export_files", METRIC_COUNTER, "", "", "Part files of published exports."},
    [METRIC_EXPORT_BYTES] = {"consign_export_bytes", METRIC_COUNTER, "bytes", "", "Bytes of these files."},
    [METRIC_INGEST_RECORDS] = {"consign_ingest_records", METRIC_COUNTER, "", "way, outcome", "Records that came in by batches or streams: taken or refused. Of a batch that failed none counts."},
    [METRIC_INGEST_BYTES] = {"consign_ingest_bytes", METRIC_COUNTER, "bytes", "way", "Bytes of the records that were taken, as stored."},
    [METRIC_REMOVED_RECORDS] = {"consign_removed_records", METRIC_COUNTER, "", "", "Records that system jobs removed."},
    [METRIC_SWEEPS] = {"consign_sweeps", METRIC_COUNTER, "", "outcome", "Sweeps: done, stopped (the worker was asked to end), failed."},
    [METRIC_SWEPT] = {"consign_swept", METRIC_COUNTER, "", "what", "What sweeps removed or moved: files (and directories), expired_batches, archived_jobs, forgotten_batches, abandoned_batches (that were open too long)."},
    [METRIC_SWEEP_LAST] = {"consign_sweep_last_seconds", METRIC_GAUGE, "seconds", "", "When the last sweep began, in seconds since 1970; 0: never."},
    [METRIC_SPOOLER_WORKERS_ENDED] = {"consign_spooler_workers_ended", METRIC_COUNTER, "", "", "Workers of the spoolers that ended unasked and were replaced."},
    [METRIC_WEBHOOK_DELIVERIES] = {"consign_webhook_deliveries", METRIC_COUNTER, "", "outcome", "Attempts at sending an event to a webhook by how they ended: delivered, failed (tried again later), refused (the host is not on the list, or its address is none that may be; tried again later), gone (410: the webhook is disabled); and events that were given_up."},
    [METRIC_WEBHOOK_EVENTS] = {"consign_webhook_events", METRIC_GAUGE, "", "state", "Events that no webhook has taken yet, of the 10,000 oldest: waiting (due), sending, backoff (to be tried again later), held (the webhook, its sandbox or org is disabled)."},
    [METRIC_WEBHOOK_OLDEST] = {"consign_webhook_oldest_seconds", METRIC_GAUGE, "seconds", "", "Age of the oldest of these events; 0: there is none."},
    [METRIC_WEBHOOK_DUE] = {"consign_webhook_due_seconds", METRIC_GAUGE, "seconds", "", "How long an event has been due for a webhook that is sent nothing just now: senders are down or busy; 0: none has."},
};

static const char *const TYPES[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

const struct metric_row *metric_row(enum metric metric)
{
    INVARIANT((unsigned)metric < METRIC_COUNT);
    return &TABLE[metric];
}

static const char *metric_suffix(const struct metric_row *row)
{
    return row->type == METRIC_COUNTER ? "_total" : "";
}

void metric_begin(struct str *out, enum metric metric, bool open)
{
    const struct metric_row *row = metric_row(metric);
    const char *suffix = open ? "" : metric_suffix(row);
    str_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", row->name, suffix, row->help, row->name, suffix, TYPES[row->type]);
    if (*row->unit != '\0')
        str_printf(out, "# UNIT %s%s %s\n", row->name, suffix, row->unit);
}

static void metric_name(struct str *out, enum metric metric, const char *labels)
{
    const struct metric_row *row = metric_row(metric);
    str_append_text(out, row->name);
    str_append_text(out, metric_suffix(row));
    if (*labels != '\0') {
        str_append_char(out, '{');
        str_append_text(out, labels);
        str_append_char(out, '}');
    }
}

void metric_sample(struct str *out, enum metric metric, const char *labels, int64_t value)
{
    metric_name(out, metric, labels);
    str_printf(out, " %" PRId64 "\n", value);
}

void metric_sample_milli(struct str *out, enum metric metric, const char *labels, int64_t value)
{
    metric_name(out, metric, labels);
    str_printf(out, " %" PRId64 ".%03d\n", value / 1000, (int)(value % 1000));
}

void metric_single(struct str *out, enum metric metric, bool open, int64_t value)
{
    metric_begin(out, metric, open);
    metric_sample(out, metric, "", value);
}

void metric_single_milli(struct str *out, enum metric metric, bool open, int64_t value)
{
    metric_begin(out, metric, open);
    metric_sample_milli(out, metric, "", value);
}

void metric_print_table(FILE *out)
{
    fprintf(out, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < METRIC_COUNT; i++)
        fprintf(out, "| `%s%s` | %s | %s | %s |\n", TABLE[i].name, metric_suffix(&TABLE[i]), TYPES[TABLE[i].type],
                TABLE[i].labels, TABLE[i].help);
}
