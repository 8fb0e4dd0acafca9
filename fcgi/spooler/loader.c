/*
 * loader: one attempt at loading an ingest batch. See loader.h.
 */
#include "spooler/loader.h"

#include "core/inbox.h"
#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "spooler/counts.h"
#include "spooler/job_errors.h"
#include "spooler/tree.h"
#include "spooler/watch.h"
#include "store/ingest.h"

#define LOADER_REASON_BYTES 1024u

/* The files of a batch that is over. What stays is the sweep's. */
static void loader_clear(const struct lease *l)
{
    char path[INBOX_PATH_MAX];
    const char *root = conf_text(CONF_INBOX_DIR);
    if (inbox_batch_path(path, root, l->org, l->sandbox, l->batch) != FAULT_NONE || inbox_is_held(root) ||
        tree_remove(path) != FAULT_NONE)
        log_event(LOG_WARN, "left_behind", "batch=%s", l->batch);
}

/* Ends the batch: nothing of it was kept. */
static void loader_fail(struct lease *l, const struct ingest_result *r, const char *errors, const char *reason)
{
    struct arena *a = l->arena;
    const char *params[] = {
        arena_int(a, l->org),   arena_int(a, l->sandbox), l->batch, l->attempt, arena_int(a, r->started_ms),
        arena_int(a, r->input), arena_int(a, r->failed),  errors,   reason};
    enum fault fault = lease_settle(l, &STMT_BATCH_FAIL, params);
    log_event(LOG_WARN, "batch_failed", "records=%lld refused=%lld outcome=%s", (long long)r->input,
              (long long)r->failed, fault_row(fault)->name);
    if (fault == FAULT_NONE) {
        l->outcome = LEASE_FAILED;
        loader_clear(l);
    }
}

/* Ends the batch for a reason that no record of it is to blame for. */
static void loader_fail_for(struct lease *l, const struct ingest_result *r, const struct str *reason)
{
    struct ingest_result none = {.started_ms = r->started_ms};
    loader_fail(l, &none, "[]", reason->data);
}

static void loader_fail_fault(struct lease *l, const struct ingest_result *r, enum fault fault)
{
    struct str reason = STR_INIT(LOADER_REASON_BYTES);
    job_errors_write_load(fault, &reason);
    loader_fail_for(l, r, &reason);
    str_free(&reason);
}

static void loader_fail_killed(struct lease *l, const struct ingest_result *r, const char *last_fault)
{
    struct str reason = STR_INIT(LOADER_REASON_BYTES);
    job_errors_write_load_killed(l->attempts - 1, last_fault, &reason);
    loader_fail_for(l, r, &reason);
    str_free(&reason);
}

/* What becomes of the batch after a load that did not commit, or may not have. */
static void loader_conclude(struct lease *l, const struct ingest_result *r, enum fault fault)
{
    lease_ended(l, fault);
    if (fault == FAULT_MALFORMED)
        loader_fail(l, r, r->errors.data, r->reason.data);
    else if (fault == FAULT_LEASE_LOST)
        db_close(l->db);
    else if (fault == FAULT_STOPPED || lease_try_again(fault, l->attempts))
        lease_release(l, fault == FAULT_STOPPED, fault);
    else
        loader_fail_fault(l, r, fault);
}

/* The load proper. */
static enum fault loader_load(struct lease *l, struct runner_tools *tools, const struct lease_batch *batch,
                              struct ingest_result *result)
{
    struct watch watch = watch_begin(lease_tell, l, tools->beat);
    struct ingest_order order = {.db = tools->work,
                                 .arena = l->arena,
                                 .org = l->org,
                                 .sandbox = l->sandbox,
                                 .batch = l->batch,
                                 .dataset = batch->dataset,
                                 .attempt = l->attempt,
                                 .event = batch->event,
                                 .inbox = conf_text(CONF_INBOX_DIR),
                                 .record_bytes = (size_t)conf_number(CONF_INGEST_RECORD_BYTES),
                                 .errors_kept = conf_number(CONF_INGEST_ERRORS_KEPT),
                                 .file_bytes = conf_number(CONF_INGEST_FILE_BYTES),
                                 .stopped = runner_interrupts,
                                 .stopped_arg = tools};
    runner_watch(tools, &watch, l->attempt);
    enum fault fault = watch_reason(&watch, ingest_load(&order, result));
    runner_watch_end(tools, fault);
    return fault;
}

static void loader_count(struct lease *l, const struct ingest_result *r)
{
    l->outcome = LEASE_SUCCEEDED;
    counts_add("records/batch/taken", r->input - r->failed);
    counts_add("records/batch/refused", r->failed);
    counts_add("record_bytes/batch", r->bytes);
}

void loader_run(struct lease *l, struct runner_tools *tools)
{
    struct ingest_result result = {.started_ms = clock_wall_ms()};
    struct lease_batch batch;
    enum fault fault = lease_look(l, &batch);
    if (fault == FAULT_NONE && l->attempts > conf_number(CONF_SPOOLER_ATTEMPTS)) {
        loader_fail_killed(l, &result, batch.last_fault);
        return;
    }
    if (fault == FAULT_NONE)
        fault = loader_load(l, tools, &batch, &result);
    if (fault == FAULT_NONE) {
        log_event(LOG_INFO, "loaded", "records=%lld refused=%lld ms=%lld", (long long)result.input,
                  (long long)result.failed, (long long)(clock_wall_ms() - result.started_ms));
        loader_count(l, &result);
        loader_clear(l);
    } else {
        loader_conclude(l, &result, fault);
    }
    ingest_result_free(&result);
}
