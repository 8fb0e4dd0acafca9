/*
 * record: what the store has to know of one ingested record.
 *
 * Pure: one record's text in, its identities (and of an event its id and time) and the body to store, or the reason of
 * its refusal, out. Callers: store/intake, the pool for streams that ask for validation.
 *
 * The rules: one JSON object as jscan takes it, at most RECORD_DEPTH deep. `identityMap` is an object of
 * arrays of {"id": non-empty string, "primary"?: boolean, "authenticatedState"?: string}. An event also has `_id`, a
 * non-empty string, and `timestamp` (RFC 3339). A profile record has no member `eventList` or `identities`: in the rows
 * of an export these are made by the export, and a stored one would show beside or instead of it. Its
 * `segmentMembership`, if there is one, is an object of objects of objects: of namespaces, of segments.
 * With a schema, the record follows it, and the members that the schema's descriptors name are identities too; a
 * number is one by its shortest plain decimal (at most 17 digits, integers within +-2^53); identityMap may be absent or
 * null then.
 *
 * There is at least one identity, and at most RECORD_IDENTITIES_MAX. The primary one is: that of the schema's primary
 * descriptor, if there is one; where its member is absent, the entry marked "primary": true. Without such a
 * descriptor the marked entry; unmarked, the entry that is the only one of identityMap; without any entry, the
 * identity that is the only one.
 *
 * The stored body's identityMap holds all identities of the record, and tells the primary one. A record that lacks any
 * of this is written anew: its members in their order, identityMap in its place or at the end.
 */
#ifndef CONSIGN_PROFILE_RECORD_H
#define CONSIGN_PROFILE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/jscan.h"
#include "lib/str.h"
#include "profile/schema.h"

#define RECORD_DEPTH 64u
#define RECORD_NAMESPACE_MAX 255u /* bytes, unescaped */
#define RECORD_VALUE_MAX 1024u    /* bytes, unescaped: of an identity's id and of an event's _id */
#define RECORD_IDENTITIES_MAX 1000u
#define RECORD_DIGITS_MAX 17u /* of a number that is an identity */

#define RECORD_REASON_MAX 160u

/* Plain UTF-8, unescaped, without a terminator. */
struct record_text {
    const char *bytes;
    size_t length;
};

/* One identity of the record. */
struct record_identity {
    const char *ns; /* plain UTF-8, unescaped, without a terminator */
    const char *id;
    uint32_t ns_length;
    uint32_t id_length;
    uint32_t entry; /* the tape's node of its entry in identityMap of the text that was read; 0: not there */
};

/* One per loader, used again for every record. Texts point into the text that was read or into the record: good until
 * the next read, and as long as that text is. */
struct record {
    uint32_t most_bytes;         /* longest text that is taken, and longest body */
    const struct schema *schema; /* the caller's; NULL: a base schema alone */
    bool event;                  /* of an event class; else of the profile class */

    struct jscan scan; /* the tape of the body */
    const char *body;  /* what is to be stored: the text that was read, or a text made from it */
    size_t body_length;
    struct record_identity identity[RECORD_IDENTITIES_MAX]; /* all, those of identityMap first, in document order */
    uint32_t identities;
    uint32_t primary;            /* which of them is the primary one */
    struct record_text event_id; /* of events */
    int64_t time_ms;

    /* after a refusal */
    const char *code; /* constant: "json", "size", "identity", "segment", "event_id", "timestamp", "reserved", "schema" */
    char reason[RECORD_REASON_MAX]; /* in English */

    /* the record's own */
    uint32_t map;    /* the tape's node of identityMap, an object; 0: none */
    uint32_t marked; /* 1 + the identity that is marked primary; 0: none */
    char *plain;     /* unescaped texts; room for all of one record */
    size_t plain_used, plain_size;
    struct str made; /* a body that was written anew */
};

#define RECORD_INIT(bytes) ((struct record){.most_bytes = (bytes)})

/* Why a record that is longer than `most_bytes` is refused. */
void record_size_reason(char *out, size_t size, size_t most_bytes);

void record_free(struct record *record);

/* Reads one record's text by record->schema and record->event, which the caller has set. False: refused, and code and
 * reason say why. */
bool record_read(struct record *record, const char *text, size_t length) __attribute__((warn_unused_result));

#endif
