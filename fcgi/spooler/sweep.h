/*
 * sweep: removes what nobody will ask for again.
 *
 * Attempts that died leave lake/tmp/<attempt>; uploads whose batch is over may be left in the inbox, and
 * so may one that was cut off before it was entered; idempotency keys end after 24 h.
 * Every sweep looks first and asks the database then: an attempt is entered there before its directory
 * is made, and so is a batch, so a live one is never taken for a dead one. An upload is entered after its
 * last byte; one that is not and was not written to for SWEEP_QUIET_S is of a request that died.
 * Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_SWEEP_H
#define CONSIGN_SPOOLER_SWEEP_H

#include "lib/arena.h"
#include "lib/db.h"

/* Sweeps unless another worker of this host does right now. Faults are logged; the next sweep tries
 * again. */
void sweep_run(struct db *db, struct arena *arena);

#endif
