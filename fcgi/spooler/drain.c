/*
 * drain: one attempt at the messages that wait for a dataset. See drain.h.
 *
 * A pass loads what was there when it began, in steps of a transaction each. It is bounded, so that what stands behind
 * it in the sandbox gets its turn: what is left goes to the back of the queue (stream_end).
 */
#include "spooler/drain.h"

#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/invariant.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/counts.h"
#include "spooler/watch.h"
#include "store/message.h"

#define DRAIN_ROWS 5000 /* messages of a step */
#define DRAIN_BYTES (8 * 1024 * 1024)
#define DRAIN_STEPS 32      /* of a pass; more than DRAIN_CUT, so that a pass of cut steps covers a step of the one before */
#define DRAIN_CUT 16        /* a step after too many attempts holds so many times less */
#define DRAIN_ARENA_BYTES (256u * 1024u)
#define DRAIN_PREFIX "stream-" /* of the entry's name: sql/schema/011_intake.sql */

struct drain {
    struct lease *lease;
    struct message_order order;
    bool last_chance; /* another attempt failed at a single message before */
    int64_t taken, failed, bytes;
};

/* How many messages a step of this attempt holds. */
static int drain_rows(int attempts)
{
    int rows = DRAIN_ROWS;
    for (int over = attempts - (int)conf_number(CONF_SPOOLER_ATTEMPTS); over > 0 && rows > 1; over--)
        rows = rows > DRAIN_CUT ? rows / DRAIN_CUT : 1;
    return rows;
}

/* One transaction. *more false: there was nothing to take. */
static enum fault drain_step(struct drain *d, bool *more)
{
    struct message_result result;
    arena_reset(d->order.arena);
    if (pool_worker_stopping())
        return FAULT_STOPPED;
    enum fault fault = message_load(&d->order, &result);
    if (fault != FAULT_NONE)
        return fault;
    d->order.after = result.last;
    d->taken += result.taken;
    d->failed += result.failed;
    d->bytes += result.bytes;
    *more = result.taken > 0;
    return FAULT_NONE;
}

/* The oldest message, by itself. Which one it is is noted before, outside of the transaction that loads it. */
static enum fault drain_one(struct drain *d, bool *more)
{
    struct lease *l = d->lease;
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), d->order.dataset, l->batch,
                            l->attempt, arena_int(l->arena, d->order.to),
                            arena_int(l->arena, conf_number(CONF_SPOOLER_ATTEMPTS))};
    struct db_rows rows;
    if (arena_exhausted(l->arena))
        return FAULT_MEMORY;
    enum fault fault = db_call(l->db, l->arena, l->org, &STMT_STREAM_TRY, params, &rows);
    *more = false;
    if (fault != FAULT_NONE || rows.count == 0)
        return fault;
    const int64_t number = db_int(&rows, 0, 0), to = d->order.to;
    d->order.after = number - 1;
    d->order.to = number;
    d->order.refuse = db_bool(&rows, 0, 1);
    fault = drain_step(d, more);
    /* a fault that trying again does not heal comes back to the next attempt, but the note does not survive it */
    if (fault != FAULT_NONE && !fault_row(fault)->retryable && fault != FAULT_LEASE_LOST && d->last_chance) {
        d->order.refuse = true;
        fault = drain_step(d, more);
    }
    if (fault == FAULT_NONE && d->order.refuse) {
        log_event(LOG_ERROR, "message_refused", "message=%lld", (long long)number);
        d->order.rows = DRAIN_ROWS; /* it was this one: the others are as good as any */
    }
    d->order.refuse = false;
    d->order.to = to;
    return fault;
}

static enum fault drain_steps(struct drain *d)
{
    enum fault fault = FAULT_NONE;
    bool more = d->order.to > 0;
    for (int step = 0; fault == FAULT_NONE && more && step < DRAIN_STEPS; step++)
        fault = d->order.rows > 1 ? drain_step(d, &more) : drain_one(d, &more);
    if (d->taken > 0)
        log_event(LOG_INFO, "drained", "dataset=%s messages=%lld refused=%lld fault=%s", d->order.dataset,
                  (long long)d->taken, (long long)d->failed, fault_row(fault)->name);
    counts_add("records/stream/taken", d->taken - d->failed);
    counts_add("records/stream/refused", d->failed);
    counts_add("record_bytes/stream", d->bytes);
    return fault;
}

enum fault drain_pass(struct lease *l, struct db *work, const char *dataset)
{
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), dataset};
    struct db_rows rows;
    if (arena_exhausted(l->arena))
        return FAULT_MEMORY;
    enum fault fault = db_call(l->db, l->arena, l->org, &STMT_STREAM_LOOK, params, &rows);
    if (fault != FAULT_NONE || rows.count == 0)
        return fault; /* a dataset that was deleted had no message left */
    struct arena *arena = arena_new(DRAIN_ARENA_BYTES); /* of a step: its messages would fill that of the lease */
    if (arena == NULL)
        return FAULT_MEMORY;
    struct drain d = {.lease = l,
                      .order = {.db = work,
                                .arena = arena,
                                .org = l->org,
                                .sandbox = l->sandbox,
                                .dataset = dataset,
                                .event = strcmp(db_text(&rows, 0, 0), "experienceevent") == 0,
                                .entry = l->batch,
                                .attempt = l->attempt,
                                .record_bytes = (size_t)conf_number(CONF_INGEST_RECORD_BYTES),
                                .errors_kept = conf_number(CONF_INGEST_ERRORS_KEPT),
                                .to = db_int(&rows, 0, 1),
                                .rows = drain_rows(l->attempts),
                                .bytes = DRAIN_BYTES},
                      .last_chance = drain_rows(l->attempts - 1) == 1};
    fault = drain_steps(&d);
    arena_free(arena);
    return fault;
}

/* What becomes of the entry after a pass that went well. */
static enum fault drain_end(struct lease *l, const char *dataset)
{
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), dataset, l->attempt};
    return lease_settle(l, &STMT_STREAM_END, params);
}

/* A pass over the entry's own dataset, under a watch. */
static enum fault drain_watched(struct lease *l, struct runner_tools *tools, const char *dataset)
{
    struct watch watch = watch_begin(lease_tell, l, tools->beat);
    runner_watch(tools, &watch, l->attempt);
    enum fault fault = watch_reason(&watch, drain_pass(l, tools->work, dataset));
    runner_watch_end(tools, fault);
    return fault;
}

void drain_run(struct lease *l, struct runner_tools *tools)
{
    INVARIANT(strncmp(l->batch, DRAIN_PREFIX, strlen(DRAIN_PREFIX)) == 0);
    const char *dataset = l->batch + strlen(DRAIN_PREFIX);
    enum fault fault = drain_watched(l, tools, dataset);
    if (fault == FAULT_NONE)
        fault = drain_end(l, dataset);
    if (fault == FAULT_NONE) {
        l->outcome = LEASE_SUCCEEDED;
        return;
    }
    lease_ended(l, fault);
    if (fault == FAULT_LEASE_LOST)
        db_close(l->db);
    else
        lease_release(l, fault == FAULT_STOPPED, fault);
}
