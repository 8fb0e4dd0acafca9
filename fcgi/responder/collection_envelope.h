/*
 * collection_envelope: what is around the records of a streaming request.
 *
 * Pure: the body's text in, the span of each record in it or the reason of its refusal out. A message is
 * {"header":{...}, "body":{"xdmMeta":{...}, "xdmEntity":{...}}}; an object that has no such body is a record itself.
 * `header.datasetId` and `header.imsOrgId`, when they are there, are those of the call; the schemas that
 * `header.schemaRef.id` and `body.xdmMeta.schemaRef.id` name are one. A record is a JSON object (lib/jscan) and is
 * stored as it stands in the text; whether it follows its dataset's rules is not looked at here. Caller: collection.
 */
#ifndef CONSIGN_RESPONDER_COLLECTION_ENVELOPE_H
#define CONSIGN_RESPONDER_COLLECTION_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define COLLECTION_MESSAGES_MAX 5000u /* of one call */

/* What every message of a call has to fit. */
struct collection_expected {
    const char *dataset;
    const char *ims_org_id;
    size_t record_bytes; /* setting ingest.record_bytes */
};

/* Why a message, or all of the body, is refused. */
struct collection_refusal {
    const char *pointer; /* RFC 6901, from the message, or from the body; "" is the whole; NULL: not refused */
    const char *reason;  /* in English */
};

struct collection_message {
    const char *record; /* in the body's text, without a terminator */
    size_t length;
    const char *record_pointer; /* where it is: RFC 6901, from the message */
    const char *schema;         /* plain UTF-8, in the arena; NULL: it names none */
    const char *schema_pointer; /* where it does */
    struct collection_refusal refusal; /* then the members above mean nothing */
};

/* A body that is one message. FAULT_MALFORMED with *refusal; FAULT_MEMORY. */
enum fault collection_read_one(struct arena *a, const char *body, size_t length, const struct collection_expected *expected,
                               struct collection_message *out, struct collection_refusal *refusal) MUST_CHECK;

/* A body {"messages":[...]} with 1 to COLLECTION_MESSAGES_MAX elements; *out is in the arena. A message that is no
 * good has its own refusal and is no fault. FAULT_MALFORMED with *refusal for the body as a whole; FAULT_MEMORY. */
enum fault collection_read_many(struct arena *a, const char *body, size_t length, const struct collection_expected *expected,
                                struct collection_message **out, uint32_t *count,
                                struct collection_refusal *refusal) MUST_CHECK;

#endif
