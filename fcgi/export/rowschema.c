/*
 * rowschema: the finished columns: their order, the bound of leaves, lookup and text. See rowschema.h.
 *
 * The draft's nodes are placed breadth first, so children stand side by side and deeper groups behind others.
 */
#include "export/rowschema.h"

#include <stdlib.h>
#include <string.h>

#include "export/rowschema_draft.h"
#include "lib/jscan_name.h"

#define NOWHERE UINT32_MAX

/* A draft node on its way into the schema. */
struct place {
    const struct draft_node *draft;
    enum rowschema_kind kind;
    uint32_t parent; /* places */
    uint32_t child;
    uint32_t children;
    uint32_t node; /* index in the schema, or NOWHERE */
};

/* --- order ----------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct draft_node *x = ((const struct place *)a)->draft;
    const struct draft_node *y = ((const struct place *)b)->draft;
    uint32_t common = x->name_length < y->name_length ? x->name_length : y->name_length;
    int order = memcmp(x->name, y->name, common);
    return order != 0 ? order : (x->name_length > y->name_length) - (x->name_length < y->name_length);
}

/* Moves eventList behind the other members of the row. */
static void put_events_last(struct place *place, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(place[i].draft->name, "eventList") != 0)
            continue;
        struct place events = place[i];
        memmove(place + i, place + i + 1, (count - i - 1) * sizeof *place);
        place[count - 1] = events;
        return;
    }
}

/* Places all nodes of the draft; returns how many there are. */
static uint32_t place_all(const struct draft *draft, struct place *place)
{
    uint32_t count = 1;
    place[0] = (struct place){.draft = draft->node, .kind = draft->node[0].kind};
    for (uint32_t i = 0; i < count; i++) {
        place[i].child = count;
        for (uint32_t at = place[i].draft->child; at != 0; at = draft->node[at].next)
            place[count++] = (struct place){.draft = &draft->node[at], .kind = draft->node[at].kind, .parent = i};
        place[i].children = count - place[i].child;
        if (place[i].children > 1)
            qsort(place + place[i].child, place[i].children, sizeof *place, compare_names);
        if (i == 0)
            put_events_last(place + place[i].child, place[i].children);
    }
    return count;
}

/* --- the bound of leaves --------------------------------------------------------------------- */

static uint32_t count_leaves(const struct place *place, uint32_t at)
{
    uint32_t leaves = place[at].kind == ROWSCHEMA_MAP || place[at].kind < ROWSCHEMA_GROUP;
    for (uint32_t i = 0; i < place[at].children; i++)
        leaves += count_leaves(place, place[at].child + i);
    return leaves;
}

/* Makes groups JSON from the end until the bound is kept; returns the leaves that are left. */
static uint32_t bound_leaves(struct place *place, uint32_t count, uint32_t most, bool last_resort)
{
    uint32_t leaves = count_leaves(place, 0);
    for (uint32_t i = count - 1; i > 0 && leaves > most; i--) {
        if (place[i].kind != ROWSCHEMA_GROUP || place[i].draft->last_resort != last_resort)
            continue;
        leaves -= count_leaves(place, i) - 1;
        place[i].kind = ROWSCHEMA_JSON;
        place[i].children = 0;
    }
    return leaves;
}

/* --- the schema ------------------------------------------------------------------------------ */

/* Numbers the places that are still reached; returns the bytes of their names. */
static size_t number_places(struct place *place, uint32_t places, uint32_t *nodes)
{
    size_t bytes = 1;
    *nodes = 1;
    place[0].node = 0;
    for (uint32_t i = 1; i < places; i++) {
        const struct place *parent = &place[place[i].parent];
        if (parent->node == NOWHERE || parent->children == 0) {
            place[i].node = NOWHERE;
            continue;
        }
        place[i].node = (*nodes)++;
        bytes += place[i].draft->name_length + 1;
    }
    return bytes;
}

