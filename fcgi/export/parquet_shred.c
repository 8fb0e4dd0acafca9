/*
 * parquet_shred: a walk along tape and schema. See parquet_shred.h.
 *
 * Levels: `repetition` is that of the value at hand: 0 where it begins a row, else the level of the list or map whose
 * next element it belongs to. Its own definition level stands in the schema; one less says that it is null.
 */
#include "export/parquet_shred.h"

#include <string.h>

#include "export/parquet_bytes.h"
#include "export/parquet_number.h"
#include "profile/projection.h"
#include "lib/log.h"

static bool shred_value(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition);

static inline const struct rowschema_node *row_of(const struct parquet_shred *s, uint32_t node)
{
    return &s->schema->rows->node[node];
}

static inline struct parquet_column *column_of(const struct parquet_shred *s, uint32_t node)
{
    return &s->schema->column[s->schema->node[node].column];
}

/* Says where and why, for our own eyes: the schema comes from the same records as the row. */
static bool misfit(const struct parquet_shred *s, uint32_t node, const char *reason, uint32_t at)
{
    char path[256];
    parquet_schema_name(s->schema, node, path, sizeof path);
    log_event(LOG_ERROR, "parquet_value", "path=%s reason=%s kind=%d type=%d", log_quote(path), reason,
              (int)row_of(s, node)->kind, (int)s->scan.node[at].type);
    return false;
}

static void settle(struct parquet_shred *s, uint32_t node);

/* `count` times there is nothing at this node, only the path above it up to `definition`. */
static void absent(struct parquet_shred *s, uint32_t node, uint8_t repetition, uint8_t definition, uint64_t count)
{
    struct parquet_node *own = &s->schema->node[node];
    if (row_of(s, node)->children == 0) {
        parquet_column_nulls(column_of(s, node), s->pages, repetition, definition, count);
        return;
    }
    if (own->pending > 0 && (own->pending_repetition != repetition || own->pending_definition != definition))
        settle(s, node);
    own->pending_repetition = repetition;
    own->pending_definition = definition;
    own->pending += count;
}

/* Hands what is pending to the nodes below, each of which may let it pend in turn. */
static void settle(struct parquet_shred *s, uint32_t node)
{
    const struct rowschema_node *row = row_of(s, node);
    struct parquet_node *own = &s->schema->node[node];
    uint64_t count = own->pending;
    if (count == 0)
        return;
    own->pending = 0;
    if (row->kind == ROWSCHEMA_MAP)
        parquet_column_nulls(column_of(s, node), s->pages, own->pending_repetition, own->pending_definition, count);
    for (uint32_t child = row->child; child < row->child + row->children; child++)
        absent(s, child, own->pending_repetition, own->pending_definition, count);
}

/* Adds a JSON string's characters. */
static void add_string(struct parquet_shred *s, struct parquet_column *column, uint32_t at, uint8_t repetition)
{
    const struct jscan_node *string = &s->scan.node[at];
    const char *bytes = s->scan.text + string->begin;
    size_t length = string->end - string->begin;
    if (string->escaped != 0) {
        s->text.length = 0;
        if (!parquet_buffer_room(&s->text, &s->pages->shared, length))
            return;
        length = jscan_string_copy(&s->scan, at, s->text.data);
        bytes = s->text.data;
    }
    parquet_column_bytes(column, s->pages, repetition, bytes, length);
}

