/*
 * session: what the database sessions of a worker are made like, so that none outlives the worker's voice.
 *
 * The lock that a lease is lives in a session. A worker that stands still keeps its session, so the server ends those
 * that say nothing for spooler.silence_ms; whoever then takes the work over ends what else the attempt left
 * (work_claim, session_end in sql/api). Callers: spool, sender; attempt, helper, parcel, publish.
 */
#ifndef CONSIGN_SPOOLER_SESSION_H
#define CONSIGN_SPOOLER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

/* Options of the session that holds leases: it has to say something within the silence, always. */
struct db_options session_lease_options(void);

/* Options of the sender's only session. Of a role of its own: it speaks to the world, and reads what signs. */
struct db_options session_sender_options(void);

/* Options of a session that does the work, whose statements may be long: only a transaction that stands still ends it.
 * `stopped` and its argument as in struct db_options. */
struct db_options session_work_options(const char *name, bool (*stopped)(void *), void *stopped_arg);

/* Ends, about four times a silence, sessions that hold leases and have waited for their worker in the middle of a call
 * for longer than the silence: that is no idleness to the server. `*ended_ms` is when it was done last, kept by the
 * caller. Best effort. */
void session_end_silent(struct db *lease, struct arena *arena, int64_t *ended_ms);

/* A call in the middle of long work or at its end, by the session that holds its lease: what somebody else's lock is in the
 * way of has changed nothing, so it is called again, for a minute. That the work goes on needs no other word meanwhile.
 * FAULT_STOPPED: a stop was asked for instead. Any other fault as db_call(). */
enum fault session_insist(struct db *lease, struct arena *arena, int org, const struct stmt *stmt, const char *const *params,
                          struct db_rows *rows) MUST_CHECK;

#endif