static enum fault fill(struct rowschema *schema, struct place *place, uint32_t places, const struct draft *draft)
{
    size_t bytes = number_places(place, places, &schema->count);
    schema->node = calloc(schema->count, sizeof *schema->node);
    schema->names = malloc(bytes);
    if (schema->node == NULL || schema->names == NULL)
        return FAULT_MEMORY;
    char *name = schema->names;
    for (uint32_t i = 0; i < places; i++) {
        if (place[i].node == NOWHERE)
            continue;
        const struct draft_node *from = place[i].draft;
        memcpy(name, from->name, from->name_length);
        name[from->name_length] = '\0';
        schema->node[place[i].node] = (struct rowschema_node){
            .kind = place[i].kind, .name = name, .name_length = from->name_length, .children = place[i].children};
        if (place[i].children > 0)
            schema->node[place[i].node].child = place[place[i].child].node;
        if (draft->document != 0 && from == &draft->node[draft->document])
            schema->document = place[i].node;
        name += from->name_length + 1;
    }
    return FAULT_NONE;
}

static enum fault finish(struct rowschema *schema, const struct draft *draft, uint32_t most)
{
    struct place *place = malloc(draft->count * sizeof *place);
    if (place == NULL)
        return FAULT_MEMORY;
    uint32_t places = place_all(draft, place);
    schema->leaves = bound_leaves(place, places, most, false);
    if (schema->leaves > most)
        schema->leaves = bound_leaves(place, places, most, true);
    enum fault fault = fill(schema, place, places, draft);
    free(place);
    return fault;
}

enum fault rowschema_build(struct rowschema *schema, const struct rowschema_order *order)
{
    struct draft draft;
    *schema = ROWSCHEMA_INIT;
    enum fault fault = draft_make(&draft, order);
    if (fault == FAULT_NONE)
        fault = finish(schema, &draft, order->leaves != 0 ? order->leaves : ROWSCHEMA_LEAVES_MAX);
    draft_free(&draft);
    return fault;
}

void rowschema_free(struct rowschema *schema)
{
    free(schema->node);
    free(schema->names);
    *schema = ROWSCHEMA_INIT;
}

/* --- use ------------------------------------------------------------------------------------- */

static bool is_node_named(const struct rowschema *schema, uint32_t at, const struct jscan *scan, uint32_t name)
{
    return jscan_string_equals(scan, name, schema->node[at].name, schema->node[at].name_length);
}

uint32_t rowschema_member(const struct rowschema *schema, uint32_t group, const struct jscan *scan, uint32_t name,
                          uint32_t expected)
{
    uint32_t low = schema->node[group].child;
    uint32_t high = low + schema->node[group].children;

    if (expected >= low && expected < high && is_node_named(schema, expected, scan, name))
        return expected;
    if (group == 0 && low < high) { /* the last one may be eventList, out of order */
        high--;
        if (is_node_named(schema, high, scan, name))
            return high;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct rowschema_node *node = &schema->node[middle];
        int order = jscan_string_compare(scan, name, node->name, node->name_length);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

static void write_type(const struct rowschema *schema, uint32_t at, struct str *out)
{
    static const char *const scalar[] = {"\"boolean\"",   "\"integer\"", "\"number\"",
                                         "\"date-time\"", "\"string\"",  "\"json\""};
    const struct rowschema_node *node = &schema->node[at];

    if (node->kind < ROWSCHEMA_GROUP) {
        str_append_text(out, scalar[node->kind]);
        return;
    }
    if (node->kind != ROWSCHEMA_GROUP) {
        str_append_text(out, node->kind == ROWSCHEMA_LIST ? "{\"array\":" : "{\"map\":");
        write_type(schema, node->child, out);
        str_append_char(out, '}');
        return;
    }
    str_append_text(out, at == 0 ? "{" : "{\"object\":{");
    for (uint32_t i = 0; i < node->children; i++) {
        const struct rowschema_node *member = &schema->node[node->child + i];
        if (i > 0)
            str_append_char(out, ',');
        str_append_json(out, member->name, member->name_length);
        str_append_char(out, ':');
        write_type(schema, node->child + i, out);
    }
    str_append_text(out, at == 0 ? "}" : "}}");
}

void rowschema_write(const struct rowschema *schema, struct str *out)
{
    write_type(schema, 0, out);
}
