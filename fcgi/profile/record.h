/*
 * record: what the store has to know of one ingested record.
 *
 * Pure: one record's text in, its identities (and of an event its id and time) or the reason of its
 * refusal out. Caller: store/ingest.
 *
 * The rules: one JSON object as jscan takes it, at most RECORD_DEPTH deep. `identityMap` is an object of
 * arrays of {"id": non-empty string, "primary"?: boolean, "authenticatedState"?: string}, with at
 * least one identity and at most RECORD_IDENTITIES_MAX. The primary identity is the one entry marked
 * "primary": true; unmarked, it is the only one there is. An event also has `_id`, a non-empty string, and
 * `timestamp` (RFC 3339). A profile record has no member `eventList` or `identities`: in the rows of an export
 * these are made by the export, and a stored one would show beside or instead of it. Its `segmentMembership`, if
 * there is one, is an object of objects of objects: of namespaces, of segments.
 */
#ifndef CONSIGN_PROFILE_RECORD_H
#define CONSIGN_PROFILE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/jscan.h"

#define RECORD_DEPTH 64u
#define RECORD_NAMESPACE_MAX 255u /* bytes, unescaped */
#define RECORD_VALUE_MAX 1024u    /* bytes, unescaped: of an identity's id and of an event's _id */
#define RECORD_IDENTITIES_MAX 1000u

#define RECORD_REASON_MAX 160u

/* An escaped character takes at most six bytes for one ("\u0041"). */
#define RECORD_ESCAPED_MAX (6u * RECORD_VALUE_MAX)

struct record_text {
    char bytes[RECORD_VALUE_MAX];
    size_t length;
};

/* One entry of identityMap: the strings' nodes on the tape, neither longer than RECORD_ESCAPED_MAX. */
struct record_identity {
    uint32_t ns;
    uint32_t id;
};

/* One per loader, used again for every record. The texts are plain UTF-8, unescaped. */
struct record {
    struct jscan scan;
    uint32_t most_bytes; /* longest text that is taken */

    struct record_identity identity[RECORD_IDENTITIES_MAX]; /* all of them, in document order */
    uint32_t identities;
    uint32_t primary;      /* which of them is the primary one */
    struct record_text ns; /* of the primary identity */
    struct record_text value;
    struct record_text event_id; /* of events */
    int64_t time_ms;

    /* after a refusal */
    const char *code; /* constant: "json", "size", "identity", "segment", "event_id", "timestamp", "reserved" */
    char reason[RECORD_REASON_MAX]; /* in English */
};

#define RECORD_INIT(bytes) ((struct record){.most_bytes = (bytes)})

/* Why a record that is longer than `most_bytes` is refused. */
void record_size_reason(char *out, size_t size, size_t most_bytes);

void record_free(struct record *record);

/* Reads one record's text. False: refused, and code and reason say why. */
bool record_read(struct record *record, const char *text, size_t length, bool event)
    __attribute__((warn_unused_result));

#endif