static bool shred_scalar(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition)
{
    const struct jscan_node *value = &s->scan.node[at];
    struct parquet_column *column = column_of(s, node);
    uint32_t quote = value->type == JSCAN_STRING ? 1 : 0;
    int64_t moment;

    switch (row_of(s, node)->kind) {
    case ROWSCHEMA_STRING:
        if (value->type != JSCAN_STRING)
            break;
        add_string(s, column, at, repetition);
        return true;
    case ROWSCHEMA_INTEGER:
        if (value->type != JSCAN_INTEGER)
            break;
        parquet_column_integer(column, s->pages, repetition, jscan_integer(&s->scan, at));
        return true;
    case ROWSCHEMA_NUMBER:
        if (value->type != JSCAN_INTEGER && value->type != JSCAN_NUMBER)
            break;
        parquet_column_number(column, s->pages, repetition,
                              parquet_number(s->scan.text + value->begin, value->end - value->begin, s->plain));
        return true;
    case ROWSCHEMA_BOOLEAN:
        if (value->type != JSCAN_TRUE && value->type != JSCAN_FALSE)
            break;
        parquet_column_boolean(column, s->pages, repetition, value->type == JSCAN_TRUE);
        return true;
    case ROWSCHEMA_MOMENT:
        if (value->type != JSCAN_STRING || !observed_datetime(&s->scan, at, &moment))
            break;
        parquet_column_integer(column, s->pages, repetition, moment);
        return true;
    default: /* ROWSCHEMA_JSON: as it stands, a string with its quotes */
        parquet_column_bytes(column, s->pages, repetition, s->scan.text + value->begin - quote,
                             value->end - value->begin + 2 * quote);
        return true;
    }
    return misfit(s, node, "type", at);
}

static bool shred_list(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition)
{
    const struct jscan_node *list = &s->scan.node[at];
    const struct parquet_node *own = &s->schema->node[node];
    uint32_t child = row_of(s, node)->child;
    uint32_t element = at + 1;
    if (list->count == 0)
        absent(s, child, repetition, own->definition, 1);
    for (uint32_t i = 0; i < list->count; i++, element = s->scan.node[element].next) {
        if (!shred_value(s, child, element, i == 0 ? repetition : own->repetition))
            return false;
    }
    return true;
}

static bool shred_map(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition)
{
    const struct jscan_node *map = &s->scan.node[at];
    const struct parquet_node *own = &s->schema->node[node];
    uint32_t child = row_of(s, node)->child;
    uint32_t name = at + 1;
    if (map->count == 0) {
        parquet_column_nulls(column_of(s, node), s->pages, repetition, own->definition, 1);
        absent(s, child, repetition, own->definition, 1);
    }
    for (uint32_t i = 0; i < map->count; i++, name = s->scan.node[name + 1].next) {
        uint8_t level = i == 0 ? repetition : own->repetition;
        add_string(s, column_of(s, node), name, level);
        if (!shred_value(s, child, name + 1, level))
            return false;
    }
    return true;
}

/* The child of the group for a member name, or 0. Nearly all names are the expected ones. */
static inline uint32_t child_of(const struct parquet_shred *s, uint32_t node, uint32_t name, uint32_t expected)
{
    const struct rowschema_node *row = row_of(s, expected);
    const struct jscan_node *string = &s->scan.node[name];
    if (expected != 0 && string->escaped == 0 && string->end - string->begin == row->name_length &&
        parquet_bytes_equal(s->scan.text + string->begin, row->name, row->name_length))
        return expected;
    return rowschema_member(s->schema->rows, node, &s->scan, name, expected);
}

/* The members of an object into the children of the group; `skipped` is a child that the caller fills, or 0. */
static bool shred_group(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition, uint32_t skipped)
{
    const struct rowschema_node *row = row_of(s, node);
    struct parquet_node *nodes = s->schema->node;
    uint64_t stamp = ++s->stamp;
    uint32_t *expected = &nodes[node].first;
    uint32_t found = 0;
    uint32_t name = at + 1;
    for (uint32_t i = 0; i < s->scan.node[at].count; i++, name = s->scan.node[name + 1].next) {
        uint32_t child = child_of(s, node, name, *expected);
        if (child == 0 || child == s->document) {
            bool kept = s->document != 0 && node == 0;
            if (!kept && s->scan.node[name + 1].type != JSCAN_NULL)
                return misfit(s, node, "member", name + 1);
            continue; /* without a column of its own it is in that of the whole profile */
        }
        *expected = child;
        expected = &nodes[child].follows;
        nodes[child].seen = stamp;
        found++;
        if (!shred_value(s, child, name + 1, repetition))
            return false;
    }
    if (found == row->children)
        return true;
    for (uint32_t child = row->child; child < row->child + row->children; child++) {
        if (nodes[child].seen != stamp && child != skipped && child != s->document)
            absent(s, child, repetition, nodes[node].definition, 1);
    }
    return true;
}

