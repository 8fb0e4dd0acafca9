/*
 * attempt: the export run of the attempt that owns a job, alone or with helpers.
 *
 * A large store is cut into ranges of persons that anybody may take: this worker and those that have nothing else to
 * do (spooler/helper). When all are done the files of all lie in the attempt's directories. What a helper had
 * that died or fell silent is read again. Caller: runner.
 */
#ifndef CONSIGN_SPOOLER_ATTEMPT_H
#define CONSIGN_SPOOLER_ATTEMPT_H

#include "export/run.h"
#include "spooler/lease.h"
#include "spooler/orders.h"
#include "spooler/watch.h"
#include "spooler/workplace.h"

struct attempt {
    struct lease *lease;
    struct db *work; /* connections whose waits end when the watch says so */
    struct db *events;
    const struct orders *orders;
    struct workplace *place;
    struct watch *watch;
    struct run *run; /* released with attempt_end() */
    bool shared;     /* the ranges are in the database */
    bool given;      /* if not: the only one is taken */
};

/* Reads and writes everything. On FAULT_NONE run_result(attempt->run) and parcel_collect() tell what there is, and
 * all of it is durable. FAULT_STOPPED also when a wait was ended by the watch: its fault says why. */
enum fault attempt_write(struct attempt *attempt) MUST_CHECK;

void attempt_end(struct attempt *attempt);

/* Beats for the attempt: the `tell` of its watch, whose `arg` is the lease. */
enum fault attempt_tell(void *lease, struct arena *arena, const struct run_progress *progress);

#endif
