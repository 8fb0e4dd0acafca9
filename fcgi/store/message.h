/*
 * message: messages of one dataset into the profile store, some at a time.
 *
 * Takes the oldest messages out of their table, stages the good records by COPY and has consign.stream_load() take
 * them, all in one transaction: so each is in the store once, whatever ends in the middle. A bad record is refused and
 * told of in a batch of the catalog; it never stops the others. Memory is bounded by what one step takes. Caller: the
 * spooler's drain.
 */
#ifndef CONSIGN_STORE_MESSAGE_H
#define CONSIGN_STORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

/* What to load. All pointers are the caller's, good until message_load() returns. */
struct message_order {
    struct db *db;       /* not in a transaction */
    struct arena *arena; /* holds the messages too; for the caller to reset */
    int org;
    int sandbox;
    const char *dataset;
    bool event;          /* the dataset's class */
    const char *entry;   /* the batch of the queue entry that the attempt works on */
    const char *attempt;
    size_t record_bytes; /* setting ingest.record_bytes */
    int64_t errors_kept; /* setting ingest.errors_kept */

    int64_t after; /* only messages with numbers beyond this */
    int64_t to;    /* and up to this */
    int rows;      /* at most so many */
    int64_t bytes; /* and none that begins beyond so many bytes of messages */
    bool refuse;   /* refuses them unread: reading or loading them ends the worker */
};

/* Right after FAULT_NONE. */
struct message_result {
    int64_t taken;
    int64_t failed; /* of them refused */
    int64_t bytes;  /* of what was taken, as stored */
    int64_t last;   /* the largest number among them */
};

/* FAULT_NONE: committed; taken 0: there was none, and nothing was written. Any other fault: nothing was loaded, but for
 * FAULT_DB_UNAVAILABLE and FAULT_STOPPED, where the commit may have happened; the messages went with it or are all
 * there. The connection is closed then. */
enum fault message_load(const struct message_order *order, struct message_result *result) MUST_CHECK;

#endif
