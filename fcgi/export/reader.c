/*
 * reader: a tenant's profile store under one snapshot, profile by profile. See reader.h.
 */
#include "export/reader.h"

#include <stdlib.h>

#include "core/stmt_spooler.h"

#define READER_MODE "ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define READER_KEEP_BYTES (4u * 1024u * 1024u) /* a buffer that grew beyond this is given back */

struct reader *reader_new(void)
{
    struct reader *r = malloc(sizeof *r);
    if (r != NULL) {
        r->fragments = r->events = STREAM_NONE;
        r->bodies = STR_INIT(READER_PROFILE_BYTES);
        r->person = r->identity = -1; /* nobody: sequences begin at 1 */
    }
    return r;
}

static void reader_leave(const struct stream *s)
{
    if (s->db != NULL && !s->over)
        db_close(s->db);
}

void reader_free(struct reader *r)
{
    if (r == NULL)
        return;
    reader_leave(&r->fragments);
    reader_leave(&r->events);
    str_free(&r->bodies);
    free(r);
}

/* Begins the transaction that owns the snapshot and reads the tenant's figures in it. */
static enum fault reader_look(struct reader *r, const struct reader_order *o, const char **snapshot)
{
    struct db_rows rows;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox)};
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    enum fault fault = db_begin(o->fragments, o->org, READER_MODE);
    if (fault == FAULT_NONE)
        fault = db_run(o->fragments, o->arena, &STMT_STORE_LOOK, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    r->watermark_ms = db_int(&rows, 0, 0);
    *snapshot = db_text(&rows, 0, 1);
    r->identities = db_int(&rows, 0, 2);
    return FAULT_NONE;
}

/* Begins a transaction on the second connection that sees the same snapshot, and its stream. */
static enum fault reader_open_events(struct reader *r, const struct reader_order *o, const char *snapshot)
{
    char text[STMT_COPY_MAX];
    enum fault fault = db_begin(o->events, o->org, READER_MODE);
    if (fault == FAULT_NONE)
        fault = stmt_use_snapshot(text, snapshot);
    if (fault == FAULT_NONE)
        fault = db_run_text(o->events, text);
    if (fault == FAULT_NONE)
        fault = db_run_text(o->events, STMT_READ_SETTINGS);
    stmt_copy_events(text, o->org, o->sandbox, o->events_after_ms, o->events_before_ms);
    return fault == FAULT_NONE ? stream_open(&r->events, o->events, true, text) : fault;
}

enum fault reader_open(struct reader *r, const struct reader_order *o)
{
    char text[STMT_COPY_MAX];
    const char *snapshot = NULL;
    /* so that reader_free() closes what a fault here leaves open */
    r->fragments = (struct stream){.db = o->fragments};
    if (o->want_events)
        r->events = (struct stream){.db = o->events};
    enum fault fault = reader_look(r, o, &snapshot);
    if (fault == FAULT_NONE && o->want_events)
        fault = reader_open_events(r, o, snapshot);
    if (fault == FAULT_NONE)
        fault = db_run_text(o->fragments, STMT_READ_SETTINGS);
    stmt_copy_fragments(text, o->org, o->sandbox);
    return fault == FAULT_NONE ? stream_open(&r->fragments, o->fragments, false, text) : fault;
}

/* Whether the stream's next row belongs to the profile at hand. */
static bool reader_belongs(const struct reader *r, const struct stream *s)
{
    return !s->over && s->row.person == r->person && s->row.identity == r->identity;
}

static bool reader_is_before(const struct stream_row *a, const struct stream_row *b)
{
    return a->person != b->person ? a->person < b->person : a->identity < b->identity;
}

/* Passes over what is left of the profile at hand's events. */
static enum fault reader_drop_events(struct reader *r)
{
    const struct stream_row *event = NULL;
    enum fault fault;
    do
        fault = reader_next_event(r, &event);
    while (fault == FAULT_NONE && event != NULL);
    return fault;
}

/* Copies the fragments of the profile at hand: the connection keeps one row only. */
static enum fault reader_collect(struct reader *r, struct reader_profile *p)
{
    enum fault fault = FAULT_NONE;
    if (r->bodies.capacity > READER_KEEP_BYTES)
        str_free(&r->bodies);
    str_reset(&r->bodies);
    while (fault == FAULT_NONE && reader_belongs(r, &r->fragments)) {
        if (p->count == MERGE_MAX_FRAGMENTS)
            p->too_large = true;
        if (!p->too_large) {
            r->fragment[p->count++].length = r->fragments.row.length;
            str_append(&r->bodies, r->fragments.row.body, r->fragments.row.length);
            p->too_large = r->bodies.overflow;
        }
        stream_take(&r->fragments);
        fault = stream_peek(&r->fragments);
    }
    const char *body = r->bodies.data; /* does not move any more */
    for (size_t i = 0; i < p->count && !p->too_large; i++) {
        r->fragment[i].body = body;
        body += r->fragment[i].length;
    }
    return fault;
}

enum fault reader_next(struct reader *r, struct reader_profile *p)
{
    *p = (struct reader_profile){.fragment = r->fragment};
    enum fault fault = reader_drop_events(r);
    if (fault == FAULT_NONE)
        fault = stream_peek(&r->fragments);
    if (fault == FAULT_NONE)
        fault = stream_peek(&r->events);
    if (fault != FAULT_NONE)
        return fault;
    p->over = r->fragments.over && r->events.over;
    if (p->over)
        return FAULT_NONE;
    bool from_events = !r->events.over && (r->fragments.over || reader_is_before(&r->events.row, &r->fragments.row));
    const struct stream_row *first = from_events ? &r->events.row : &r->fragments.row;
    r->person = first->person;
    r->identity = first->identity;
    p->has_events = reader_belongs(r, &r->events);
    return reader_collect(r, p);
}

enum fault reader_next_event(struct reader *r, const struct stream_row **event)
{
    *event = NULL;
    if (!reader_belongs(r, &r->events))
        return FAULT_NONE;
    enum fault fault = stream_peek(&r->events);
    if (fault == FAULT_NONE && reader_belongs(r, &r->events)) {
        stream_take(&r->events);
        *event = &r->events.row;
    }
    return fault;
}

void reader_unread_event(struct reader *r)
{
    r->events.loaded = true;
}
