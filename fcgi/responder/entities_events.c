/*
 * entities_events: pages of events as answers. See entities.h.
 */
#include <string.h>

#include "core/stmt_api.h"
#include "lib/jscan.h"
#include "responder/entities.h"

#define EVENTS_LINK_BYTES ((size_t)512 * 1024) /* of a link: a name and fields, each byte as three */
#define EVENTS_DOCUMENT_BYTES ((size_t)12 * 1024 * 1024) /* more than a page can come to */

/* A page while it is written. */
struct event_page {
    int64_t place; /* whose it is */
    int first;     /* the rows of its events */
    int end;       /* after them comes the row that tells of the page */
};

static void event_append_escaped(struct str *out, const char *text)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr(PLAIN, *p) != NULL)
            str_append_char(out, *p);
        else
            str_printf(out, "%%%02X", (unsigned)(unsigned char)*p);
    }
}

static void event_link_member(struct str *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    str_printf(out, "&%s=", name);
    event_append_escaped(out, value);
}

/* Where the next page is: a GET that asks for the same. */
static const char *event_link(struct call *c, const struct entity_request *r, int64_t place, const char *cursor)
{
    struct str *link = entity_buffer(c, EVENTS_LINK_BYTES);
    if (link == NULL)
        return NULL;
    str_append_text(link, call_link(c, "/data/core/ups/access/entities?schema.name=" ENTITY_EVENT_CLASS
                                       "&relatedSchema.name=" ENTITY_PROFILE_CLASS));
    event_link_member(link, "relatedEntityId", r->name[place].id);
    event_link_member(link, "relatedEntityIdNS", r->name[place].ns);
    event_link_member(link, "mergePolicyId", r->policy);
    event_link_member(link, "fields", *r->fields == '\0' ? NULL : r->fields);
    event_link_member(link, "startTime", r->from_ms == INT64_MIN ? NULL : arena_int(c->arena, r->from_ms));
    event_link_member(link, "endTime", r->to_ms == INT64_MAX ? NULL : arena_int(c->arena, r->to_ms));
    event_link_member(link, "orderby", r->descending ? "-timestamp" : "+timestamp");
    event_link_member(link, "limit", arena_int(c->arena, r->limit));
    event_link_member(link, "start", cursor);
    return link->overflow ? NULL : link->data;
}

/* Whether the row's event has this place in the order. */
static bool event_is_at(const struct db_rows *rows, int row, int64_t time_ms, const char *event)
{
    return db_int(rows, row, EVENT_TIME) == time_ms && strcmp(db_text(rows, row, EVENT_ID), event) == 0;
}

/* The cursor behind the page. Events of several identities of a person may have one time and id, so it also tells how
 * many of these were shown. */
static const char *event_cursor(struct call *c, const struct entity_request *r, const struct db_rows *rows,
                                const struct event_page *page)
{
    int64_t time_ms = db_int(rows, page->end - 1, EVENT_TIME), skip = 0;
    const char *event = db_text(rows, page->end - 1, EVENT_ID);
    int row = page->end;
    while (row > page->first && event_is_at(rows, row - 1, time_ms, event)) {
        skip++;
        row--;
    }
    if (row == page->first && r->after.text != NULL && r->after.time_ms == time_ms && strcmp(r->after.event, event) == 0)
        skip += r->after.skip;
    return entity_cursor_print(c, time_ms, skip, event);
}

static enum fault event_write(const struct entity_request *r, const struct db_rows *rows, int row, struct jscan *scan,
                              struct str *out)
{
    const char *id = r->name[db_int(rows, row, EVENT_PLACE)].id;
    str_append_text(out, "{\"relatedEntityId\":");
    str_append_json(out, id, strlen(id));
    str_append_text(out, ",\"entityId\":");
    str_append_json(out, db_text(rows, row, EVENT_ID), db_length(rows, row, EVENT_ID));
    str_append_text(out, ",\"timestamp\":");
    str_append_int(out, db_int(rows, row, EVENT_TIME));
    str_append_text(out, ",\"entity\":");
    enum fault fault = projection_write_document(r->projection, scan, db_text(rows, row, EVENT_BODY),
                                                 db_length(rows, row, EVENT_BODY), out);
    str_append_char(out, '}');
    return fault == FAULT_MEMORY && out->overflow ? FAULT_NONE : fault; /* that is looked at once, at the end */
}

