/*
 * policy_list: the list of merge policies (contract.md section 1; members as the reference has them).
 *
 * A sandbox has a handful of policies, so all are read and then filtered, sorted and cut to a page here. The
 * cost is bounded by the most policies an org may have and not by how many versions they have.
 */
#include <string.h>

#include "responder/handlers.h"
#include "responder/policy_document.h"
#include "responder/query.h"

#define LIST_LIMIT_DEFAULT 20
#define LIST_LIMIT_MOST 100
#define LIST_START_MOST INT64_C(1000000)
#define LIST_LINK "@/mergePolicies" /* the reference's: relative to its /config */

enum policy_answer { ANY, NO, YES };

/* An order by one member; equal ones are in the order of their ids. */
struct policy_sort {
    const char *name;
    int (*compare)(const struct policy_view *a, const struct policy_view *b);
};

struct policy_list {
    int64_t limit;
    int64_t start;
    int64_t version; /* 0: the newest */
    const struct policy_sort *sort;
    bool descending;
    const char *class;
    enum policy_answer is_default;
    enum policy_answer active_on_edge;
    enum policy_answer graph;
    enum policy_answer precedence;
};

static const char *list_name(const struct policy_view *view)
{
    return view->name == NULL ? "" : view->name;
}

static int list_compare_name(const struct policy_view *a, const struct policy_view *b)
{
    return strcmp(list_name(a), list_name(b));
}

static int list_compare_id(const struct policy_view *a, const struct policy_view *b)
{
    return strcmp(a->id, b->id);
}

static int list_compare_version(const struct policy_view *a, const struct policy_view *b)
{
    return (a->version > b->version) - (a->version < b->version);
}

static int list_compare_updated(const struct policy_view *a, const struct policy_view *b)
{
    return (a->updated_ms > b->updated_ms) - (a->updated_ms < b->updated_ms);
}

static const struct policy_sort SORTS[] = {{"name", list_compare_name},
                                           {"id", list_compare_id},
                                           {"version", list_compare_version},
                                           {"updateEpoch", list_compare_updated}};

static enum fault list_refuse(struct call *c, const char *detail)
{
    return call_refuse(c, FAULT_MALFORMED, NULL, detail);
}

/* One of two words, or no filter when the member is absent. */
static enum fault list_read_answer(struct call *c, const struct query *q, const char *name, const char *no,
                                   const char *yes, enum policy_answer *out)
{
    const char *text = query_get(q, name);
    *out = text == NULL ? ANY : strcmp(text, yes) == 0 ? YES : NO;
    if (*out == NO && strcmp(text, no) != 0)
        return list_refuse(c, arena_printf(c->arena, "%s: %s or %s", name, no, yes));
    return FAULT_NONE;
}

/* A member's name, with - in front for the descending order. A plus in a query is a blank. */
static enum fault list_read_order(struct call *c, const char *text, struct policy_list *out)
{
    out->sort = &SORTS[0];
    if (text == NULL || *text == '\0')
        return FAULT_NONE;
    out->descending = *text == '-';
    text += *text == '-' || *text == '+' || *text == ' ';
    for (size_t i = 0; i < sizeof SORTS / sizeof *SORTS; i++) {
        if (strcmp(SORTS[i].name, text) == 0) {
            out->sort = &SORTS[i];
            return FAULT_NONE;
        }
    }
    return list_refuse(c, "orderBy: name, id, version or updateEpoch, with + or - in front");
}

static enum fault list_read(struct call *c, struct policy_list *out)
{
    struct query q;
    *out = (struct policy_list){.limit = LIST_LIMIT_DEFAULT};
    if (!query_parse(c->arena, c->request.query, &q))
        return list_refuse(c, "the query is malformed");
    const char *limit = query_get(&q, "limit"), *start = query_get(&q, "start"), *version = query_get(&q, "version");
    if (limit != NULL && !query_number(limit, 1, LIST_LIMIT_MOST, &out->limit))
        return list_refuse(c, "limit: a number from 1 to 100");
    if (start != NULL && !query_number(start, 0, LIST_START_MOST, &out->start))
        return list_refuse(c, "start: a number of policies from 0");
    if (version != NULL && !query_number(version, 1, INT32_MAX, &out->version))
        return list_refuse(c, "version: a number from 1");
    out->class = query_get(&q, "schema.name");
    enum fault fault = list_read_order(c, query_get(&q, "orderBy"), out);
    if (fault == FAULT_NONE)
        fault = list_read_answer(c, &q, "default", "false", "true", &out->is_default);
    if (fault == FAULT_NONE)
        fault = list_read_answer(c, &q, "isActiveOnEdge", "false", "true", &out->active_on_edge);
    if (fault == FAULT_NONE)
        fault = list_read_answer(c, &q, "identityGraph.type", "none", "pdg", &out->graph);
    if (fault == FAULT_NONE)
        fault = list_read_answer(c, &q, "attributeMerge.type", "timestampOrdered", "dataSetPrecedence", &out->precedence);
    return fault;
}

