/*
 * observed_show: an observed schema as JSON Schema. See observed_show.h.
 *
 * The recursion follows the observed schema, which is as deep as a record may be.
 */
#include "core/observed_show.h"

#include "core/observed.h"
#include "lib/jsonio.h"

#define BIT(type) (1u << (type))

struct show {
    const struct observed *observed;
    bool counts;
};

static struct json_object *show_node(const struct show *s, uint32_t at);

/* The types that were seen, nulls apart. */
static unsigned show_types(const struct observed_node *node)
{
    unsigned types = 0;
    for (unsigned type = OBSERVED_NULL + 1; type < OBSERVED_TYPES; type++)
        if (node->count[type] > 0)
            types |= BIT(type);
    return types;
}

static void show_name(struct json_object *out, const char *type, const char *xdm_type)
{
    jsonio_add_text(out, "type", type);
    jsonio_add_text(out, "meta:xdmType", xdm_type);
}

static void show_object(const struct show *s, const struct observed_node *node, struct json_object *out)
{
    show_name(out, "object", node->value != 0 ? "map" : "object");
    if (node->value != 0) {
        json_object_object_add(out, "additionalProperties", show_node(s, node->value));
        return;
    }
    if (node->open) {
        json_object_object_add(out, "additionalProperties", json_object_new_boolean(1));
        return;
    }
    struct json_object *properties = json_object_new_object();
    for (uint32_t member = node->member; member != 0; member = s->observed->node[member].next)
        json_object_object_add(properties, s->observed->node[member].name, show_node(s, member));
    json_object_object_add(out, "properties", properties);
}

static void show_array(const struct show *s, const struct observed_node *node, struct json_object *out)
{
    show_name(out, "array", "array");
    if (node->element != 0)
        json_object_object_add(out, "items", show_node(s, node->element));
}

static void show_kind(const struct show *s, const struct observed_node *node, struct json_object *out)
{
    switch (show_types(node)) {
    case 0:
        if (node->count[OBSERVED_NULL] > 0)
            show_name(out, "null", "null");
        return;
    case BIT(OBSERVED_BOOLEAN):
        show_name(out, "boolean", "boolean");
        return;
    case BIT(OBSERVED_INTEGER):
        show_name(out, "integer", "long");
        return;
    case BIT(OBSERVED_NUMBER):
    case BIT(OBSERVED_NUMBER) | BIT(OBSERVED_INTEGER):
        show_name(out, "number", "double");
        return;
    case BIT(OBSERVED_DATETIME):
        show_name(out, "string", "date-time");
        jsonio_add_text(out, "format", "date-time");
        return;
    case BIT(OBSERVED_STRING):
    case BIT(OBSERVED_STRING) | BIT(OBSERVED_DATETIME):
        show_name(out, "string", "string");
        return;
    case BIT(OBSERVED_OBJECT):
        show_object(s, node, out);
        return;
    case BIT(OBSERVED_ARRAY):
        show_array(s, node, out);
        return;
    default:
        show_name(out, "string", "mixed");
    }
}

static int64_t show_count(const struct observed_node *node)
{
    uint64_t all = 0;
    for (unsigned type = 0; type < OBSERVED_TYPES; type++)
        all += node->count[type];
    return (int64_t)all; /* eight counts below 2^53 */
}

static struct json_object *show_node(const struct show *s, uint32_t at)
{
    const struct observed_node *node = &s->observed->node[at];
    struct json_object *out = json_object_new_object();
    int64_t count = show_count(node);
    show_kind(s, node, out);
    if (s->counts && count > 0)
        jsonio_add_int(out, "meta:count", count);
    return out;
}

enum fault observed_show(const char *text, size_t length, bool counts, struct json_object **out)
{
    struct observed *observed = observed_new();
    if (observed == NULL)
        return FAULT_MEMORY;
    enum fault fault = observed_merge_text(observed, text, length);
    if (fault == FAULT_NONE) {
        *out = show_node(&(struct show){observed, counts}, 0);
        fault = *out == NULL ? FAULT_MEMORY : FAULT_NONE;
    }
    observed_free(observed);
    return fault;
}
