/*
 * stream: the rows of one COPY. See stream.h. The format is that of "COPY" in the PostgreSQL
 * documentation, section Binary Format.
 */
#include "export/stream.h"

#include <string.h>

#include "lib/log.h"

#define STREAM_HEADER_BYTES 19u /* signature, flags, length of an empty extension */

/* What is left of one message. */
struct stream_cursor {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static uint64_t stream_number(struct stream_cursor *c, size_t bytes)
{
    uint64_t n = 0;
    if (c->left < bytes) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | c->at[i];
    c->at += bytes;
    c->left -= bytes;
    return n;
}

/* The length of the next field, whose bytes must all be there. */
static size_t stream_field(struct stream_cursor *c)
{
    uint64_t length = stream_number(c, 4);
    if (length > c->left)
        c->bad = true;
    return c->bad ? 0 : (size_t)length;
}

static int64_t stream_bigint(struct stream_cursor *c)
{
    if (stream_field(c) != 8)
        c->bad = true;
    return (int64_t)stream_number(c, 8);
}

/* The nullable field that only events have. */
static void stream_take_bare(struct stream *s, struct stream_cursor *c)
{
    s->row.bare = NULL;
    s->row.bare_length = 0;
    if (!s->event)
        return;
    uint64_t length = stream_number(c, 4);
    if (length == UINT32_MAX) /* NULL */
        return;
    if (length > c->left) {
        c->bad = true;
        return;
    }
    s->row.bare = (const char *)c->at;
    s->row.bare_length = (size_t)length;
    c->at += length;
    c->left -= (size_t)length;
}

static enum fault stream_bad(struct stream *s)
{
    log_event(LOG_ERROR, "copy_format", "stream=%s", s->event ? "events" : "fragments");
    db_close(s->db);
    return FAULT_INTERNAL;
}

/* Takes a message apart. The trailer is a field count of -1. */
static enum fault stream_parse(struct stream *s, const char *bytes, size_t length)
{
    struct stream_cursor c = {.at = (const unsigned char *)bytes, .left = length};
    if (!s->begun) { /* the header comes in one message with the first row */
        if (length < STREAM_HEADER_BYTES || memcmp(bytes, "PGCOPY\n\377\r\n", 11) != 0)
            return stream_bad(s);
        c.at += STREAM_HEADER_BYTES;
        c.left -= STREAM_HEADER_BYTES;
        s->begun = true;
    }
    uint64_t fields = stream_number(&c, 2);
    if (!c.bad && fields == UINT16_MAX)
        return FAULT_NONE;
    if (fields != (s->event ? 5u : 4u))
        return stream_bad(s);
    s->row.person = stream_bigint(&c);
    s->row.identity = stream_bigint(&c);
    s->row.ingested_ms = stream_bigint(&c);
    stream_take_bare(s, &c);
    s->row.length = stream_field(&c);
    s->row.body = (const char *)c.at;
    if (c.bad || c.left != s->row.length)
        return stream_bad(s);
    s->loaded = true;
    return FAULT_NONE;
}

enum fault stream_open(struct stream *s, struct db *db, bool event, const char *copy)
{
    *s = (struct stream){.db = db, .event = event};
    return db_copy_out(db, copy);
}

enum fault stream_peek(struct stream *s)
{
    enum fault fault = FAULT_NONE;
    while (fault == FAULT_NONE && !s->loaded && !s->over) {
        const char *bytes;
        size_t length;
        fault = db_copy_row(s->db, &bytes, &length);
        if (fault == FAULT_NONE && length > 0)
            fault = stream_parse(s, bytes, length);
        else if (fault == FAULT_NONE)
            s->over = true;
    }
    return fault;
}

void stream_take(struct stream *s)
{
    s->loaded = false;
}