static bool shred_value(struct parquet_shred *s, uint32_t node, uint32_t at, uint8_t repetition)
{
    enum jscan_type type = (enum jscan_type)s->scan.node[at].type;
    enum rowschema_kind kind = row_of(s, node)->kind;
    if (type == JSCAN_NULL) {
        absent(s, node, repetition, (uint8_t)(s->schema->node[node].definition - 1), 1);
        return true;
    }
    if (kind != ROWSCHEMA_GROUP && kind != ROWSCHEMA_LIST && kind != ROWSCHEMA_MAP)
        return shred_scalar(s, node, at, repetition);
    if (type != (kind == ROWSCHEMA_LIST ? JSCAN_ARRAY : JSCAN_OBJECT))
        return misfit(s, node, "type", at);
    settle(s, node);
    if (kind == ROWSCHEMA_LIST)
        return shred_list(s, node, at, repetition);
    if (kind == ROWSCHEMA_MAP)
        return shred_map(s, node, at, repetition);
    return shred_group(s, node, at, repetition, 0);
}

enum fault parquet_shred_open(struct parquet_shred *shred, struct parquet_schema *schema, struct parquet_pages *pages)
{
    const struct rowschema_node *row = schema->rows->node;
    *shred = (struct parquet_shred){.schema = schema, .pages = pages, .scan = JSCAN_INIT};
    if (row->children > 0) {
        uint32_t last = row->child + row->children - 1;
        if (row[last].kind == ROWSCHEMA_LIST && strcmp(row[last].name, "eventList") == 0)
            shred->events = last;
    }
    shred->document = schema->rows->document;
    shred->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return shred->plain == (locale_t)0 ? FAULT_MEMORY : FAULT_NONE;
}

void parquet_shred_close(struct parquet_shred *shred)
{
    if (shred->pages != NULL)
        parquet_buffer_free(&shred->text, &shred->pages->shared);
    jscan_free(&shred->scan);
    if (shred->plain != (locale_t)0)
        freelocale(shred->plain);
    *shred = (struct parquet_shred){0};
}

static enum fault scan_object(struct parquet_shred *s, const char *text, size_t length)
{
    enum jscan_fault fault = jscan_document(&s->scan, text, length, PROJECTION_LIMITS);
    if (fault == JSCAN_MEMORY)
        return FAULT_MEMORY;
    if (fault == JSCAN_OK && s->scan.node[0].type == JSCAN_OBJECT)
        return FAULT_NONE;
    log_event(LOG_ERROR, "parquet_row", "reason=%s", fault == JSCAN_OK ? "type" : log_quote(jscan_reason(fault)));
    return FAULT_INTERNAL;
}

enum fault parquet_shred_profile(struct parquet_shred *s, const char *text, size_t length)
{
    enum fault fault = scan_object(s, text, length);
    if (fault != FAULT_NONE)
        return fault;
    s->event_level = 0;
    s->own_events = false;
    uint64_t stamp = s->stamp + 1;
    if (!shred_group(s, 0, 0, 0, s->events))
        return FAULT_INTERNAL;
    s->own_events = s->events != 0 && s->schema->node[s->events].seen == stamp;
    if (s->document != 0)
        parquet_column_bytes(column_of(s, s->document), s->pages, 0, text, length);
    return parquet_pages_fault(s->pages);
}

enum fault parquet_shred_event(struct parquet_shred *s, const char *text, size_t length)
{
    enum fault fault = scan_object(s, text, length);
    if (fault != FAULT_NONE)
        return fault;
    if (s->events == 0 || s->own_events) {
        (void)misfit(s, s->events, "event", 0);
        return FAULT_INTERNAL;
    }
    settle(s, s->events);
    if (!shred_value(s, row_of(s, s->events)->child, 0, s->event_level))
        return FAULT_INTERNAL;
    s->event_level = s->schema->node[s->events].repetition;
    return parquet_pages_fault(s->pages);
}

void parquet_shred_end(struct parquet_shred *s)
{
    if (s->events != 0 && s->event_level == 0 && !s->own_events)
        absent(s, s->events, 0, 0, 1);
}

void parquet_shred_settle(struct parquet_shred *s)
{
    /* parents stand before their children in the schema: one pass reaches the leaves */
    for (uint32_t node = 0; node < s->schema->rows->count; node++)
        settle(s, node);
}
