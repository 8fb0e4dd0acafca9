/*
 * parquet_schema: levels, columns and the schema's own form. See parquet_schema.h.
 */
#include "export/parquet_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/invariant.h"
#include "lib/log.h"

#define DEPTH_MOST 80u /* of rows: PROJECTION_MAX_DEPTH and some */

/* Field ids of struct SchemaElement, and values of its enums. */
enum { FIELD_TYPE = 1, FIELD_REPETITION = 3, FIELD_NAME = 4, FIELD_CHILDREN = 5, FIELD_CONVERTED = 6, FIELD_LOGICAL = 10 };
enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };
enum { CONVERTED_UTF8 = 0, CONVERTED_MAP = 1, CONVERTED_LIST = 3, CONVERTED_TIMESTAMP_MILLIS = 9, CONVERTED_JSON = 19 };
enum { LOGICAL_STRING = 1, LOGICAL_MAP = 2, LOGICAL_LIST = 3, LOGICAL_TIMESTAMP = 8, LOGICAL_JSON = 12 };

static bool is_scalar(enum rowschema_kind kind)
{
    return kind != ROWSCHEMA_GROUP && kind != ROWSCHEMA_LIST && kind != ROWSCHEMA_MAP;
}

static enum parquet_type type_of(enum rowschema_kind kind)
{
    switch (kind) {
    case ROWSCHEMA_BOOLEAN:
        return PARQUET_BOOLEAN;
    case ROWSCHEMA_INTEGER:
    case ROWSCHEMA_MOMENT:
        return PARQUET_INT64;
    case ROWSCHEMA_NUMBER:
        return PARQUET_DOUBLE;
    default:
        return PARQUET_BYTES;
    }
}

/* A column for the node; its levels are those of a map's keys or of the scalar itself. */
static bool add_column(struct parquet_schema *schema, uint32_t at)
{
    const struct rowschema_node *row = &schema->rows->node[at];
    struct parquet_node *node = &schema->node[at];
    bool key = row->kind == ROWSCHEMA_MAP;
    if (schema->columns == schema->rows->leaves)
        return false;
    node->column = schema->columns++;
    schema->owner[node->column] = at;
    parquet_column_init(&schema->column[node->column], key ? PARQUET_BYTES : type_of(row->kind),
                        (uint8_t)(node->definition + (key ? 1 : 0)), node->repetition, row->kind != ROWSCHEMA_JSON);
    return true;
}

/* Gives the node and all below it their levels and columns. */
static bool place(struct parquet_schema *schema, uint32_t at, uint32_t depth)
{
    const struct rowschema_node *row = &schema->rows->node[at];
    struct parquet_node *node = &schema->node[at];
    bool repeated = row->kind == ROWSCHEMA_LIST || row->kind == ROWSCHEMA_MAP;
    if (depth > DEPTH_MOST || (repeated && row->children != 1) || (is_scalar(row->kind) && row->children != 0) ||
        (row->kind == ROWSCHEMA_GROUP && at != 0 && row->children == 0) ||
        row->child > schema->rows->count || row->children > schema->rows->count - row->child)
        return false;
    node->repetition = (uint8_t)(node->repetition + (repeated ? 1 : 0));
    if ((is_scalar(row->kind) || row->kind == ROWSCHEMA_MAP) && !add_column(schema, at))
        return false;
    for (uint32_t child = row->child; child < row->child + row->children; child++) {
        if (child <= at)
            return false;
        schema->node[child].parent = at;
        schema->node[child].definition = (uint8_t)(node->definition + (repeated ? 2 : 1));
        schema->node[child].repetition = node->repetition;
        if (!place(schema, child, depth + 1))
            return false;
    }
    return true;
}

