/*
 * lease: one piece of work and this worker's right to it.
 *
 * The right is a row of the queue with our attempt in it, and as liveness an advisory lock of the
 * session that claimed it. When that session ends, anybody may take the work over; every statement
 * that changes something asks for the attempt again, so a late one is refused (FAULT_LEASE_LOST).
 * Callers: spool, runner, loader, drain, eraser, publish.
 */
#ifndef CONSIGN_SPOOLER_LEASE_H
#define CONSIGN_SPOOLER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/crypto.h"
#include "lib/db.h"
#include "lib/fault.h"

struct run_progress;

/* What there is to do. All but exports of one sandbox are done one after the other. */
enum lease_task {
    LEASE_EXPORT,
    LEASE_BATCH,  /* an uploaded batch to load */
    LEASE_STREAM, /* messages to load */
    LEASE_DELETE  /* records to remove */
};

/* How an attempt ended, for the counters. */
enum lease_outcome {
    LEASE_LOST, /* somebody else has the work now, or nobody can tell: what it is until something else is told */
    LEASE_SUCCEEDED,
    LEASE_FAILED, /* for good */
    LEASE_CANCELLED,
    LEASE_RETRIED,  /* to be tried again later */
    LEASE_HANDED_ON /* at a stop */
};

struct lease {
    struct db *db;       /* the session that holds the lock */
    struct arena *arena; /* of this piece of work */
    int org;
    int sandbox;
    int64_t entry;
    enum lease_task task;
    int64_t job;    /* of an export */
    char batch[48]; /* names the entry within its sandbox: 011_intake.sql says how for streams and deletes */
    char attempt[CRYPTO_UUID_TEXT];
    char previous[CRYPTO_UUID_TEXT]; /* an attempt that died on it; "" for none */
    int attempts;                    /* this one included */
    bool cancel;                     /* its job was cancelled before */
    enum lease_outcome outcome;
    bool short_of_memory;            /* an attempt met FAULT_MEMORY: the process is worth no further work */
};

/* What the catalog says of a lease's batch. Texts live in the arena. */
struct lease_batch {
    const char *dataset;
    bool event;         /* the dataset's class */
    bool published;     /* status success */
    const char *winner; /* the attempt whose files were published; "" for none */
    const char *request;    /* the id of the request that made the job; "" if it is no export */
    const char *last_fault; /* what the attempts before told, a fault's name; "" for nothing */
};

/* "export" and the like, as in the log and metrics. */
const char *lease_task_name(enum lease_task task);

/* Has the log name the piece of work in every line from here on, and the request that made it ("": not known). */
void lease_log_context(const struct lease *lease, const char *request);

/* Takes the next piece of work into *lease (whose db and arena are set); *found false: there is none. `express`: only of
 * an org for which nothing runs. */
enum fault lease_claim(struct lease *lease, bool express, bool *found) MUST_CHECK;

/* Logs how an attempt ended that did not succeed, and notes FAULT_MEMORY in the lease. */
void lease_ended(struct lease *lease, enum fault fault);

/* Whether work that ended with `fault` is to be tried again after so many attempts: the fault may go away, and there
 * are attempts left. Two are of those here that no client should repeat: FAULT_MEMORY, since which bound it met nobody
 * can tell, and it may be this process's alone; and FAULT_INTERNAL, which is also whatever the database says that nobody
 * thought of. */
bool lease_try_again(enum fault fault, int64_t attempts);

/* Gives the work back for another attempt: later, or with `undo` at once and uncounted. Best effort, as
 * lease_settle(): what cannot be given back is taken over once the session is gone. */
void lease_release(struct lease *lease, bool undo, enum fault why);

/* Runs a statement that ends the lease, tried again for ten seconds while the database does not answer, so that an
 * outage is told as what it was. FAULT_LEASE_LOST: the right is gone, maybe by a call of before whose answer was lost.
 * After FAULT_DB_UNAVAILABLE the session is closed. */
enum fault lease_settle(struct lease *lease, const struct stmt *stmt, const char *const *params) MUST_CHECK;

/* Tells that the work goes on: the `tell` of a watch whose `arg` is the lease, where there is no progress to show. */
enum fault lease_tell(void *lease, struct arena *arena, const struct run_progress *progress) MUST_CHECK;

enum fault lease_look(struct lease *lease, struct lease_batch *batch) MUST_CHECK;

#endif
