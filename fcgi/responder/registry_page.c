/*
 * registry_page: pages of the schema registry's lists. See registry_page.h.
 */
#include "responder/registry_page.h"

#include "responder/query.h"
#include "responder/registry_id.h"

#define PAGE_LIMIT_DEFAULT 20
#define PAGE_LIMIT_MOST 100

enum fault registry_page_read(struct call *c, struct registry_page *out)
{
    struct query q;
    *out = (struct registry_page){.limit = PAGE_LIMIT_DEFAULT};
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *limit = query_get(&q, "limit"), *start = query_get(&q, "start");
    if (limit != NULL && !query_number(limit, 1, PAGE_LIMIT_MOST, &out->limit))
        return call_refuse(c, FAULT_MALFORMED, NULL, "limit: a number from 1 to 100");
    if (start != NULL && *start != '\0') {
        out->start = registry_read_id(c, start);
        if (out->start == NULL)
            return call_refuse(c, FAULT_MALFORMED, NULL, "start: the id that _page.next gives");
    }
    return FAULT_NONE;
}

enum fault registry_page_answer(struct call *c, const struct registry_page *page, const char *resource,
                                struct json_object *results, const char *next)
{
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    struct json_object *about = json_object_new_object(), *links = json_object_new_object();
    jsonio_add_text(about, "orderby", "created");
    json_object_object_add(about, "next", next == NULL ? NULL : json_object_new_string(next));
    jsonio_add_int(about, "count", (int64_t)json_object_array_length(results));
    if (next != NULL) {
        struct json_object *link = json_object_new_object();
        jsonio_add_text(link, "href", call_link(c, arena_printf(c->arena, REGISTRY_PATH "%s?limit=%s&start=%s", resource,
                                                                arena_int(c->arena, page->limit), next)));
        json_object_object_add(links, "next", link);
    }
    json_object_object_add(answer, "results", results);
    json_object_object_add(answer, "_page", about);
    json_object_object_add(answer, "_links", links);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}
