/*
 * lease: one piece of work and this worker's right to it. See lease.h.
 */
#include "spooler/lease.h"

#include <stdio.h>
#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"

#define LEASE_SETTLE_MS 10000
#define LEASE_SETTLE_PAUSE_MS 200

static enum lease_task lease_task(const char *kind, const char *task)
{
    if (strcmp(kind, "export") == 0)
        return LEASE_EXPORT;
    return strcmp(task, "stream") == 0 ? LEASE_STREAM : strcmp(task, "delete") == 0 ? LEASE_DELETE : LEASE_BATCH;
}

const char *lease_task_name(enum lease_task task)
{
    static const char *const NAMES[] = {
        [LEASE_EXPORT] = "export", [LEASE_BATCH] = "batch", [LEASE_STREAM] = "stream", [LEASE_DELETE] = "delete"};
    return NAMES[task];
}

void lease_log_context(const struct lease *l, const char *request)
{
    log_context("%s%s%sorg=%d sandbox=%d %s=%lld batch=%s attempt=%s", *request != '\0' ? "req=" : "", request,
                *request != '\0' ? " " : "", l->org, l->sandbox, l->task == LEASE_EXPORT ? "job" : "entry",
                (long long)(l->task == LEASE_EXPORT ? l->job : l->entry), l->batch, l->attempt);
}

enum fault lease_claim(struct lease *l, bool express, bool *found)
{
    struct db_rows rows;
    crypto_uuid(l->attempt);
    const char *params[] = {l->attempt, express ? "true" : "false"};
    *found = false;
    enum fault fault = db_call(l->db, l->arena, 0, &STMT_WORK_CLAIM, params, &rows);
    if (fault != FAULT_NONE || rows.count == 0)
        return fault;
    l->org = (int)db_int(&rows, 0, 0);
    l->sandbox = (int)db_int(&rows, 0, 1);
    l->entry = db_int(&rows, 0, 2);
    l->task = lease_task(db_text(&rows, 0, 3), db_text(&rows, 0, 9));
    l->job = db_int(&rows, 0, 4);
    snprintf(l->batch, sizeof l->batch, "%s", db_text(&rows, 0, 5));
    snprintf(l->previous, sizeof l->previous, "%s", db_text(&rows, 0, 6));
    l->attempts = (int)db_int(&rows, 0, 7);
    l->cancel = db_bool(&rows, 0, 8);
    *found = true;
    return FAULT_NONE;
}

enum fault lease_settle(struct lease *l, const struct stmt *stmt, const char *const *params)
{
    const int64_t deadline_ms = clock_monotonic_ms() + LEASE_SETTLE_MS;
    enum fault fault = arena_exhausted(l->arena) ? FAULT_MEMORY : db_call(l->db, l->arena, l->org, stmt, params, NULL);
    while ((fault == FAULT_DB_UNAVAILABLE || fault == FAULT_DB_CONFLICT) && clock_monotonic_ms() < deadline_ms &&
           !pool_worker_stopping()) {
        pool_worker_wait(-1, LEASE_SETTLE_PAUSE_MS);
        fault = db_call(l->db, l->arena, l->org, stmt, params, NULL);
    }
    if (fault != FAULT_NONE)
        db_close(l->db); /* and with it the lock: who takes the work over finds it as it is */
    return fault;
}

enum fault lease_tell(void *lease, struct arena *a, const struct run_progress *progress)
{
    const struct lease *l = lease;
    const char *params[] = {arena_int(a, l->org), arena_int(a, l->sandbox), l->batch, l->attempt};
    (void)progress;
    return arena_exhausted(a) ? FAULT_MEMORY : db_call(l->db, a, l->org, &STMT_WORK_LOOK, params, NULL);
}

void lease_ended(struct lease *l, enum fault fault)
{
    l->short_of_memory = fault == FAULT_MEMORY;
    log_event(fault_row(fault)->level, "attempt_ended", "fault=%s attempts=%d", fault_row(fault)->name, l->attempts);
}

bool lease_try_again(enum fault fault, int64_t attempts)
{
    bool may_go = fault_row(fault)->retryable || fault == FAULT_MEMORY || fault == FAULT_INTERNAL;
    return may_go && attempts < conf_number(CONF_SPOOLER_ATTEMPTS);
}

void lease_release(struct lease *l, bool undo, enum fault why)
{
    const char *params[] = {arena_int(l->arena, l->org),
                            arena_int(l->arena, l->sandbox),
                            l->batch,
                            l->attempt,
                            arena_int(l->arena, undo ? 0 : conf_number(CONF_SPOOLER_RETRY_MS)),
                            undo ? "true" : "false",
                            fault_row(why)->name};
    enum fault fault = lease_settle(l, &STMT_WORK_RELEASE, params);
    if (fault == FAULT_NONE)
        l->outcome = undo ? LEASE_HANDED_ON : LEASE_RETRIED;
    log_event(LOG_INFO, "released", "undo=%s because=%s outcome=%s", undo ? "true" : "false", fault_row(why)->name,
              fault_row(fault)->name);
}

enum fault lease_look(struct lease *l, struct lease_batch *b)
{
    struct db_rows rows;
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), l->batch};
    if (arena_exhausted(l->arena))
        return FAULT_MEMORY;
    enum fault fault = db_call(l->db, l->arena, l->org, &STMT_BATCH_LOOK, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count != 1) {
        log_event(LOG_ERROR, "batch_missing", "batch=%s", l->batch);
        return FAULT_INTERNAL;
    }
    b->dataset = db_text(&rows, 0, 0);
    b->event = strcmp(db_text(&rows, 0, 1), "experienceevent") == 0;
    b->published = strcmp(db_text(&rows, 0, 2), "success") == 0;
    b->winner = db_text(&rows, 0, 3);
    b->last_fault = db_text(&rows, 0, 4);
    b->request = db_text(&rows, 0, 5);
    return FAULT_NONE;
}
