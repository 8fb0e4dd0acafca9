/*
 * entities_body: the body of POST /access/entities. See entities.h.
 */
#include <string.h>

#include "responder/entities.h"

#define BODY_FIELDS_BYTES (PROJECTION_MAX_BYTES + 2 * PROJECTION_MAX_PATHS)

/* The member of that type in *out, or NULL when absent. A null or another type is refused. */
static enum fault body_member(struct call *c, struct json_object *parent, const char *name, enum json_type type,
                              const char *pointer, struct json_object **out)
{
    static const char *const RULES[] = {
        [json_type_object] = "must be an object", [json_type_array] = "must be an array",
        [json_type_string] = "must be a string",  [json_type_int] = "must be an integer",
    };
    bool present = false;
    *out = jsonio_member(parent, name, &present);
    return !present || json_object_is_type(*out, type) ? FAULT_NONE
                                                       : call_refuse(c, FAULT_MALFORMED, pointer, RULES[type]);
}

/* The same of a member that must be there. */
static enum fault body_required(struct call *c, struct json_object *parent, const char *name, enum json_type type,
                                const char *pointer, struct json_object **out)
{
    enum fault fault = body_member(c, parent, name, type, pointer, out);
    return fault == FAULT_NONE && *out == NULL ? call_refuse(c, FAULT_MALFORMED, pointer, "is required") : fault;
}

/* {"name": <class>}; with `other`, one of the two. */
static enum fault body_class(struct call *c, struct json_object *body, const char *member, const char *other,
                             bool *is_other)
{
    struct json_object *schema = NULL, *name = NULL;
    const char *pointer = arena_printf(c->arena, "/%s", member), *inner = arena_printf(c->arena, "/%s/name", member);
    enum fault fault = body_required(c, body, member, json_type_object, pointer, &schema);
    if (fault == FAULT_NONE)
        fault = body_required(c, schema, "name", json_type_string, inner, &name);
    if (fault != FAULT_NONE)
        return fault;
    *is_other = other != NULL && strcmp(json_object_get_string(name), other) == 0;
    if (*is_other || strcmp(json_object_get_string(name), ENTITY_PROFILE_CLASS) == 0)
        return FAULT_NONE;
    return call_refuse(c, FAULT_MALFORMED, inner,
                       other == NULL ? "must be " ENTITY_PROFILE_CLASS
                                     : arena_printf(c->arena, "must be " ENTITY_PROFILE_CLASS " or %s", other));
}

/* One element of identities: {"entityId", "entityIdNS":{"code"}}. Of events the members may begin with `related`. */
static enum fault body_name(struct call *c, const struct entity_request *r, struct json_object *element, size_t place,
                            struct entity_name *out)
{
    struct json_object *id = NULL, *ns = NULL, *code = NULL;
    bool related = r->events && jsonio_member(element, "relatedEntityId", NULL) != NULL;
    const char *id_name = related ? "relatedEntityId" : "entityId", *ns_name = related ? "relatedEntityIdNS" : "entityIdNS";
    const char *id_at = arena_printf(c->arena, "/identities/%zu/%s", place, id_name);
    const char *ns_at = arena_printf(c->arena, "/identities/%zu/%s", place, ns_name);
    const char *code_at = arena_printf(c->arena, "/identities/%zu/%s/code", place, ns_name);
    enum fault fault = body_required(c, element, id_name, json_type_string, id_at, &id);
    if (fault == FAULT_NONE)
        fault = body_required(c, element, ns_name, json_type_object, ns_at, &ns);
    if (fault == FAULT_NONE)
        fault = body_required(c, ns, "code", json_type_string, code_at, &code);
    if (fault != FAULT_NONE)
        return fault;
    *out = (struct entity_name){.ns = json_object_get_string(code), .id = json_object_get_string(id)};
    if (entity_id_rule(out->id) != NULL)
        return call_refuse(c, FAULT_MALFORMED, id_at, entity_id_rule(out->id));
    if (entity_ns_rule(out->ns) != NULL)
        return call_refuse(c, FAULT_MALFORMED, code_at, entity_ns_rule(out->ns));
    /* the answer is a map by id */
    for (size_t i = 0; i < place; i++) {
        if (strcmp(r->name[i].id, out->id) == 0)
            return call_refuse(c, FAULT_MALFORMED, id_at, "comes twice; one answer holds each id once");
    }
    return FAULT_NONE;
}

