/*
 * entities_query: the queries of GET and DELETE /access/entities. See entities.h.
 */
#include <string.h>

#include "responder/entities.h"

static enum fault query_refuse(struct call *c, const char *detail)
{
    return call_refuse(c, FAULT_MALFORMED, NULL, detail);
}

/* A member that must be there. */
static enum fault query_required(struct call *c, const struct query *q, const char *name, const char **out)
{
    *out = query_get(q, name);
    return *out == NULL ? query_refuse(c, arena_printf(c->arena, "%s: is required", name)) : FAULT_NONE;
}

/* A member of which only some values make sense here. */
static enum fault query_class(struct call *c, const struct query *q, const char *name, const char *other, bool *is_other)
{
    const char *class;
    enum fault fault = query_required(c, q, name, &class);
    if (fault != FAULT_NONE)
        return fault;
    *is_other = other != NULL && strcmp(class, other) == 0;
    if (*is_other || strcmp(class, ENTITY_PROFILE_CLASS) == 0)
        return FAULT_NONE;
    return query_refuse(c, other == NULL ? arena_printf(c->arena, "%s: must be " ENTITY_PROFILE_CLASS, name)
                                         : arena_printf(c->arena, "%s: must be " ENTITY_PROFILE_CLASS " or %s", name, other));
}

/* The names of the profile that events belong to go by two names of a member; one of them, or both alike. */
static enum fault query_either(struct call *c, const struct query *q, bool related, const char *name,
                               const char *related_name, const char **out)
{
    const char *plain = query_get(q, name), *other = related ? query_get(q, related_name) : NULL;
    if (plain != NULL && other != NULL && strcmp(plain, other) != 0)
        return query_refuse(c, arena_printf(c->arena, "%s: differs from %s", related_name, name));
    *out = other != NULL ? other : plain;
    return *out == NULL ? query_refuse(c, arena_printf(c->arena, "%s: is required", related ? related_name : name))
                        : FAULT_NONE;
}

static enum fault query_name(struct call *c, const struct query *q, bool related, struct entity_name *out)
{
    enum fault fault = query_either(c, q, related, "entityId", "relatedEntityId", &out->id);
    if (fault == FAULT_NONE)
        fault = query_either(c, q, related, "entityIdNS", "relatedEntityIdNS", &out->ns);
    if (fault != FAULT_NONE)
        return fault;
    const char *id_rule = entity_id_rule(out->id), *ns_rule = entity_ns_rule(out->ns);
    if (id_rule != NULL)
        return query_refuse(c, arena_printf(c->arena, "%s: %s", related ? "relatedEntityId" : "entityId", id_rule));
    if (ns_rule != NULL)
        return query_refuse(c, arena_printf(c->arena, "%s: %s", related ? "relatedEntityIdNS" : "entityIdNS", ns_rule));
    return FAULT_NONE;
}

/* A time in milliseconds; *out is left alone when it is absent. */
static enum fault query_moment(struct call *c, const struct query *q, const char *name, int64_t *out)
{
    const char *text = query_get(q, name);
    if (text != NULL && !entity_read_number(text, out))
        return query_refuse(c, arena_printf(c->arena, "%s: a number of milliseconds since 1970", name));
    return FAULT_NONE;
}

/* What only events have. */
static enum fault query_page(struct call *c, const struct query *q, struct entity_request *out)
{
    const char *limit = query_get(q, "limit"), *order = query_get(q, "orderby"), *start = query_get(q, "start");
    enum fault fault = query_moment(c, q, "startTime", &out->from_ms);
    if (fault == FAULT_NONE)
        fault = query_moment(c, q, "endTime", &out->to_ms);
    if (fault != FAULT_NONE)
        return fault;
    if (out->from_ms > out->to_ms)
        return query_refuse(c, "endTime: is before startTime");
    if (limit != NULL && !query_number(limit, 1, ENTITY_LIMIT_MOST, &out->limit))
        return query_refuse(c, "limit: a number from 1 to 1000");
    if (order != NULL && !entity_read_order(order, &out->descending))
        return query_refuse(c, "orderby: timestamp, with + or - in front");
    if (start != NULL && *start != '\0' && !entity_cursor_read(c, start, &out->after))
        return query_refuse(c, "start: must be the cursor of a page before");
    return FAULT_NONE;
}

enum fault entity_read_query(struct call *c, struct entity_request *out)
{
    struct query q;
    const char *rule = NULL;
    bool unused;
    *out = ENTITY_REQUEST_ALL;
    out->names = 1;
    out->name = arena_alloc(c->arena, sizeof *out->name);
    if (out->name == NULL)
        return FAULT_MEMORY;
    if (!query_parse_texts(c->arena, c->request.query, &q))
        return query_refuse(c, "the query is malformed");
    enum fault fault = query_class(c, &q, "schema.name", ENTITY_EVENT_CLASS, &out->events);
    if (fault == FAULT_NONE && out->events)
        fault = query_class(c, &q, "relatedSchema.name", NULL, &unused);
    if (fault == FAULT_NONE)
        fault = query_name(c, &q, out->events, out->name);
    if (fault == FAULT_NONE && out->events)
        fault = query_page(c, &q, out);
    if (fault != FAULT_NONE)
        return fault;
    out->policy = query_get(&q, "mergePolicyId");
    out->fields = query_get(&q, "fields") != NULL ? query_get(&q, "fields") : "";
    fault = entity_compile(c, out, &rule);
    return fault == FAULT_MALFORMED ? query_refuse(c, arena_printf(c->arena, "fields: %s", rule)) : fault;
}

enum fault entity_read_removal(struct call *c, struct entity_name *out)
{
    struct query q;
    bool unused;
    if (!query_parse_texts(c->arena, c->request.query, &q))
        return query_refuse(c, "the query is malformed");
    enum fault fault = query_class(c, &q, "schema.name", NULL, &unused);
    return fault == FAULT_NONE ? query_name(c, &q, false, out) : fault;
}
