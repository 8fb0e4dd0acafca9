/*
 * reader: a tenant's profile store under one snapshot, profile by profile. See reader.h.
 */
#include "export/reader.h"

#include <stdlib.h>

#include "core/stmt_spooler.h"
#include "lib/invariant.h"

#define READER_MODE "ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define READER_KEEP_BYTES (1024u * 1024u) /* a buffer that grew beyond this is given back */

struct reader {
    struct reader_order order;
    bool open; /* transactions are under way */
    struct stream fragments;
    struct stream events;
    int64_t person, identity; /* of the profile at hand */
    struct str bodies;
    struct merge_fragment fragment[MERGE_MAX_FRAGMENTS];
};

struct reader *reader_new(void)
{
    struct reader *r = malloc(sizeof *r);
    if (r != NULL) {
        r->open = false;
        r->fragments = r->events = STREAM_NONE;
        r->bodies = STR_INIT(MERGE_PROFILE_BYTES);
    }
    return r;
}

void reader_free(struct reader *r)
{
    if (r == NULL)
        return;
    if (r->open) {
        db_close(r->order.fragments);
        if (r->order.want_events)
            db_close(r->order.events);
    }
    str_free(&r->bodies);
    free(r);
}

/* Begins a transaction that joins a snapshot, unless NULL. */
static enum fault reader_begin(const struct reader_order *o, struct db *db, const char *snapshot)
{
    struct str text = STR_INIT(STMT_COPY_BYTES);
    enum fault fault = db_begin(db, o->org, READER_MODE);
    if (fault == FAULT_NONE && snapshot != NULL)
        fault = stmt_use_snapshot(snapshot, &text);
    if (fault == FAULT_NONE && snapshot != NULL)
        fault = db_run_text(db, text.data);
    if (fault == FAULT_NONE)
        fault = db_run_text(db, STMT_READ_SETTINGS);
    str_free(&text);
    return fault;
}

enum fault reader_open(struct reader *r, const struct reader_order *o, struct reader_look *look)
{
    struct db_rows rows;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox)};
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    r->order = *o;
    r->open = true; /* so that reader_free() closes what a fault here leaves open */
    enum fault fault = reader_begin(o, o->fragments, o->snapshot);
    if (fault == FAULT_NONE)
        fault = db_run(o->fragments, o->arena, &STMT_STORE_LOOK, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    *look = (struct reader_look){.watermark_ms = db_int(&rows, 0, 0),
                                 .snapshot = db_text(&rows, 0, 1),
                                 .identities = db_int(&rows, 0, 2)};
    return o->want_events ? reader_begin(o, o->events, look->snapshot) : FAULT_NONE;
}

enum fault reader_range(struct reader *r, int64_t from, int64_t to)
{
    const struct reader_order *o = &r->order;
    struct stmt_copy copy = {.org = o->org,
                             .sandbox = o->sandbox,
                             .person_from = from,
                             .person_to = to,
                             .policy = o->policy,
                             .bare = o->want_bare,
                             .events_after_ms = o->events_after_ms,
                             .events_before_ms = o->events_before_ms};
    struct str text = STR_INIT(STMT_COPY_BYTES);
    INVARIANT(r->fragments.over && r->events.over);
    enum fault fault = stmt_copy_fragments(&copy, &text);
    if (fault == FAULT_NONE)
        fault = stream_open(&r->fragments, o->fragments, false, text.data);
    if (fault == FAULT_NONE && o->want_events) {
        str_reset(&text);
        stmt_copy_events(&copy, &text);
        fault = text.overflow ? FAULT_MEMORY : stream_open(&r->events, o->events, true, text.data);
    }
    r->person = r->identity = -1; /* nobody: sequences begin at 1 */
    str_free(&text);
    return fault;
}

enum fault reader_close(struct reader *r)
{
    enum fault fault = db_commit(r->order.fragments);
    if (fault == FAULT_NONE && r->order.want_events)
        fault = db_commit(r->order.events);
    r->open = fault != FAULT_NONE;
    return fault;
}

/* Whether the stream's next row belongs to the profile at hand. */
static bool reader_belongs(const struct reader *r, const struct stream *s)
{
    return !s->over && s->row.person == r->person && (r->order.policy->graph || s->row.identity == r->identity);
}

static bool reader_is_before(const struct reader *r, const struct stream_row *a, const struct stream_row *b)
{
    return a->person != b->person ? a->person < b->person : !r->order.policy->graph && a->identity < b->identity;
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

static void reader_add(struct reader *r, struct reader_profile *p, const char *body, size_t length)
{
    if (p->count == MERGE_MAX_FRAGMENTS)
        p->too_large = true;
    if (p->too_large)
        return;
    r->fragment[p->count++].length = length;
    str_append(&r->bodies, body, length);
    p->too_large = r->bodies.overflow;
}

/* Copies the fragments of the profile at hand: the connection keeps one row only. */
static enum fault reader_collect(struct reader *r, struct reader_profile *p)
{
    enum fault fault = FAULT_NONE;
    if (r->bodies.capacity > READER_KEEP_BYTES)
        str_free(&r->bodies);
    str_reset(&r->bodies);
    while (fault == FAULT_NONE && reader_belongs(r, &r->fragments)) {
        const struct stream_row *row = &r->fragments.row;
        reader_add(r, p, row->body, row->length);
        p->updated_ms = row->ingested_ms > p->updated_ms ? row->ingested_ms : p->updated_ms;
        stream_take(&r->fragments);
        fault = stream_peek(&r->fragments);
    }
    if (fault == FAULT_NONE && p->count == 0 && r->order.want_bare) {
        p->bare = true;
        INVARIANT(r->events.row.bare != NULL); /* it is the first event of its profile */
        reader_add(r, p, r->events.row.bare, r->events.row.bare_length);
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
    *p = (struct reader_profile){.fragment = r->fragment, .updated_ms = INT64_MIN};
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
    bool from_events =
        !r->events.over && (r->fragments.over || reader_is_before(r, &r->events.row, &r->fragments.row));
    const struct stream_row *first = from_events ? &r->events.row : &r->fragments.row;
    r->person = first->person;
    r->identity = first->identity;
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
