/*
 * runner: one attempt at an export job, from the claim to its end; and what all tasks have besides their lease.
 *
 * Whatever happens, the job is then either done, given up with a reason, given back, or left to be
 * taken over; and no file is left but a published one. Callers: spool; helper, loader, drain, eraser for the tools.
 */
#ifndef CONSIGN_SPOOLER_RUNNER_H
#define CONSIGN_SPOOLER_RUNNER_H

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "spooler/lease.h"

struct watch;

/* What a worker has besides its lease; used again from work to work. */
struct runner_tools {
    struct db *work; /* connections whose waits end when `watching` says so */
    struct db *events;
    struct arena *beat;
    struct watch *watching; /* of the work under way, NULL for none */
};

/* Puts the work connections under a watch: their waits may be long and end when it says so, and their transactions are
 * named after `attempt` (of a helper: its own name), so that who takes the work over can end them. */
void runner_watch(struct runner_tools *tools, struct watch *watch, const char *attempt);

/* The end of that. After a fault the connections are closed: a COPY may be under way. */
void runner_watch_end(struct runner_tools *tools, enum fault fault);

/* Whether a wait of the work connections is to end: the `stopped` of their db_options, whose argument is
 * the struct runner_tools. */
bool runner_interrupts(void *tools);

void runner_run(struct lease *lease, struct runner_tools *tools);

#endif
