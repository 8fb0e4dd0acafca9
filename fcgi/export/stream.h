/*
 * stream: the rows of one COPY ... TO STDOUT (FORMAT binary), one at a time with a look ahead.
 *
 * Rows are those of stmt_copy_fragments() and stmt_copy_events().
 * Caller: export/reader.
 */
#ifndef CONSIGN_EXPORT_STREAM_H
#define CONSIGN_EXPORT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/fault.h"

struct stream_row {
    int64_t person;
    int64_t identity;
    int64_t ingested_ms;
    const char *bare; /* events: see stmt_copy.h; NULL for none. Owned, as body, by the connection until the next
                         row is read */
    size_t bare_length;
    const char *body;
    size_t length;
};

struct stream {
    struct db *db; /* NULL: a stream without rows */
    bool event;
    bool begun;
    bool loaded; /* row is the next one */
    bool over;
    struct stream_row row;
};

#define STREAM_NONE ((struct stream){.over = true})

/* Starts the COPY in the connection's transaction. */
enum fault stream_open(struct stream *stream, struct db *db, bool event, const char *copy) MUST_CHECK;

/* Makes stream->row the next row, or stream->over true. */
enum fault stream_peek(struct stream *stream) MUST_CHECK;

/* The row that was peeked at is used up. */
void stream_take(struct stream *stream);

#endif
