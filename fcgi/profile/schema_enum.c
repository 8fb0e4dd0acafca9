/*
 * schema_enum: the values that a definition lists. They are kept in an order of ours, to be found quickly.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/jscan_name.h"
#include "profile/schema_internal.h"

struct schema_number schema_number_at(const struct jscan *scan, uint32_t node)
{
    const struct jscan_node *n = &scan->node[node];
    return schema_number_read(scan->text + n->begin, n->end - n->begin);
}

bool schema_is_number(const struct jscan *scan, uint32_t node)
{
    return scan->node[node].type == JSCAN_INTEGER || scan->node[node].type == JSCAN_NUMBER;
}

/* 1 and 1.0 are one value: numbers are of one kind. */
static int enum_kind(unsigned type)
{
    return type == JSCAN_INTEGER ? JSCAN_NUMBER : (int)type;
}

/* By kind, numbers by size, strings by bytes. */
static int enum_order(const void *a, const void *b)
{
    const struct schema_value *x = a, *y = b;
    int kind = enum_kind(x->type), order = kind - enum_kind(y->type);
    if (order != 0 || (kind != JSCAN_NUMBER && kind != JSCAN_STRING))
        return order;
    if (kind == JSCAN_NUMBER)
        return schema_number_compare(&x->number, &y->number);
    order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static enum fault enum_read_value(struct schema_reader *r, uint32_t at, struct schema_value *out)
{
    const struct jscan *scan = &r->scan;
    out->type = (enum jscan_type)scan->node[at].type;
    if (out->type == JSCAN_ARRAY || out->type == JSCAN_OBJECT)
        return schema_malformed(r, at, "must be a string, a number, a boolean or null");
    if (out->type == JSCAN_STRING && (out->text = schema_text(r, at, &out->length)) == NULL)
        return FAULT_MEMORY;
    if (schema_is_number(scan, at))
        out->number = schema_number_at(scan, at);
    return FAULT_NONE;
}

enum fault schema_read_enum(struct schema_reader *r, struct schema_node *node)
{
    const struct jscan *scan = &r->scan;
    uint32_t list = jscan_member(scan, node->definition, "enum");
    if (list == 0)
        return FAULT_NONE;
    uint32_t count = scan->node[list].count;
    if (scan->node[list].type != JSCAN_ARRAY || count < 1 || count > SCHEMA_ENUM_MAX)
        return schema_malformed(r, list, "must be an array of 1 to 1000 values");
    r->values += count;
    if (r->values > SCHEMA_VALUES_MAX)
        return schema_malformed(r, list, "the enums of the schema have more than 10000 values");
    struct schema_value *values = arena_alloc(r->arena, count * sizeof *values);
    enum fault fault = values == NULL ? FAULT_MEMORY : FAULT_NONE;
    for (uint32_t at = list + 1; fault == FAULT_NONE && at < scan->node[list].next; at = scan->node[at].next)
        fault = enum_read_value(r, at, &values[node->values++]);
    if (fault != FAULT_NONE)
        return fault;
    qsort(values, count, sizeof *values, enum_order);
    node->value_of = values;
    return FAULT_NONE;
}

/* As enum_order(), of a value on a tape, whose number was read. */
static int enum_order_of(const struct jscan *scan, uint32_t node, const struct schema_number *number,
                         const struct schema_value *value)
{
    int kind = enum_kind(scan->node[node].type), order = kind - enum_kind(value->type);
    if (order != 0 || (kind != JSCAN_NUMBER && kind != JSCAN_STRING))
        return order;
    return kind == JSCAN_NUMBER ? schema_number_compare(number, &value->number)
                                : jscan_string_compare(scan, node, value->text, value->length);
}

bool schema_enum_has(const struct schema_node *s, const struct jscan *scan, uint32_t node)
{
    struct schema_number number = {0};
    uint32_t low = 0, high = s->values;
    if (schema_is_number(scan, node))
        number = schema_number_at(scan, node);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = enum_order_of(scan, node, &number, &s->value_of[middle]);
        if (order == 0)
            return true;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
