/*
 * watch: whether a piece of work is to go on, and the voice that keeps its right.
 *
 * Asked between rows and in every wait for the database. Looks for a stop of this process at most 20
 * times a second; twice a second it tells the database how far the work is and learns whether the job
 * was cancelled or the right to it lost. A session that tells nothing for spooler.silence_ms is ended by the server,
 * so whatever takes long asks here between its steps. The first answer that is not FAULT_NONE stays.
 * Callers: attempt, helper, loader, drain, eraser, publish.
 */
#ifndef CONSIGN_SPOOLER_WATCH_H
#define CONSIGN_SPOOLER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "export/run.h"
#include "lib/fault.h"

struct watch {
    struct run_progress progress;
    /* Tells the database; the arena is reset before. FAULT_CANCELLED, FAULT_LEASE_LOST, or what the call met. */
    enum fault (*tell)(void *arg, struct arena *arena, const struct run_progress *progress);
    void *arg;
    struct arena *arena; /* reset by every look that tells, so others use it only for calls in which no look can come */
    int64_t looked_ms;
    int64_t told_ms;
    enum fault fault;
};

/* A watch that begins now, its `tell` as above. For after a call of the session that it tells by. */
struct watch watch_begin(enum fault (*tell)(void *, struct arena *, const struct run_progress *), void *arg,
                         struct arena *arena);

/* FAULT_STOPPED, FAULT_CANCELLED, FAULT_LEASE_LOST, FAULT_DB_UNAVAILABLE (the database does not answer), or FAULT_NONE.
 * A session that was lost and made anew is not noticed: the right stands until somebody takes it over. */
enum fault watch_tick(struct watch *watch);

/* The same as an answer to "is there a reason to stop"; `watch` is a struct watch. */
bool watch_stops(void *watch);

/* Tells the database at once. */
enum fault watch_tell(struct watch *watch) MUST_CHECK;

/* Why work that came to `fault` ended: FAULT_STOPPED may be a wait that the watch broke off for a reason of its own. */
enum fault watch_reason(const struct watch *watch, enum fault fault);

#endif
