/*
 * helper: what a worker does that has no work of its own: it writes a part of somebody else's export.
 *
 * It reads under the snapshot of the attempt that owns the job, takes ranges of persons as long as there are any and
 * nothing waits that it could claim, writes them into files of its own, and hands these over when they are
 * durable. Its right is a row, and as liveness an advisory lock of its session; without the row nobody takes
 * its files, so it may die, stand still or be late at any point. Caller: spool.
 */
#ifndef CONSIGN_SPOOLER_HELPER_H
#define CONSIGN_SPOOLER_HELPER_H

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "spooler/runner.h"

/* Helps one export if one is open for it. `db` is the session that holds the liveness. *found false: there was
 * nothing to help with. A fault with *found true is one of the help itself, and logged: the attempt does that part
 * again. */
enum fault helper_run(struct db *db, struct arena *arena, struct runner_tools *tools, bool *found) MUST_CHECK;

#endif
