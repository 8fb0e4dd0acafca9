/*
 * eraser: one attempt at a system job. See eraser.h.
 *
 * Batches that were accepted before the job stand before it in the queue. Messages may not: their entry goes to the
 * back when a pass leaves some. So the messages with lower numbers than the job's (sql/schema/018_removing.sql) are
 * loaded first, here, with what drain does about a message that ends its workers; those with higher ones nobody loads
 * before the job is done. Then the removal, one transaction.
 */
#include "spooler/eraser.h"

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "spooler/counts.h"
#include "spooler/drain.h"
#include "spooler/watch.h"

#define ERASER_PASS_BYTES (64u * 1024u)

/* Loads what was accepted before the job and is still a message. The lease's arena holds what lasts as long as the
 * lease; with as many datasets as a sandbox may have, what a pass needs would fill it. */
static enum fault eraser_drain(struct lease *l, struct db *work)
{
    struct lease pass = *l;
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox)};
    struct db_rows rows;
    enum fault fault = arena_exhausted(l->arena) ? FAULT_MEMORY : FAULT_NONE;
    pass.arena = arena_new(ERASER_PASS_BYTES);
    if (pass.arena == NULL)
        return FAULT_MEMORY;
    while (fault == FAULT_NONE) {
        arena_reset(pass.arena);
        fault = db_call(work, pass.arena, l->org, &STMT_SYSTEM_JOB_BEHIND, params, &rows);
        if (fault != FAULT_NONE || rows.count == 0)
            break;
        fault = drain_pass(&pass, work, db_text(&rows, 0, 0));
    }
    arena_free(pass.arena);
    return fault;
}

static void eraser_give_up(struct lease *l, const char *const *params, enum fault why)
{
    enum fault fault = lease_settle(l, &STMT_SYSTEM_JOB_FAIL, params);
    if (fault == FAULT_NONE)
        l->outcome = LEASE_FAILED;
    log_event(LOG_ERROR, "removal_failed", "because=%s outcome=%s", fault_row(why)->name, fault_row(fault)->name);
}

/* The transaction: not by db_call(), whose transactions have no name by which they could be ended. */
static enum fault eraser_transaction(struct lease *l, struct db *work, const char *const *params, int64_t *removed)
{
    struct db_rows rows;
    enum fault fault = db_begin(work, l->org, "");
    if (fault == FAULT_NONE)
        fault = db_run(work, l->arena, &STMT_SYSTEM_JOB_RUN, params, &rows);
    if (fault != FAULT_NONE) {
        db_rollback(work);
        return fault;
    }
    *removed = db_int(&rows, 0, 0);
    return db_commit(work);
}

/* The removal itself, which is given up when it fails too often. What it returns is for another attempt. */
static enum fault eraser_remove(struct lease *l, struct db *work)
{
    const int64_t most = conf_number(CONF_SPOOLER_ATTEMPTS), started_ms = clock_wall_ms();
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), l->batch, l->attempt};
    struct db_rows rows;
    if (arena_exhausted(l->arena))
        return FAULT_MEMORY;
    enum fault fault = db_call(l->db, l->arena, l->org, &STMT_SYSTEM_JOB_START, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    const int64_t attempts = db_int(&rows, 0, 0);
    if (attempts > most) {
        eraser_give_up(l, params, FAULT_INTERNAL);
        return FAULT_NONE;
    }
    int64_t removed = 0;
    fault = eraser_transaction(l, work, params, &removed);
    if (fault == FAULT_NONE) {
        log_event(LOG_INFO, "removed", "records=%lld ms=%lld", (long long)removed,
                  (long long)(clock_wall_ms() - started_ms));
        l->outcome = LEASE_SUCCEEDED;
        counts_add("removed_records", removed);
        return FAULT_NONE;
    }
    if (fault == FAULT_STOPPED || fault == FAULT_LEASE_LOST || lease_try_again(fault, attempts))
        return fault;
    eraser_give_up(l, params, fault);
    return FAULT_NONE;
}

void eraser_run(struct lease *l, struct runner_tools *tools)
{
    struct watch watch = watch_begin(lease_tell, l, tools->beat);
    runner_watch(tools, &watch, l->attempt);
    enum fault fault = eraser_drain(l, tools->work);
    if (fault == FAULT_NONE)
        fault = eraser_remove(l, tools->work);
    fault = watch_reason(&watch, fault);
    runner_watch_end(tools, fault);
    if (fault == FAULT_NONE)
        return;
    lease_ended(l, fault);
    if (fault == FAULT_LEASE_LOST)
        db_close(l->db);
    else
        lease_release(l, fault == FAULT_STOPPED, fault);
}
