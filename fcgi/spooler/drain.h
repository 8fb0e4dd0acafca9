/*
 * drain: one attempt at the messages that wait for a dataset, from the claim to its end. Callers: spool, eraser.
 *
 * No message is lost for a fault. Where the attempts of an entry keep ending (setting spooler.attempts), the next take
 * fewer messages at once, down to a single one; the one that ends even then is refused with the code "unknown", and is
 * kept as any refused record is.
 */
#ifndef CONSIGN_SPOOLER_DRAIN_H
#define CONSIGN_SPOOLER_DRAIN_H

#include "lib/db.h"
#include "lib/fault.h"
#include "spooler/lease.h"
#include "spooler/runner.h"

/* It works by a second connection, so that the lease outlives a load that has to be broken off. */
void drain_run(struct lease *lease, struct runner_tools *tools);

/* Loads what waits for the dataset and may be loaded now, or the oldest part of it, under the lease of whatever entry
 * of its sandbox. `work` is under a watch. Faults are those of store/message.h. */
enum fault drain_pass(struct lease *lease, struct db *work, const char *dataset) MUST_CHECK;

#endif
