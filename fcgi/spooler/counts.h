/*
 * counts: what this worker has done, added to the database's counters for monitoring (sql/schema/032_metrics.sql).
 *
 * Kept in the worker and handed over between two pieces of work, about once a second at most, so counting costs the work
 * nothing. What a worker has not handed over when it is killed is lost; that it was killed shows in the takeover of its
 * work. Callers: spool, runner, loader, drain, eraser, sweep; main for the workers that end.
 */
#ifndef CONSIGN_SPOOLER_COUNTS_H
#define CONSIGN_SPOOLER_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "spooler/lease.h"

/* In the supervisor, before there are workers: makes what they share. False: no memory. */
bool counts_open(void);
/* In the supervisor: a worker ended unasked. For pool_options.ended. */
void counts_worker_ended(int slot, void *arg);

/* In a worker: adds to a counter of store_figures.c, `name` as there. */
void counts_add(const char *name, int64_t n);

/* The same for a piece of work that was claimed and is over, by lease->task, previous and outcome. */
void counts_attempt(const struct lease *lease, int64_t ms);

/* Hands over what was counted, if there is any and it is time. `db` is the lease session, without a lease; `arena` is reset.
 * What can't be handed over waits for the next time. `last`: the worker ends, there is no next time. */
void counts_hand_over(struct db *db, struct arena *arena, bool last);

#endif