enum fault parquet_schema_open(struct parquet_schema *schema, const struct rowschema *rows)
{
    *schema = (struct parquet_schema){.rows = rows};
    schema->node = calloc(rows->count, sizeof *schema->node);
    schema->column = calloc(rows->leaves + 1, sizeof *schema->column);
    schema->owner = calloc(rows->leaves + 1, sizeof *schema->owner);
    if (schema->node == NULL || schema->column == NULL || schema->owner == NULL)
        return FAULT_MEMORY;
    if (rows->count > 0 && rows->node[0].kind == ROWSCHEMA_GROUP && place(schema, 0, 1) &&
        schema->columns == rows->leaves)
        return FAULT_NONE;
    log_event(LOG_ERROR, "parquet_schema", "nodes=%u leaves=%u columns=%u", rows->count, rows->leaves,
              schema->columns);
    return FAULT_INTERNAL;
}

void parquet_schema_close(struct parquet_schema *schema, struct parquet_pages *pages)
{
    for (uint32_t i = 0; i < schema->columns; i++)
        parquet_column_free(&schema->column[i], pages);
    free(schema->node);
    free(schema->column);
    free(schema->owner);
    *schema = (struct parquet_schema){0};
}

static void write_group(struct parquet_thrift *thrift, int repetition, const char *name, size_t length,
                        uint32_t children)
{
    parquet_thrift_begin(thrift);
    parquet_thrift_i32(thrift, FIELD_REPETITION, repetition);
    parquet_thrift_binary(thrift, FIELD_NAME, name, length);
    parquet_thrift_i32(thrift, FIELD_CHILDREN, (int32_t)children);
}

static void write_logical(struct parquet_thrift *thrift, int converted, int logical)
{
    parquet_thrift_i32(thrift, FIELD_CONVERTED, converted);
    parquet_thrift_begin_field(thrift, FIELD_LOGICAL);
    parquet_thrift_empty(thrift, logical);
    parquet_thrift_end(thrift);
}

/* A moment is a count of milliseconds in UTC. */
static void write_timestamp(struct parquet_thrift *thrift)
{
    parquet_thrift_i32(thrift, FIELD_CONVERTED, CONVERTED_TIMESTAMP_MILLIS);
    parquet_thrift_begin_field(thrift, FIELD_LOGICAL);
    parquet_thrift_begin_field(thrift, LOGICAL_TIMESTAMP);
    parquet_thrift_bool(thrift, 1, true);
    parquet_thrift_begin_field(thrift, 2);
    parquet_thrift_empty(thrift, 1);
    parquet_thrift_end(thrift);
    parquet_thrift_end(thrift);
    parquet_thrift_end(thrift);
}

static void write_leaf(struct parquet_thrift *thrift, enum rowschema_kind kind, int repetition, const char *name,
                       size_t length)
{
    parquet_thrift_begin(thrift);
    parquet_thrift_i32(thrift, FIELD_TYPE, (int32_t)type_of(kind));
    parquet_thrift_i32(thrift, FIELD_REPETITION, repetition);
    parquet_thrift_binary(thrift, FIELD_NAME, name, length);
    if (kind == ROWSCHEMA_STRING)
        write_logical(thrift, CONVERTED_UTF8, LOGICAL_STRING);
    else if (kind == ROWSCHEMA_JSON)
        write_logical(thrift, CONVERTED_JSON, LOGICAL_JSON);
    else if (kind == ROWSCHEMA_MOMENT)
        write_timestamp(thrift);
    parquet_thrift_end(thrift);
}

static void write_node(const struct parquet_schema *schema, uint32_t at, const char *name, size_t length,
                       struct parquet_thrift *thrift)
{
    const struct rowschema_node *row = &schema->rows->node[at];
    if (is_scalar(row->kind)) {
        write_leaf(thrift, row->kind, OPTIONAL, name, length);
        return;
    }
    if (row->kind == ROWSCHEMA_GROUP) {
        write_group(thrift, OPTIONAL, name, length, row->children);
        parquet_thrift_end(thrift);
        for (uint32_t child = row->child; child < row->child + row->children; child++)
            write_node(schema, child, schema->rows->node[child].name, schema->rows->node[child].name_length, thrift);
        return;
    }
    bool map = row->kind == ROWSCHEMA_MAP;
    write_group(thrift, OPTIONAL, name, length, 1);
    write_logical(thrift, map ? CONVERTED_MAP : CONVERTED_LIST, map ? LOGICAL_MAP : LOGICAL_LIST);
    parquet_thrift_end(thrift);
    write_group(thrift, REPEATED, map ? "key_value" : "list", map ? 9 : 4, map ? 2 : 1);
    parquet_thrift_end(thrift);
    if (map)
        write_leaf(thrift, ROWSCHEMA_STRING, REQUIRED, "key", 3);
    write_node(schema, row->child, map ? "value" : "element", map ? 5 : 7, thrift);
}

