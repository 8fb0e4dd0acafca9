/*
 * sandboxes: which sandboxes the organization has (contract.md section 1).
 *
 * Only active ones are there: one that is disabled is answered as one that never was, as in the header x-sandbox-name.
 * What the registry does not know of a sandbox (a title, a region, who made it) is no member.
 */
#include <string.h>
#include <time.h>

#include "core/stmt_api.h"
#include "responder/catalog_list.h"
#include "responder/handlers.h"

#define SANDBOXES_PATH "/data/foundation/sandbox-management/sandboxes"
#define SANDBOXES_LIMIT_DEFAULT 50
#define SANDBOXES_LIMIT_MOST 100
#define SANDBOXES_OFFSET_MOST INT64_C(1000000000)

enum sandboxes_column { SANDBOX_NAME, SANDBOX_CREATED, SANDBOX_TOTAL };

struct sandboxes_page {
    int64_t limit;
    int64_t offset;
};

static struct json_object *sandboxes_entry(const struct db_rows *rows, int row)
{
    struct json_object *entry = json_object_new_object();
    time_t created = (time_t)(db_int(rows, row, SANDBOX_CREATED) / 1000);
    char text[32] = "";
    struct tm utc;
    if (gmtime_r(&created, &utc) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc); /* as the reference has it */
    jsonio_add_text(entry, "name", db_text(rows, row, SANDBOX_NAME));
    jsonio_add_text(entry, "state", "active");
    jsonio_add_text(entry, "type", call_sandbox_type(db_text(rows, row, SANDBOX_NAME)));
    jsonio_add_text(entry, "createdDate", text);
    return entry;
}

static struct json_object *sandboxes_link(struct call *c, const char *limit, const char *offset)
{
    struct json_object *link = json_object_new_object();
    const char *path = arena_printf(c->arena, SANDBOXES_PATH "?limit=%s&offset=%s", limit, offset);
    jsonio_add_text(link, "href", path == NULL ? NULL : call_link(c, path));
    return link;
}

static enum fault sandboxes_answer(struct call *c, const struct db_rows *rows, const struct sandboxes_page *page)
{
    struct json_object *body = jsonio_own(c->arena, json_object_new_object()), *list = json_object_new_array();
    struct json_object *about = json_object_new_object(), *links = json_object_new_object();
    int64_t total = db_int(rows, 0, SANDBOX_TOTAL);
    for (int row = 0; row < rows->count && !db_null(rows, row, SANDBOX_NAME); row++)
        json_object_array_add(list, sandboxes_entry(rows, row));
    json_object_object_add(body, "sandboxes", list);
    jsonio_add_int(about, "limit", page->limit);
    jsonio_add_int(about, "count", total);
    json_object_object_add(body, "_page", about);
    struct json_object *template = sandboxes_link(c, "{limit}", "{offset}");
    json_object_object_add(template, "templated", json_object_new_boolean(true));
    json_object_object_add(links, "page", template);
    if (page->offset + page->limit < total)
        json_object_object_add(links, "next", sandboxes_link(c, arena_int(c->arena, page->limit),
                                                             arena_int(c->arena, page->offset + page->limit)));
    json_object_object_add(body, "_links", links);
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}

static enum fault sandboxes_read(struct call *c, const char *name, const struct sandboxes_page *page, struct db_rows *rows)
{
    const char *const params[] = {name, arena_int(c->arena, page->limit), arena_int(c->arena, page->offset)};
    return call_db(c, &STMT_SANDBOX_LIST, params, 3, rows);
}

enum fault sandbox_handle_list(struct call *c)
{
    struct sandboxes_page page = {.limit = SANDBOXES_LIMIT_DEFAULT};
    struct query q;
    struct db_rows rows;
    enum fault fault = catalog_query(c, &q);
    if (fault != FAULT_NONE)
        return fault;
    const char *limit = query_get(&q, "limit"), *offset = query_get(&q, "offset");
    if (limit != NULL && !query_number(limit, 1, SANDBOXES_LIMIT_MOST, &page.limit))
        return call_refuse(c, FAULT_MALFORMED, NULL, "limit: a number from 1 to 100");
    if (offset != NULL && !query_number(offset, 0, SANDBOXES_OFFSET_MOST, &page.offset))
        return call_refuse(c, FAULT_MALFORMED, NULL, "offset: a number of sandboxes from 0");
    fault = sandboxes_read(c, NULL, &page, &rows);
    return fault == FAULT_NONE ? sandboxes_answer(c, &rows, &page) : fault;
}

enum fault sandbox_handle_get(struct call *c)
{
    const struct sandboxes_page page = {.limit = 1};
    struct query q;
    struct db_rows rows;
    enum fault fault = catalog_query(c, &q);
    if (fault == FAULT_NONE)
        fault = sandboxes_read(c, c->segment[0], &page, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (db_null(&rows, 0, SANDBOX_NAME))
        return FAULT_NOT_FOUND;
    struct json_object *entry = jsonio_own(c->arena, sandboxes_entry(&rows, 0));
    return entry == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, entry);
}
