/*
 * observed_text: the stored text of an observed schema, written and read back. See observed.h.
 */
#include <stdlib.h>
#include <string.h>

#include "core/observed_internal.h"
#include "lib/log.h"

/* A record is at most 64 deep, and each of its levels is two in the text. */
#define TEXT_LIMITS ((struct jscan_limits){.depth = 256, .bytes = 64u * 1024u * 1024u})

static const char *const TYPE_NAMES[OBSERVED_TYPES] = {
    [OBSERVED_NULL] = "null",         [OBSERVED_BOOLEAN] = "boolean", [OBSERVED_INTEGER] = "integer",
    [OBSERVED_NUMBER] = "number",     [OBSERVED_DATETIME] = "datetime", [OBSERVED_STRING] = "string",
    [OBSERVED_OBJECT] = "object",     [OBSERVED_ARRAY] = "array",
};

/* What a node of the text holds; tape indices, 0: absent. */
struct text_node {
    uint32_t types;
    uint32_t members;
    uint32_t element;
    uint32_t value;
    bool open;
};

static void text_write_node(const struct observed *o, uint32_t at, struct str *out);

/* A member on its way into the order of names. */
struct text_member {
    const struct observed_node *node;
};

static int text_by_name(const void *a, const void *b)
{
    const struct observed_node *x = ((const struct text_member *)a)->node, *y = ((const struct text_member *)b)->node;
    uint32_t shorter = x->name_length < y->name_length ? x->name_length : y->name_length;
    int order = memcmp(x->name, y->name, shorter);
    return order != 0 ? order : (x->name_length > y->name_length) - (x->name_length < y->name_length);
}

static void text_write_members(const struct observed *o, uint32_t at, struct str *out)
{
    struct text_member sorted[OBSERVED_MEMBERS_MAX] = {{NULL}};
    size_t count = 0;
    for (uint32_t member = o->node[at].member; member != 0; member = o->node[member].next)
        sorted[count++].node = &o->node[member];
    qsort(sorted, count, sizeof *sorted, text_by_name);
    for (size_t i = 0; i < count; i++) {
        str_append_text(out, i == 0 ? ",\"m\":{" : ",");
        str_append_json(out, sorted[i].node->name, sorted[i].node->name_length);
        str_append_char(out, ':');
        text_write_node(o, (uint32_t)(sorted[i].node - o->node), out);
    }
    if (count > 0)
        str_append_char(out, '}');
}

static void text_write_types(const struct observed_node *node, struct str *out)
{
    bool first = true;
    str_append_text(out, "{\"t\":{");
    for (int type = 0; type < OBSERVED_TYPES; type++) {
        if (node->count[type] == 0)
            continue;
        str_append_text(out, first ? "\"" : ",\"");
        str_append_text(out, TYPE_NAMES[type]);
        str_append_text(out, "\":");
        str_append_int(out, (int64_t)node->count[type]);
        first = false;
    }
    str_append_char(out, '}');
}

static void text_write_node(const struct observed *o, uint32_t at, struct str *out)
{
    const struct observed_node *node = &o->node[at];
    text_write_types(node, out);
    text_write_members(o, at, out);
    if (node->element != 0) {
        str_append_text(out, ",\"i\":");
        text_write_node(o, node->element, out);
    }
    if (node->value != 0) {
        str_append_text(out, ",\"v\":");
        text_write_node(o, node->value, out);
    }
    str_append_text(out, node->open ? ",\"o\":true}" : "}");
}

void observed_write(const struct observed *o, struct str *out)
{
    text_write_node(o, 0, out);
}

/* Where a member of a node of the text goes; NULL: it has no business there. */
static uint32_t *text_slot(struct text_node *node, const struct jscan *scan, uint32_t name)
{
    struct text_place {
        const char *name;
        uint32_t *slot;
    } place[] = {{"t", &node->types}, {"m", &node->members}, {"i", &node->element}, {"v", &node->value}};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++)
        if (jscan_string_equals(scan, name, place[i].name, 1))
            return place[i].slot;
    return NULL;
}