/* How many elements the list of the schema has: one a node, one more a list, two more a map. */
static uint32_t count_elements(const struct rowschema *rows)
{
    uint32_t count = rows->count;
    for (uint32_t i = 0; i < rows->count; i++)
        count += rows->node[i].kind == ROWSCHEMA_LIST ? 1 : rows->node[i].kind == ROWSCHEMA_MAP ? 2 : 0;
    return count;
}

void parquet_schema_write(const struct parquet_schema *schema, struct parquet_thrift *thrift, int id)
{
    const struct rowschema_node *root = &schema->rows->node[0];
    parquet_thrift_list(thrift, id, PARQUET_THRIFT_STRUCT, count_elements(schema->rows));
    parquet_thrift_begin(thrift);
    parquet_thrift_binary(thrift, FIELD_NAME, "profile", 7);
    parquet_thrift_i32(thrift, FIELD_CHILDREN, (int32_t)root->children);
    parquet_thrift_end(thrift);
    for (uint32_t child = root->child; child < root->child + root->children; child++)
        write_node(schema, child, schema->rows->node[child].name, schema->rows->node[child].name_length, thrift);
}

/* Names on the way from the root to a node; with `thrift` they are also written. */
static uint32_t walk_path(const struct parquet_schema *schema, uint32_t at, struct parquet_thrift *thrift)
{
    const struct rowschema_node *row = &schema->rows->node[at];
    if (at == 0)
        return 0;
    uint32_t parent = schema->node[at].parent;
    enum rowschema_kind above = schema->rows->node[parent].kind;
    uint32_t names = walk_path(schema, parent, thrift) + (above == ROWSCHEMA_GROUP ? 1 : 2);
    if (thrift == NULL)
        return names;
    if (above == ROWSCHEMA_LIST) {
        parquet_thrift_element_binary(thrift, "list", 4);
        parquet_thrift_element_binary(thrift, "element", 7);
    } else if (above == ROWSCHEMA_MAP) {
        parquet_thrift_element_binary(thrift, "key_value", 9);
        parquet_thrift_element_binary(thrift, "value", 5);
    } else {
        parquet_thrift_element_binary(thrift, row->name, row->name_length);
    }
    return names;
}

void parquet_schema_write_path(const struct parquet_schema *schema, uint32_t column, struct parquet_thrift *thrift,
                               int id)
{
    uint32_t owner = schema->owner[column];
    bool key = schema->rows->node[owner].kind == ROWSCHEMA_MAP;
    parquet_thrift_list(thrift, id, PARQUET_THRIFT_BINARY, walk_path(schema, owner, NULL) + (key ? 2 : 0));
    (void)walk_path(schema, owner, thrift);
    if (key) {
        parquet_thrift_element_binary(thrift, "key_value", 9);
        parquet_thrift_element_binary(thrift, "key", 3);
    }
}

void parquet_schema_name(const struct parquet_schema *schema, uint32_t node, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    if (node == 0)
        return;
    uint32_t parent = schema->node[node].parent;
    bool member = schema->rows->node[parent].kind == ROWSCHEMA_GROUP;
    parquet_schema_name(schema, parent, out, size);
    length = strlen(out);
    (void)snprintf(out + length, size - length, "%s%s", member && parent != 0 ? "." : "",
                   member ? schema->rows->node[node].name : "[]");
}
