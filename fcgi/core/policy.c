/*
 * policy: the reader of merge policies. See policy.h.
 */
#include "core/policy.h"

#include <string.h>

#include "core/ident.h"
#include "lib/jsonio.h"
#include "lib/log.h"
#include "lib/str.h"

#define POLICY_GRAPH_NONE "none"
#define POLICY_GRAPH_PRIVATE "pdg"
#define POLICY_MERGE_TIME "timestampOrdered"
#define POLICY_MERGE_PRECEDENCE "dataSetPrecedence"

struct policy_reader {
    struct arena *arena;
    struct spec_refusal *refusal;
};

static enum fault policy_refuse(struct policy_reader *r, const char *pointer, const char *detail)
{
    *r->refusal = (struct spec_refusal){pointer, detail};
    return FAULT_MALFORMED;
}

/* The member of that type in *out, or NULL when absent. A null or another type is refused. */
static enum fault policy_member(struct policy_reader *r, struct json_object *parent, const char *name,
                                enum json_type type, const char *pointer, struct json_object **out)
{
    static const char *const RULES[] = {
        [json_type_boolean] = "must be a boolean", [json_type_object] = "must be an object",
        [json_type_array] = "must be an array",    [json_type_string] = "must be a string",
    };
    bool present = false;
    *out = jsonio_member(parent, name, &present);
    return !present || json_object_is_type(*out, type) ? FAULT_NONE : policy_refuse(r, pointer, RULES[type]);
}

/* The same of a member that must be there. */
static enum fault policy_required(struct policy_reader *r, struct json_object *parent, const char *name,
                                  enum json_type type, const char *pointer, struct json_object **out)
{
    enum fault fault = policy_member(r, parent, name, type, pointer, out);
    return fault == FAULT_NONE && *out == NULL ? policy_refuse(r, pointer, "is required") : fault;
}

/* The member `type` of the object `name`, which must be one of two words; *second tells which. */
static enum fault policy_choice(struct policy_reader *r, struct json_object *parent, const char *name,
                                const char *first, const char *second, struct json_object **object, bool *is_second)
{
    struct json_object *type = NULL;
    const char *pointer = arena_printf(r->arena, "/%s", name), *inner = arena_printf(r->arena, "/%s/type", name);
    enum fault fault = policy_required(r, parent, name, json_type_object, pointer, object);
    if (fault == FAULT_NONE)
        fault = policy_required(r, *object, "type", json_type_string, inner, &type);
    if (fault != FAULT_NONE)
        return fault;
    const char *word = json_object_get_string(type);
    *is_second = strcmp(word, second) == 0;
    if (!*is_second && strcmp(word, first) != 0)
        return policy_refuse(r, inner, arena_printf(r->arena, "must be %s or %s", first, second));
    return FAULT_NONE;
}

static bool policy_listed(const char *const *list, uint32_t count, const char *id)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i], id) == 0)
            return true;
    }
    return false;
}

static enum fault policy_order(struct policy_reader *r, struct json_object *merge, struct policy *out)
{
    struct json_object *order = NULL;
    enum fault fault = policy_required(r, merge, "order", json_type_array, "/attributeMerge/order", &order);
    if (fault != FAULT_NONE)
        return fault;
    size_t count = json_object_array_length(order);
    if (count < 1 || count > POLICY_DATASETS_MAX)
        return policy_refuse(r, "/attributeMerge/order", "must have 1 to 100 dataset ids");
    const char **ids = arena_alloc(r->arena, count * sizeof *ids);
    if (ids == NULL)
        return FAULT_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct json_object *id = json_object_array_get_idx(order, i);
        const char *text = json_object_is_type(id, json_type_string) ? json_object_get_string(id) : NULL;
        const char *rule = text == NULL                                      ? "must be a string"
                           : !ident_is_hex(text, IDENT_DATASET_DIGITS)       ? "must be the id of a dataset of this sandbox"
                           : policy_listed(ids, (uint32_t)i, text)           ? "comes twice"
                                                                             : NULL;
        if (rule != NULL)
            return policy_refuse(r, arena_printf(r->arena, "/attributeMerge/order/%zu", i), rule);
        ids[i] = arena_text(r->arena, text);
        if (ids[i] == NULL)
            return FAULT_MEMORY;
    }
    out->dataset = ids;
    out->datasets = (uint32_t)count;
    return FAULT_NONE;
}

/* The two members that say how to merge. */
static enum fault policy_rules(struct policy_reader *r, struct json_object *document, struct policy *out)
{
    struct json_object *graph = NULL, *merge = NULL;
    *out = (struct policy){0};
    enum fault fault = policy_choice(r, document, "identityGraph", POLICY_GRAPH_NONE, POLICY_GRAPH_PRIVATE, &graph,
                                     &out->graph);
    if (fault == FAULT_NONE)
        fault = policy_choice(r, document, "attributeMerge", POLICY_MERGE_TIME, POLICY_MERGE_PRECEDENCE, &merge,
                              &out->precedence);
    return fault == FAULT_NONE && out->precedence ? policy_order(r, merge, out) : fault;
}

