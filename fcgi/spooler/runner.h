/*
 * runner: one attempt at an export job, from the claim to its end.
 *
 * Whatever happens, the job is then either done, given up with a reason, given back, or left to be
 * taken over; and no file is left but a published one. Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_RUNNER_H
#define CONSIGN_SPOOLER_RUNNER_H

#include "lib/arena.h"
#include "lib/db.h"
#include "spooler/lease.h"

struct watch;

/* What a worker has besides its lease; used again from work to work. */
struct runner_tools {
    struct db *work; /* connections whose waits end when `watching` says so */
    struct db *events;
    struct arena *beat;
    struct watch *watching; /* of the attempt or help under way, NULL for none */
};

/* Puts the work connections under a watch: their waits may be long and end when it says so. NULL: no more. */
void runner_watch(struct runner_tools *tools, struct watch *watch);

/* Whether a wait of the work connections is to end: the `stopped` of their db_options, whose argument is
 * the struct runner_tools. */
bool runner_interrupts(void *tools);

void runner_run(struct lease *lease, struct runner_tools *tools);

#endif
