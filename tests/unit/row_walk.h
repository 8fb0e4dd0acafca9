/*
 * row_walk: schemas made in a test from texts; whether one is well made, and whether a row fits it, value by value.
 *
 * Included by the tests of rowschema.
 */
#ifndef CONSIGN_TESTS_ROW_WALK_H
#define CONSIGN_TESTS_ROW_WALK_H

#include <stdbool.h>
#include <string.h>

#include "core/observed.h"
#include "export/rowschema.h"

static bool walk_value(const struct rowschema *schema, uint32_t at, const struct jscan *scan, uint32_t value);

/* Every member has a column; of a row whose document is kept whole it need not. */
static bool walk_members(const struct rowschema *schema, uint32_t group, const struct jscan *scan, uint32_t object)
{
    uint32_t name = object + 1;
    uint32_t expected = schema->node[group].child;
    for (uint32_t i = 0; i < scan->node[object].count; i++) {
        uint32_t member = rowschema_member(schema, group, scan, name, expected);
        bool loose = group == 0 && schema->document != 0;
        if (member == 0 && !loose)
            return false;
        if (member != 0 && !walk_value(schema, member, scan, name + 1))
            return false;
        if (member != 0 && rowschema_member(schema, group, scan, name, 0) != member)
            return false;
        expected = member + 1;
        name = scan->node[name + 1].next;
    }
    return true;
}

/* All elements of an array, or all values of an object, fit node `at`. */
static bool walk_all(const struct rowschema *schema, uint32_t at, const struct jscan *scan, uint32_t container)
{
    bool object = scan->node[container].type == JSCAN_OBJECT;
    uint32_t value = container + 1;
    for (uint32_t i = 0; i < scan->node[container].count; i++) {
        if (!walk_value(schema, at, scan, object ? value + 1 : value))
            return false;
        value = scan->node[object ? value + 1 : value].next;
    }
    return true;
}

static bool walk_value(const struct rowschema *schema, uint32_t at, const struct jscan *scan, uint32_t value)
{
    uint8_t type = scan->node[value].type;
    if (type == JSCAN_NULL)
        return true;
    switch (schema->node[at].kind) {
    case ROWSCHEMA_BOOLEAN:
        return type == JSCAN_TRUE || type == JSCAN_FALSE;
    case ROWSCHEMA_INTEGER:
        return type == JSCAN_INTEGER;
    case ROWSCHEMA_NUMBER:
        return type == JSCAN_INTEGER || type == JSCAN_NUMBER;
    case ROWSCHEMA_MOMENT:
        return type == JSCAN_STRING && observed_datetime(scan, value, NULL);
    case ROWSCHEMA_STRING:
        return type == JSCAN_STRING;
    case ROWSCHEMA_JSON:
        return true;
    case ROWSCHEMA_GROUP:
        return type == JSCAN_OBJECT && walk_members(schema, at, scan, value);
    case ROWSCHEMA_LIST:
        return type == JSCAN_ARRAY && walk_all(schema, schema->node[at].child, scan, value);
    case ROWSCHEMA_MAP:
        return type == JSCAN_OBJECT && walk_all(schema, schema->node[at].child, scan, value);
    }
    return false;
}

/* Whether the text of a row's profile, an object, fits. */
static bool walk_profile(const struct rowschema *schema, const char *text)
{
    struct jscan scan = JSCAN_INIT;
    bool fits =
        jscan_document(&scan, text, strlen(text), PROJECTION_LIMITS) == JSCAN_OK && walk_members(schema, 0, &scan, 0);
    jscan_free(&scan);
    return fits;
}

/* Whether the text of an event fits the elements of eventList, the last column of the row. */
static bool walk_event(const struct rowschema *schema, const char *text)
{
    struct jscan scan = JSCAN_INIT;
    uint32_t list = schema->node[0].child + schema->node[0].children - 1;
    bool fits = jscan_document(&scan, text, strlen(text), PROJECTION_LIMITS) == JSCAN_OK &&
                strcmp(schema->node[list].name, "eventList") == 0 && schema->node[list].kind == ROWSCHEMA_LIST &&
                walk_value(schema, schema->node[list].child, &scan, 0);
    jscan_free(&scan);
    return fits;
}

static bool walk_order(const struct rowschema *schema, uint32_t at)
{
    const struct rowschema_node *group = &schema->node[at];
    for (uint32_t i = 1; i < group->children; i++) {
        const char *before = schema->node[group->child + i - 1].name;
        const char *name = schema->node[group->child + i].name;
        bool last = at == 0 && i == group->children - 1 && strcmp(name, "eventList") == 0;
        if (strcmp(before, name) >= 0 && !last)
            return false;
    }
    return true;
}

/* Whether the schema keeps its own promises: children behind their parents, no empty group, list or map, members in
 * order, leaves as many as it says and within the bound. */
static bool walk_schema(const struct rowschema *schema)
{
    uint32_t leaves = 0;
    uint32_t children = 1;
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct rowschema_node *node = &schema->node[i];
        bool scalar = node->kind < ROWSCHEMA_GROUP;
        leaves += scalar || node->kind == ROWSCHEMA_MAP;
        if (scalar != (node->children == 0) && i != 0)
            return false;
        if ((node->kind == ROWSCHEMA_LIST || node->kind == ROWSCHEMA_MAP) && node->children != 1)
            return false;
        if (node->children > 0 && (node->child != children || !walk_order(schema, i)))
            return false;
        children += node->children;
        if (strlen(node->name) != node->name_length)
            return false;
    }
    return children == schema->count && leaves == schema->leaves && leaves <= ROWSCHEMA_LEAVES_MAX;
}

static void observe(struct observed *observed, const char *text)
{
    struct jscan scan = JSCAN_INIT;
    assert_int_equal(jscan_document(&scan, text, strlen(text), PROJECTION_LIMITS), JSCAN_OK);
    assert_true(observed_add(observed, &scan));
    jscan_free(&scan);
}

static inline struct observed *observe_all(const char *const *text, size_t count)
{
    struct observed *observed = observed_new();
    assert_non_null(observed);
    for (size_t i = 0; i < count; i++)
        observe(observed, text[i]);
    return observed;
}

static void compile(struct projection *projection, const char *fields)
{
    struct projection_error error;
    assert_int_equal(projection_compile(projection, fields, strlen(fields), &error), FAULT_NONE);
}

static void build(struct rowschema *schema, const struct observed *profile, const struct observed *event,
                  const char *fields, const char *event_fields)
{
    struct projection projection;
    struct projection event_projection;
    compile(&projection, fields);
    compile(&event_projection, event_fields);
    struct rowschema_order order = {profile, event, &projection, &event_projection, 0};
    assert_int_equal(rowschema_build(schema, &order), FAULT_NONE);
    if (!walk_schema(schema)) {
        struct str out = STR_INIT(1 << 20);
        rowschema_write(schema, &out);
        fail_msg("fields %s event fields %s: %s", fields, event_fields, out.data);
    }
    projection_free(&projection);
    projection_free(&event_projection);
}

#endif
