/*
 * sweep: removes what nobody will ask for again, and ends what has an end.
 *
 * One worker of all hosts sweeps at a time, between two pieces of work: it holds an advisory lock in its lease session,
 * which goes with the session, and the database knows when the last sweep began. The steps, in order:
 *
 *   attempts  lake/tmp/<attempt> of attempts that died; with an object store any worker of a host does this for its own
 *   inbox     uploads whose batch is over, and those that were cut off before they were entered
 *   expire    batches that a dataset keeps no longer: told to be gone, and their files removed then
 *   lake      published places that belong to no published batch: what a crash left between two of the above
 *   archive   export jobs that ended long ago, the rows of batches that expired long ago, and batches that are open and to
 *             which nothing comes any more: they are aborted, and their files go with the next step `inbox`
 *   keys      idempotency keys, 24 h old
 *   events    events of webhooks that are given up, and those that ended webhook.keep_hours ago
 *
 * Every step that looks at files lists first and asks the database then: an attempt is entered there before its
 * directory is made, and so is a batch, so a live one is never taken for a dead one. All statements are short, and a
 * stop request is heeded between them. Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_SWEEP_H
#define CONSIGN_SPOOLER_SWEEP_H

#include "lib/arena.h"
#include "lib/db.h"

/* Sweeps unless somebody else does or did less than about spooler.sweep_ms ago. `db` is the lease session, without a
 * lease. Faults are logged; the next sweep tries again. */
void sweep_run(struct db *db, struct arena *arena);

#endif
