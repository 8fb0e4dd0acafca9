/*
 * watch: whether an export attempt is to go on.
 *
 * Asked between rows and in every wait for the database. Looks for a stop of this process at most 20
 * times a second; twice a second it tells the database how far the attempt is and learns whether the job
 * was cancelled or the lease lost. The first answer that is not FAULT_NONE stays. Caller: runner.
 */
#ifndef CONSIGN_SPOOLER_WATCH_H
#define CONSIGN_SPOOLER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "export/run.h"
#include "lib/fault.h"
#include "spooler/lease.h"

struct watch {
    struct lease *lease;
    struct run_progress progress;
    struct arena *arena; /* of its own: reset at every beat */
    int64_t looked_ms;
    int64_t told_ms;
    enum fault fault;
};

/* FAULT_STOPPED, FAULT_CANCELLED, FAULT_LEASE_LOST, FAULT_DB_UNAVAILABLE (the lease's session is
 * gone), or FAULT_NONE. `arg` is a struct watch. */
enum fault watch_tick(void *arg);

/* The same as an answer to "is there a reason to stop". */
bool watch_stops(void *arg);

/* Tells the database at once. */
enum fault watch_tell(struct watch *watch) MUST_CHECK;

#endif
