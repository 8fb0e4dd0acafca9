/*
 * loader: one attempt at loading an ingest batch, from the claim to its end. Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_LOADER_H
#define CONSIGN_SPOOLER_LOADER_H

#include "spooler/lease.h"
#include "spooler/runner.h"

/* It works by a second connection, so that the lease outlives a load that has to be broken off. */
void loader_run(struct lease *lease, struct runner_tools *tools);

#endif
