/*
 * collection_put: messages into the database, where they wait for the spooler. Caller: collection.
 */
#ifndef CONSIGN_RESPONDER_COLLECTION_PUT_H
#define CONSIGN_RESPONDER_COLLECTION_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"
#include "responder/call.h"
#include "responder/collection_envelope.h"

/* Which messages, all of one dataset. */
struct collection_batch {
    const char *dataset;
    struct collection_message *messages;
    uint32_t count;
    bool list;           /* of a call with several; each then has its place behind the call's xactionId */
    const char *xaction; /* of the call; in: one made for it; out: that of the first call with its key, if there was one */
};

/* How many of the messages are refused. */
uint32_t collection_refused(const struct collection_batch *batch);

/* Stores those that are not refused, in one statement, durably. One that names another schema than the dataset's is
 * refused then. FAULT_NOT_FOUND: no such dataset; FAULT_MALFORMED: a union dataset, or a bad Idempotency-Key; all with
 * what the client is told. FAULT_KEY_REUSED, faults of the database, FAULT_MEMORY. */
enum fault collection_put(struct call *c, struct collection_batch *batch) MUST_CHECK;

/* The xactionId of one message, in the arena. */
const char *collection_xaction(struct arena *a, const struct collection_batch *batch, uint32_t place);

#endif
