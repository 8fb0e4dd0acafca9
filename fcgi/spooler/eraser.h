/*
 * eraser: one attempt at a system job, from the claim to its end: what a tenant asked to have removed from the store.
 * Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_ERASER_H
#define CONSIGN_SPOOLER_ERASER_H

#include "spooler/lease.h"
#include "spooler/runner.h"

/* It works by a second connection, so that the lease outlives a removal that has to be broken off. */
void eraser_run(struct lease *lease, struct runner_tools *tools);

#endif
