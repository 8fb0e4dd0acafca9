/*
 * collection_check: the records of a streaming request against the rules of their dataset, for clients that want to
 * know at once. The rules, and the code, are those of the load (profile/record.h). Caller: collection.
 */
#ifndef CONSIGN_RESPONDER_COLLECTION_CHECK_H
#define CONSIGN_RESPONDER_COLLECTION_CHECK_H

#include <stdint.h>

#include "lib/fault.h"
#include "responder/call.h"
#include "responder/collection_envelope.h"

/* Reads the rules of the dataset and refuses the messages (those not refused yet) whose records break them; the
 * reasons live in the call's arena. FAULT_NOT_FOUND: no such dataset; FAULT_MALFORMED: a union dataset; both with what
 * the client is told. Faults of the database, FAULT_MEMORY. */
enum fault collection_check(struct call *c, const char *dataset, struct collection_message *messages,
                            uint32_t count) MUST_CHECK;

/* What the client is told of a dataset that is exported into. */
enum fault collection_refuse_union(struct call *c) MUST_CHECK;

#endif
