/*
 * lease: one piece of work and this worker's right to it. See lease.h.
 */
#include "spooler/lease.h"

#include <stdio.h>
#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/log.h"

static enum lease_task lease_task(const char *kind, const char *task)
{
    if (strcmp(kind, "export") == 0)
        return LEASE_EXPORT;
    return strcmp(task, "stream") == 0 ? LEASE_STREAM : strcmp(task, "delete") == 0 ? LEASE_DELETE : LEASE_BATCH;
}

enum fault lease_claim(struct lease *l, bool *found)
{
    struct db_rows rows;
    crypto_uuid(l->attempt);
    const char *params[] = {l->attempt};
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

void lease_release(struct lease *l, bool undo, enum fault why)
{
    const char *params[] = {
        arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), l->batch, l->attempt, undo ? "true" : "false",
        fault_row(why)->name};
    if (arena_exhausted(l->arena))
        return;
    enum fault fault = db_call(l->db, l->arena, l->org, &STMT_WORK_RELEASE, params, NULL);
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
    b->held = strcmp(db_text(&rows, 0, 4), l->attempt) == 0;
    return FAULT_NONE;
}