static bool list_fits(enum policy_answer wanted, bool is)
{
    return wanted == ANY || (wanted == YES) == is;
}

static bool list_wants(const struct policy_list *list, const struct policy_view *view)
{
    return (list->class == NULL || strcmp(list->class, POLICY_CLASS) == 0) &&
           list_fits(list->is_default, view->is_default) && list_fits(list->active_on_edge, view->active_on_edge) &&
           list_fits(list->graph, view->rules.graph) && list_fits(list->precedence, view->rules.precedence);
}

/* Whether b comes before a. */
static bool list_behind(const struct policy_list *list, const struct policy_view *a, const struct policy_view *b)
{
    int order = list->sort->compare(a, b);
    if (order == 0)
        order = list_compare_id(a, b);
    return list->descending ? order < 0 : order > 0;
}

/* Drops what is not wanted and sorts the rest, in place; by insertion, there are six of them. */
static int list_select(const struct policy_list *list, struct policy_view *views, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        struct policy_view view = views[i];
        if (!list_wants(list, &view))
            continue;
        int at = kept++;
        for (; at > 0 && list_behind(list, &views[at - 1], &view); at--)
            views[at] = views[at - 1];
        views[at] = view;
    }
    return kept;
}

/* "&name=no" or "&name=yes", nothing for no filter. */
static const char *list_link_answer(struct call *c, const char *link, const char *name, const char *no,
                                    const char *yes, enum policy_answer answer)
{
    return answer == ANY ? link : arena_printf(c->arena, "%s&%s=%s", link, name, answer == YES ? yes : no);
}

/* Where the next page is; every filter kept. None of the values needs escapes: they are words of this file. */
static const char *list_link(struct call *c, const struct policy_list *list)
{
    const char *link = arena_printf(c->arena, LIST_LINK "?start=%s&orderBy=%s%s&limit=%s",
                                    arena_int(c->arena, list->start + list->limit), list->descending ? "-" : "",
                                    list->sort->name, arena_int(c->arena, list->limit));
    if (list->version != 0)
        link = arena_printf(c->arena, "%s&version=%s", link, arena_int(c->arena, list->version));
    if (list->class != NULL)
        link = arena_printf(c->arena, "%s&schema.name=" POLICY_CLASS, link);
    link = list_link_answer(c, link, "default", "false", "true", list->is_default);
    link = list_link_answer(c, link, "isActiveOnEdge", "false", "true", list->active_on_edge);
    link = list_link_answer(c, link, "identityGraph.type", "none", "pdg", list->graph);
    return list_link_answer(c, link, "attributeMerge.type", "timestampOrdered", "dataSetPrecedence", list->precedence);
}

enum fault policy_handle_list(struct call *c)
{
    struct policy_list list;
    struct policy_view *views;
    int count = 0;
    enum fault fault = list_read(c, &list);
    if (fault == FAULT_NONE)
        fault = policy_views_load(c, list.version, &views, &count);
    if (fault != FAULT_NONE)
        return fault;
    count = list_select(&list, views, count);
    int from = list.start < count ? (int)list.start : count;
    int to = list.limit < count - from ? from + (int)list.limit : count;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    struct json_object *page = json_object_new_object(), *children = json_object_new_array();
    struct json_object *links = json_object_new_object(), *next = json_object_new_object();
    jsonio_add_int(page, "totalCount", count);
    jsonio_add_int(page, "pageSize", to - from);
    for (int i = from; i < to; i++)
        json_object_array_add(children, policy_document(c, &views[i]));
    jsonio_add_text(next, "href", to < count ? list_link(c, &list) : "");
    json_object_object_add(links, "next", next);
    json_object_object_add(answer, "_page", page);
    json_object_object_add(answer, "children", children);
    json_object_object_add(answer, "_links", links);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}