static enum fault event_write_page(struct call *c, const struct entity_request *r, const struct db_rows *rows,
                                   const struct event_page *page, struct jscan *scan, struct str *out)
{
    bool more = db_bool(rows, page->end, EVENT_MORE) && page->end > page->first;
    const char *cursor = more ? event_cursor(c, r, rows, page) : "";
    const char *link = more && cursor != NULL ? event_link(c, r, page->place, cursor) : "";
    enum fault fault = FAULT_NONE;
    if (cursor == NULL || link == NULL)
        return FAULT_MEMORY;
    str_printf(out, "{\"_page\":{\"orderby\":\"%stimestamp\",\"start\":\"%s\",\"count\":%d,\"next\":\"%s\"},\"children\":[",
               r->descending ? "-" : "+", r->after.text == NULL ? "" : r->after.text, page->end - page->first, cursor);
    for (int row = page->first; fault == FAULT_NONE && row < page->end; row++) {
        str_append_text(out, row == page->first ? "" : ",");
        fault = event_write(r, rows, row, scan, out);
    }
    str_append_text(out, "],\"_links\":{\"next\":{\"href\":");
    str_append_json(out, link, strlen(link));
    str_append_text(out, "}}}");
    return fault;
}

static enum fault event_write_pages(struct call *c, const struct entity_request *r, const struct db_rows *rows,
                                    struct jscan *scan, struct str *out)
{
    enum fault fault = FAULT_NONE;
    struct event_page page = {.end = -1};
    if (r->many)
        str_append_char(out, '{');
    for (int row = 0; fault == FAULT_NONE && !out->overflow && row < rows->count; row++) {
        if (!db_null(rows, row, EVENT_ID))
            continue;
        page = (struct event_page){db_int(rows, row, EVENT_PLACE), page.end + 1, row};
        if (r->many) {
            str_append_text(out, page.first == 0 ? "" : ",");
            str_append_json(out, r->name[page.place].id, strlen(r->name[page.place].id));
            str_append_char(out, ':');
        }
        fault = event_write_page(c, r, rows, &page, scan, out);
    }
    if (r->many)
        str_append_char(out, '}');
    return fault;
}

static enum fault event_load(struct call *c, const struct entity_request *r, struct db_rows *rows)
{
    bool after = r->after.text != NULL;
    const char *const params[] = {r->policy,
                                  entity_names_text(c, r),
                                  arena_int(c->arena, r->from_ms),
                                  arena_int(c->arena, r->to_ms),
                                  r->descending ? "-1" : "1",
                                  after ? arena_int(c->arena, r->after.time_ms) : NULL,
                                  r->after.event,
                                  arena_int(c->arena, r->after.skip),
                                  arena_int(c->arena, r->limit),
                                  arena_int(c->arena, (int64_t)ENTITY_PAGE_BYTES),
                                  arena_int(c->arena, (int64_t)ENTITY_PAGES_BYTES)};
    if (params[1] == NULL)
        return FAULT_MEMORY;
    enum fault fault = call_db(c, &STMT_ENTITY_EVENTS, params, sizeof params / sizeof *params, rows);
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, "/identities", "the events of these pages are more than 6 MiB; ask for fewer");
    return entity_policy_refusal(c, r, fault);
}

static void event_free_scan(void *scan)
{
    jscan_free(scan);
}

enum fault entity_answer_events(struct call *c, const struct entity_request *r)
{
    struct db_rows rows;
    struct str *out = entity_buffer(c, r->many ? ENTITY_ANSWER_BYTES : EVENTS_DOCUMENT_BYTES);
    struct jscan *scan = arena_alloc(c->arena, sizeof *scan);
    if (out == NULL || scan == NULL || !arena_own(c->arena, scan, event_free_scan))
        return FAULT_MEMORY;
    enum fault fault = event_load(c, r, &rows);
    if (fault == FAULT_NONE && rows.count == 0 && !r->many)
        return FAULT_NOT_FOUND;
    if (fault == FAULT_NONE)
        fault = event_write_pages(c, r, &rows, scan, out);
    if (fault == FAULT_NONE && out->overflow)
        return r->many ? call_refuse(c, FAULT_MALFORMED, "/identities",
                                     "the answer would be longer than 2 MiB; ask for fewer profiles, events or fields")
                       : FAULT_MEMORY;
    if (fault == FAULT_NONE)
        reply_text(&c->reply, 200, out->data, out->length);
    return fault;
}
