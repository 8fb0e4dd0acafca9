/*
 * reader: a tenant's profile store under one snapshot, profile by profile.
 *
 * Two ordered streams, fragments and events, are merge-joined by (person, identity). A profile is one
 * identity (merge policy "none"). Nothing is collected but the fragments of the profile at hand, up to
 * a bound. Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_READER_H
#define CONSIGN_EXPORT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/merge.h"
#include "export/stream.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"

#define READER_PROFILE_BYTES ((size_t)16 * 1024 * 1024) /* their tapes may take twelve times that */

struct reader_order {
    struct db *fragments; /* two connections that nothing else uses */
    struct db *events;
    struct arena *arena;
    int org;
    int sandbox;
    bool want_events;        /* whether the event stream is read at all */
    int64_t events_after_ms; /* ingestion time, exclusive on both sides; INT64_MIN, INT64_MAX: no bound */
    int64_t events_before_ms;
};

struct reader_profile {
    bool over;                             /* there was none left */
    bool has_events;                       /* at least one event in the stream */
    bool too_large;                        /* fragments passed a bound; fragment and count are of no use */
    const struct merge_fragment *fragment; /* oldest first; valid until the next profile */
    size_t count;
};

/* Private to reader.c but for the two figures. */
struct reader {
    struct stream fragments;
    struct stream events;
    int64_t watermark_ms;     /* everything ingested up to it is in the snapshot, and nothing later */
    int64_t identities;       /* of the tenant */
    int64_t person, identity; /* of the profile at hand */
    struct str bodies;
    struct merge_fragment fragment[MERGE_MAX_FRAGMENTS];
};

/* NULL: no memory. Released with reader_free(), which also closes connections in the middle of a
 * stream. */
struct reader *reader_new(void);
void reader_free(struct reader *reader);

/* Takes the snapshot and starts the streams. */
enum fault reader_open(struct reader *reader, const struct reader_order *order) MUST_CHECK;

/* The next profile, in the order of (person, identity). Events of the one before that were not read
 * are passed over. */
enum fault reader_next(struct reader *reader, struct reader_profile *profile) MUST_CHECK;

/* The next event of the profile at hand, oldest first, or *event NULL. Valid until the next call of
 * the reader. */
enum fault reader_next_event(struct reader *reader, const struct stream_row **event) MUST_CHECK;

/* The same event again at the next reader_next_event(). At most one, and only before the next call. */
void reader_unread_event(struct reader *reader);

#endif
