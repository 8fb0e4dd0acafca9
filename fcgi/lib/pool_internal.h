/*
 * pool_internal: what the parts of lib/pool tell each other. Nobody else includes it.
 */
#ifndef CONSIGN_LIB_POOL_INTERNAL_H
#define CONSIGN_LIB_POOL_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>

#include "lib/pool.h"
#include "lib/pool_old.h"

/* All signals that the supervisor waits for. */
sigset_t pool_signals(void);

/* The life of a worker process, in the child. *ready, in shared memory, becomes true when it is ready to work. */
_Noreturn void pool_worker_live(const struct pool_options *options, int slot, atomic_bool *ready);

/* The workers that this program took over; the caller owns the list from then on. */
struct pool_old pool_upgrade_workers(void);

/* Becomes the program, with these workers. Returns only when that failed, with a line in the log and nothing
 * changed. */
void pool_upgrade_exec(const struct pool_program *program, const struct pool_old *workers);

#endif
