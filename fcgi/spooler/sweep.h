/*
 * sweep: removes files that nobody will ask for again.
 *
 * Attempts that died leave lake/tmp/<attempt>; uploads whose batch is over may be left in the inbox.
 * Every sweep looks first and asks the database then: an attempt is entered there before its directory
 * is made, so a live one is never taken for a dead one. Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_SWEEP_H
#define CONSIGN_SPOOLER_SWEEP_H

#include "lib/arena.h"
#include "lib/db.h"

/* Sweeps unless another worker of this host does right now. Faults are logged; the next sweep tries
 * again. */
void sweep_run(struct db *db, struct arena *arena);

#endif
