/*
 * reader: a tenant's profile store under one snapshot, profile by profile.
 *
 * Two ordered streams, fragments and events, are merge-joined: by person where the policy follows the identity
 * graph, by (person, identity) where it does not. Nothing is collected but the fragments of the profile at hand,
 * up to a bound. A reader reads one range of persons after the other; several readers share a snapshot.
 * Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_READER_H
#define CONSIGN_EXPORT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/stmt_copy.h"
#include "profile/merge.h"
#include "export/stream.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"

struct reader_order {
    struct db *fragments; /* two connections that nothing else uses */
    struct db *events;
    struct arena *arena;
    int org;
    int sandbox;
    const struct policy *policy;
    const char *snapshot;    /* of the reader that this one helps; NULL: a new one */
    bool want_events;        /* whether the event stream is read at all */
    bool want_bare;          /* also profiles that have events only */
    int64_t events_after_ms; /* ingestion time, exclusive on both sides; INT64_MIN, INT64_MAX: no bound */
    int64_t events_before_ms;
};

struct reader_profile {
    bool over;                             /* there was none left in the range */
    bool bare;                             /* no fragments: the one given is made from its events' identities */
    bool too_large;                        /* fragments passed a bound; fragment and count are of no use */
    int64_t updated_ms;                    /* when the latest fragment was ingested; INT64_MIN for bare ones */
    const struct merge_fragment *fragment; /* the weakest first; valid until the next profile */
    size_t count;                          /* 0: the profile has events only, and want_bare is not set */
};

/* What the snapshot says of the tenant. */
struct reader_look {
    int64_t watermark_ms; /* everything ingested up to it is in the snapshot, and nothing later */
    int64_t identities;
    const char *snapshot; /* for other readers; in the order's arena */
};

struct reader;

/* NULL: no memory. Released with reader_free(), which also closes connections in the middle of a
 * transaction. */
struct reader *reader_new(void);
void reader_free(struct reader *reader);

/* Takes the snapshot, or joins the one of the order, which must stay valid until reader_close(). */
enum fault reader_open(struct reader *reader, const struct reader_order *order, struct reader_look *look) MUST_CHECK;

/* Starts reading the persons from `from` up to and not including `to`. The range before must be read to its end. */
enum fault reader_range(struct reader *reader, int64_t from, int64_t to) MUST_CHECK;

/* The next profile of the range, in the order of (person, identity). Events of the one before that were not read
 * are passed over. */
enum fault reader_next(struct reader *reader, struct reader_profile *profile) MUST_CHECK;

/* The next event of the profile at hand, oldest first, or *event NULL. Valid until the next call of
 * the reader. */
enum fault reader_next_event(struct reader *reader, const struct stream_row **event) MUST_CHECK;

/* Ends the transactions: the snapshot is gone. */
enum fault reader_close(struct reader *reader) MUST_CHECK;

#endif