enum fault policy_read(struct arena *a, const char *text, struct policy *out)
{
    struct spec_refusal refusal = {"", "is no object"};
    struct policy_reader r = {a, &refusal};
    struct jsonio_refusal broken;
    struct json_object *tree = NULL;
    *out = (struct policy){0};
    if (text == NULL)
        return FAULT_NONE;
    enum fault fault = jsonio_parse(a, text, strlen(text), JSCAN_REQUEST_LIMITS, &tree, &broken);
    if (fault == FAULT_NONE)
        fault = json_object_is_type(tree, json_type_object) ? policy_rules(&r, tree, out) : FAULT_MALFORMED;
    if (fault != FAULT_MALFORMED)
        return fault;
    log_event(LOG_ERROR, "policy", "pointer=\"%s\" rule=\"%s\"", refusal.pointer, refusal.detail);
    return FAULT_INTERNAL;
}

/* The ids with `quote` around each, separated by commas. */
static void policy_write_ids(struct str *out, const struct policy *policy, const char *quote)
{
    for (uint32_t i = 0; i < policy->datasets; i++)
        str_printf(out, "%s%s%s%s", i == 0 ? "" : ",", quote, policy->dataset[i], quote);
}

static enum fault policy_write(struct arena *a, const struct policy *policy, struct policy_request *out)
{
    struct str rules = STR_INIT(8192), array = STR_INIT(8192);
    str_printf(&rules, "{\"identityGraph\":{\"type\":\"%s\"},\"attributeMerge\":{\"type\":\"%s\"",
               policy->graph ? POLICY_GRAPH_PRIVATE : POLICY_GRAPH_NONE,
               policy->precedence ? POLICY_MERGE_PRECEDENCE : POLICY_MERGE_TIME);
    if (policy->precedence) {
        str_append_text(&rules, ",\"order\":[");
        policy_write_ids(&rules, policy, "\"");
        str_append_text(&rules, "]");
        str_append_text(&array, "{");
        policy_write_ids(&array, policy, "");
        str_append_text(&array, "}");
    }
    str_append_text(&rules, "}}");
    bool whole = !rules.overflow && !array.overflow;
    out->rules = whole ? arena_text(a, rules.data) : NULL;
    out->datasets = whole && policy->precedence ? arena_text(a, array.data) : NULL;
    str_free(&rules);
    str_free(&array);
    return whole && !arena_exhausted(a) ? FAULT_NONE : FAULT_MEMORY;
}

static enum fault policy_flag(struct policy_reader *r, struct json_object *document, const char *name,
                              const char *pointer, bool *out)
{
    struct json_object *value = NULL;
    enum fault fault = policy_member(r, document, name, json_type_boolean, pointer, &value);
    *out = fault == FAULT_NONE && value != NULL && json_object_get_boolean(value);
    return fault;
}

static enum fault policy_name(struct policy_reader *r, struct json_object *document, const char **out)
{
    struct json_object *value = NULL;
    size_t characters = 0;
    *out = NULL;
    enum fault fault = policy_member(r, document, "name", json_type_string, "/name", &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    for (const char *p = json_object_get_string(value); *p != '\0'; p++)
        characters += ((unsigned char)*p & 0xc0) != 0x80; /* every byte that does not continue one begins one */
    if (characters < 1 || characters > POLICY_NAME_MAX)
        return policy_refuse(r, "/name", "must have 1 to 255 characters");
    *out = arena_text(r->arena, json_object_get_string(value));
    return *out == NULL ? FAULT_MEMORY : FAULT_NONE;
}

static enum fault policy_class(struct policy_reader *r, struct json_object *document)
{
    struct json_object *schema = NULL, *name = NULL;
    enum fault fault = policy_required(r, document, "schema", json_type_object, "/schema", &schema);
    if (fault == FAULT_NONE)
        fault = policy_required(r, schema, "name", json_type_string, "/schema/name", &name);
    if (fault == FAULT_NONE && strcmp(json_object_get_string(name), POLICY_CLASS) != 0)
        return policy_refuse(r, "/schema/name", "must be " POLICY_CLASS);
    return fault;
}

enum fault policy_parse_document(struct arena *a, struct json_object *document, struct policy_request *out,
                                 struct spec_refusal *refusal)
{
    struct policy_reader r = {a, refusal};
    struct policy policy;
    *out = (struct policy_request){0};
    if (!json_object_is_type(document, json_type_object))
        return policy_refuse(&r, "", "must be an object");
    enum fault fault = policy_name(&r, document, &out->name);
    if (fault == FAULT_NONE)
        fault = policy_class(&r, document);
    if (fault == FAULT_NONE)
        fault = policy_rules(&r, document, &policy);
    if (fault == FAULT_NONE)
        fault = policy_flag(&r, document, "isActiveOnEdge", "/isActiveOnEdge", &out->active_on_edge);
    if (fault == FAULT_NONE)
        fault = policy_flag(&r, document, "default", "/default", &out->is_default);
    return fault == FAULT_NONE ? policy_write(a, &policy, out) : fault;
}

enum fault policy_parse_request(struct arena *a, const char *body, size_t length, struct policy_request *out,
                                struct spec_refusal *refusal)
{
    struct policy_reader r = {a, refusal};
    struct jsonio_refusal broken;
    struct json_object *tree = NULL;
    enum fault fault = jsonio_parse(a, body, length, JSCAN_REQUEST_LIMITS, &tree, &broken);
    if (fault == FAULT_MALFORMED)
        return policy_refuse(&r, "", arena_printf(a, "%s at byte %zu", broken.reason, broken.offset));
    return fault == FAULT_NONE ? policy_parse_document(a, tree, out, refusal) : fault;
}