static enum fault body_names(struct call *c, struct json_object *body, struct entity_request *out)
{
    struct json_object *list = NULL;
    enum fault fault = body_required(c, body, "identities", json_type_array, "/identities", &list);
    if (fault != FAULT_NONE)
        return fault;
    size_t count = json_object_array_length(list);
    if (count < 1 || count > ENTITY_NAMES_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/identities", "must have 1 to 100 elements");
    out->name = arena_alloc(c->arena, count * sizeof *out->name);
    if (out->name == NULL)
        return FAULT_MEMORY;
    for (size_t i = 0; i < count && fault == FAULT_NONE; i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        if (!json_object_is_type(element, json_type_object))
            return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/identities/%zu", i), "must be an object");
        fault = body_name(c, out, element, i, &out->name[i]);
    }
    out->names = (uint32_t)count;
    return fault;
}

/* The paths of `fields`, an array, as one text. */
static enum fault body_fields(struct call *c, struct json_object *body, struct entity_request *out)
{
    struct json_object *list = NULL;
    const char *rule = NULL;
    enum fault fault = body_member(c, body, "fields", json_type_array, "/fields", &list);
    struct str *text = entity_buffer(c, BODY_FIELDS_BYTES);
    if (fault != FAULT_NONE || text == NULL)
        return fault != FAULT_NONE ? fault : FAULT_MEMORY;
    str_append_text(text, "");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        struct json_object *path = json_object_array_get_idx(list, i);
        const char *path_text = json_object_is_type(path, json_type_string) ? json_object_get_string(path) : NULL;
        if (path_text == NULL || strchr(path_text, ',') != NULL)
            return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/fields/%zu", i),
                               "must be a string of one dot path");
        str_append_text(text, i == 0 ? "" : ",");
        str_append_text(text, path_text);
    }
    if (text->overflow)
        return call_refuse(c, FAULT_MALFORMED, "/fields", "is too long");
    out->fields = text->data;
    fault = entity_compile(c, out, &rule);
    return fault == FAULT_MALFORMED ? call_refuse(c, fault, "/fields", rule) : fault;
}

static enum fault body_moment(struct call *c, struct json_object *filter, const char *name, const char *pointer,
                              int64_t *out)
{
    struct json_object *value = NULL;
    enum fault fault = body_member(c, filter, name, json_type_int, pointer, &value);
    if (fault == FAULT_NONE && value != NULL)
        *out = json_object_get_int64(value);
    return fault;
}

/* What only events have. */
static enum fault body_page(struct call *c, struct json_object *body, struct entity_request *out)
{
    struct json_object *filter = NULL, *limit = NULL, *order = NULL;
    enum fault fault = body_member(c, body, "timeFilter", json_type_object, "/timeFilter", &filter);
    if (fault == FAULT_NONE && filter != NULL)
        fault = body_moment(c, filter, "startTime", "/timeFilter/startTime", &out->from_ms);
    if (fault == FAULT_NONE && filter != NULL)
        fault = body_moment(c, filter, "endTime", "/timeFilter/endTime", &out->to_ms);
    if (fault == FAULT_NONE)
        fault = body_member(c, body, "limit", json_type_int, "/limit", &limit);
    if (fault == FAULT_NONE)
        fault = body_member(c, body, "orderby", json_type_string, "/orderby", &order);
    if (fault != FAULT_NONE)
        return fault;
    if (out->from_ms > out->to_ms)
        return call_refuse(c, FAULT_MALFORMED, "/timeFilter/endTime", "is before startTime");
    if (limit != NULL)
        out->limit = json_object_get_int64(limit);
    if (out->limit < 1 || out->limit > ENTITY_LIMIT_MOST)
        return call_refuse(c, FAULT_MALFORMED, "/limit", "must be a number from 1 to 1000");
    if (order != NULL && !entity_read_order(json_object_get_string(order), &out->descending))
        return call_refuse(c, FAULT_MALFORMED, "/orderby", "must be timestamp, with + or - in front");
    return FAULT_NONE;
}

enum fault entity_read_body(struct call *c, struct entity_request *out)
{
    struct json_object *body, *policy = NULL;
    bool unused;
    *out = ENTITY_REQUEST_ALL;
    out->many = true;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = body_class(c, body, "schema", ENTITY_EVENT_CLASS, &out->events);
    if (fault == FAULT_NONE && out->events)
        fault = body_class(c, body, "relatedSchema", NULL, &unused);
    if (fault == FAULT_NONE)
        fault = body_names(c, body, out);
    if (fault == FAULT_NONE)
        fault = body_member(c, body, "mergePolicyId", json_type_string, "/mergePolicyId", &policy);
    if (fault == FAULT_NONE && out->events)
        fault = body_page(c, body, out);
    if (fault != FAULT_NONE)
        return fault;
    out->policy = policy == NULL ? NULL : json_object_get_string(policy);
    return body_fields(c, body, out);
}
