/*
 * schema_keywords: what a definition says about one value: its types and bounds, and its enum by schema_enum.
 */
#include <string.h>

#include "profile/schema_internal.h"

#define SCHEMA_WELL_KNOWN "https://ns.adobe.com/xdm/"

struct schema_name {
    const char *name;
    uint16_t type;
    uint8_t bits; /* of integers */
};

/* JSON Schema's own */
static const struct schema_name TYPES[] = {
    {"string", SCHEMA_STRING, 0},   {"integer", SCHEMA_INTEGER, 64}, {"number", SCHEMA_NUMBER, 0},
    {"boolean", SCHEMA_BOOLEAN, 0}, {"object", SCHEMA_OBJECT, 0},    {"array", SCHEMA_ARRAY, 0},
    {"null", SCHEMA_NULL, 0},       {NULL, 0, 0}};

/* meta:xdmType */
static const struct schema_name XDM_TYPES[] = {
    {"string", SCHEMA_STRING, 0},     {"integer", SCHEMA_INTEGER, 64},     {"long", SCHEMA_INTEGER, 64},
    {"int", SCHEMA_INTEGER, 32},      {"short", SCHEMA_INTEGER, 16},       {"byte", SCHEMA_INTEGER, 8},
    {"number", SCHEMA_NUMBER, 0},     {"double", SCHEMA_NUMBER, 0},        {"boolean", SCHEMA_BOOLEAN, 0},
    {"date", SCHEMA_DATE, 0},         {"date-time", SCHEMA_DATETIME, 0},   {"object", SCHEMA_OBJECT, 0},
    {"array", SCHEMA_ARRAY, 0},       {"map", SCHEMA_OBJECT, 0},           {NULL, 0, 0}};

/* Adds the type that a string node names; false: it names none. */
static bool schema_add_type(const struct jscan *scan, uint32_t string, const struct schema_name *names,
                            struct schema_node *node)
{
    for (; names->name != NULL; names++) {
        if (!jscan_string_equals(scan, string, names->name, strlen(names->name)))
            continue;
        node->types |= names->type;
        if (names->bits != 0)
            node->integer_bits = names->bits;
        return true;
    }
    return false;
}

static enum fault schema_read_type(struct schema_reader *r, struct schema_node *node, uint32_t type)
{
    static const char RULE[] = "must be one of string, integer, number, boolean, object, array, null, or a list of these";
    const struct jscan *scan = &r->scan;
    if (scan->node[type].type != JSCAN_ARRAY)
        return schema_add_type(scan, type, TYPES, node) ? FAULT_NONE : schema_malformed(r, type, RULE);
    for (uint32_t one = type + 1; one < scan->node[type].next; one = scan->node[one].next) {
        if (!schema_add_type(scan, one, TYPES, node))
            return schema_malformed(r, one, RULE);
    }
    return scan->node[type].count > 0 ? FAULT_NONE : schema_malformed(r, type, RULE);
}

/* format of strings: of those that are known, the type that it makes of "string". */
static enum fault schema_read_format(struct schema_reader *r, struct schema_node *node, uint32_t format)
{
    const struct jscan *scan = &r->scan;
    uint32_t made = 0;
    if (scan->node[format].type != JSCAN_STRING)
        return schema_malformed(r, format, "must be a string");
    if (jscan_string_equals(scan, format, "date", 4))
        made = SCHEMA_DATE;
    if (jscan_string_equals(scan, format, "date-time", 9))
        made = SCHEMA_DATETIME;
    if (made != 0 && (node->types & SCHEMA_STRING) != 0)
        node->types = (node->types & ~(uint32_t)SCHEMA_STRING) | made;
    return FAULT_NONE;
}

static enum fault schema_read_types(struct schema_reader *r, struct schema_node *node)
{
    const struct jscan *scan = &r->scan;
    uint32_t type = jscan_member(scan, node->definition, "type");
    uint32_t format = jscan_member(scan, node->definition, "format");
    uint32_t xdm = jscan_member(scan, node->definition, "meta:xdmType");
    enum fault fault = type == 0 ? FAULT_NONE : schema_read_type(r, node, type);
    if (fault == FAULT_NONE && format != 0)
        fault = schema_read_format(r, node, format);
    if (fault != FAULT_NONE || xdm == 0)
        return fault;
    node->types &= SCHEMA_NULL;
    if (!schema_add_type(scan, xdm, XDM_TYPES, node))
        return schema_malformed(r, xdm, "must be one of string, integer, long, short, byte, int, number, double, boolean, "
                                        "date, date-time, object, array, map");
    return FAULT_NONE;
}

static enum fault schema_read_number(struct schema_reader *r, const struct schema_node *node, const char *keyword,
                                     struct schema_number *out)
{
    uint32_t at = jscan_member(&r->scan, node->definition, keyword);
    if (at == 0)
        return FAULT_NONE;
    if (!schema_is_number(&r->scan, at))
        return schema_malformed(r, at, "must be a number");
    *out = schema_number_at(&r->scan, at);
    return FAULT_NONE;
}

static enum fault schema_read_length(struct schema_reader *r, const struct schema_node *node, const char *keyword,
                                     uint32_t *out)
{
    uint32_t at = jscan_member(&r->scan, node->definition, keyword);
    if (at == 0)
        return FAULT_NONE;
    int64_t n = r->scan.node[at].type == JSCAN_INTEGER ? jscan_integer(&r->scan, at) : -1;
    if (n < 0)
        return schema_malformed(r, at, "must be an integer of at least 0");
    *out = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    return FAULT_NONE;
}

/* A reference that is not there to be read must not seem to rule something. */
static enum fault schema_read_reference(struct schema_reader *r, const struct schema_node *node)
{
    const struct jscan *scan = &r->scan;
    uint32_t ref = jscan_member(scan, node->definition, "$ref");
    const struct jscan_node *at = &scan->node[ref];
    if (ref == 0 || (at->type == JSCAN_STRING && at->end - at->begin >= sizeof SCHEMA_WELL_KNOWN - 1 &&
                     memcmp(scan->text + at->begin, SCHEMA_WELL_KNOWN, sizeof SCHEMA_WELL_KNOWN - 1) == 0))
        return FAULT_NONE;
    return schema_malformed(r, ref, "must be an id below " SCHEMA_WELL_KNOWN ": others are not resolved");
}

enum fault schema_read_keywords(struct schema_reader *r, struct schema_node *node)
{
    enum fault fault = schema_read_types(r, node);
    if (node == r->schema->node) { /* of the document itself no more is read */
        if (fault == FAULT_NONE && node->types != 0 && (node->types & SCHEMA_OBJECT) == 0)
            fault = schema_malformed(r, jscan_member(&r->scan, 0, "type"), "must be object");
        return fault;
    }
    if (fault == FAULT_NONE)
        fault = schema_read_reference(r, node);
    if (fault == FAULT_NONE)
        fault = schema_read_number(r, node, "minimum", &node->minimum);
    if (fault == FAULT_NONE)
        fault = schema_read_number(r, node, "maximum", &node->maximum);
    if (fault == FAULT_NONE)
        fault = schema_read_length(r, node, "minLength", &node->min_length);
    if (fault == FAULT_NONE)
        fault = schema_read_length(r, node, "maxLength", &node->max_length);
    return fault == FAULT_NONE ? schema_read_enum(r, node) : fault;
}