/* Sorts out the members of a node of the text. False: it is none. */
static bool text_read_node(const struct jscan *scan, uint32_t object, struct text_node *out)
{
    *out = (struct text_node){.open = false};
    if (scan->node[object].type != JSCAN_OBJECT)
        return false;
    for (uint32_t name = object + 1; name < scan->node[object].next; name = scan->node[name + 1].next) {
        uint8_t type = scan->node[name + 1].type;
        uint32_t *slot = type == JSCAN_OBJECT ? text_slot(out, scan, name) : NULL;
        if (slot != NULL)
            *slot = name + 1;
        else if (type == JSCAN_TRUE && jscan_string_equals(scan, name, "o", 1))
            out->open = true;
        else
            return false;
    }
    return out->types != 0 && !(out->open && (out->members != 0 || out->element != 0 || out->value != 0));
}

static bool text_merge_types(struct observed_node *node, const struct jscan *scan, uint32_t types)
{
    for (uint32_t name = types + 1; name < scan->node[types].next; name = scan->node[name + 1].next) {
        int type = 0;
        while (type < OBSERVED_TYPES && !jscan_string_equals(scan, name, TYPE_NAMES[type], strlen(TYPE_NAMES[type])))
            type++;
        if (type == OBSERVED_TYPES || scan->node[name + 1].type != JSCAN_INTEGER)
            return false;
        int64_t count = jscan_integer(scan, name + 1);
        if (count <= 0)
            return false;
        observed_count(node, (enum observed_type)type, (uint64_t)count);
    }
    return true;
}

static bool text_merge_node(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t object);

static bool text_merge_members(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t members)
{
    char plain[6 * OBSERVED_NAME_MAX];
    for (uint32_t name = members + 1; name < scan->node[members].next; name = scan->node[name + 1].next) {
        if (scan->node[name].end - scan->node[name].begin > sizeof plain)
            return false;
        size_t length = jscan_string_copy(scan, name, plain);
        if (length > OBSERVED_NAME_MAX)
            return false;
        uint32_t member = observed_member(o, at, plain, length);
        if (member == 0)
            return true; /* open by now, or no memory */
        if (!text_merge_node(o, member, scan, name + 1))
            return false;
    }
    return true;
}

/* Adds a node of the text to `at`. False: the text is not of its form. */
static bool text_merge_node(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t object)
{
    struct text_node text;
    if (!text_read_node(scan, object, &text) || !text_merge_types(&o->node[at], scan, text.types))
        return false;
    if (text.open)
        observed_open(o, at);
    if (o->node[at].open)
        return true;
    if (observed_is_map(o, at) ? text.members != 0 : text.value != 0)
        return false;
    if (text.members != 0 && !text_merge_members(o, at, scan, text.members))
        return false;
    uint32_t below = text.element != 0 && !o->node[at].open ? observed_element(o, at) : 0;
    if (below != 0 && !text_merge_node(o, below, scan, text.element))
        return false;
    below = text.value != 0 && !o->node[at].open ? observed_value(o, at) : 0;
    return below == 0 || text_merge_node(o, below, scan, text.value);
}

enum fault observed_merge_text(struct observed *o, const char *text, size_t length)
{
    struct jscan scan = JSCAN_INIT;
    enum jscan_fault read = jscan_document(&scan, text, length, TEXT_LIMITS);
    bool good = read == JSCAN_OK && text_merge_node(o, 0, &scan, 0);
    jscan_free(&scan);
    if (o->private->exhausted || read == JSCAN_MEMORY)
        return FAULT_MEMORY;
    if (!good)
        log_event(LOG_ERROR, "observed_text", "reason=\"%s\" length=%zu",
                  read == JSCAN_OK ? "not a schema" : jscan_reason(read), length);
    return good ? FAULT_NONE : FAULT_INTERNAL;
}
