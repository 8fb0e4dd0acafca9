/*
 * rowschema_draft: making the tree. See rowschema_draft.h.
 *
 * What is selected of a node is a set of projection nodes, since a map's value is selected by the paths through
 * all of its keys; the sets live on a stack. The recursion follows the observed schema, which is as deep as a
 * record may be.
 */
#include "export/rowschema_draft.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64u
#define BIT(type) (1u << (type))
#define MEMBERSHIP_OBJECTS 3u /* the levels of a profile's segmentMembership that are objects in a row */

/* What to build from, and into what. */
struct drafting {
    struct draft *draft;
    const struct observed *observed;
    const struct projection *fields;
    unsigned lists; /* that the value at hand is in */
};

/* What is selected of a value: all of it, or what set[first .. first + count) selects below it. */
struct selection {
    bool whole;
    uint32_t first;
    uint32_t count;
};

/* A new node, or 0. */
static uint32_t add_node(struct draft *d, enum rowschema_kind kind, const char *name, uint32_t length)
{
    if (d->count == d->capacity) {
        uint32_t capacity = d->capacity == 0 ? FIRST_CAPACITY : d->capacity * 2;
        struct draft_node *node = realloc(d->node, capacity * sizeof *node);
        if (node == NULL) {
            d->failed = true;
            return 0;
        }
        d->node = node;
        d->capacity = capacity;
    }
    d->node[d->count] = (struct draft_node){.kind = kind, .name = name, .name_length = length};
    return d->count++;
}

static void adopt(struct draft *d, uint32_t parent, uint32_t child)
{
    if (child == 0)
        return;
    d->node[child].next = d->node[parent].child;
    d->node[parent].child = child;
}

static uint32_t add_child(struct draft *d, uint32_t parent, enum rowschema_kind kind, const char *name)
{
    uint32_t child = add_node(d, kind, name, (uint32_t)strlen(name));
    adopt(d, parent, child);
    return child;
}

/* --- selections ------------------------------------------------------------------------------ */

static void select_node(struct drafting *g, struct selection *selection, uint32_t tree)
{
    struct draft *d = g->draft;
    if (g->fields->node[tree].whole) {
        selection->whole = true;
        return;
    }
    if (d->sets == d->set_capacity) {
        uint32_t capacity = d->set_capacity == 0 ? FIRST_CAPACITY : d->set_capacity * 2;
        uint32_t *set = realloc(d->set, capacity * sizeof *set);
        if (set == NULL) {
            d->failed = true;
            return;
        }
        d->set = set;
        d->set_capacity = capacity;
    }
    d->set[d->sets++] = tree;
    selection->count++;
}

/* Of a document. */
static struct selection select_root(struct drafting *g)
{
    struct selection root = {.first = g->draft->sets};
    select_node(g, &root, 0);
    return root;
}

/* Of a member of the value of which `of` is selected. */
static struct selection select_member(struct drafting *g, struct selection of, const struct observed_node *member)
{
    struct selection found = {.whole = of.whole, .first = g->draft->sets};
    for (uint32_t i = 0; i < of.count && !found.whole; i++) {
        uint32_t tree = projection_child(g->fields, g->draft->set[of.first + i], member->name, member->name_length);
        if (tree != 0)
            select_node(g, &found, tree);
    }
    return found;
}

/* Of all values of the map of which `of` is selected. */
static struct selection select_values(struct drafting *g, struct selection of)
{
    struct selection found = {.whole = of.whole, .first = g->draft->sets};
    for (uint32_t i = 0; i < of.count && !found.whole; i++) {
        const struct projection_node *tree = &g->fields->node[g->draft->set[of.first + i]];
        for (uint32_t n = 0; n < tree->children && !found.whole; n++)
            select_node(g, &found, tree->child + n);
    }
    return found;
}

/* --- values ---------------------------------------------------------------------------------- */

/* The types that were seen, nulls apart. */
static unsigned types_of(const struct observed_node *node)
{
    unsigned types = 0;
    for (unsigned type = OBSERVED_NULL + 1; type < OBSERVED_TYPES; type++)
        if (node->count[type] > 0)
            types |= BIT(type);
    return types;
}

static enum rowschema_kind kind_of(const struct observed_node *node, unsigned types)
{
    if (node->open)
        return ROWSCHEMA_JSON;
    switch (types) {
    case BIT(OBSERVED_BOOLEAN):
        return ROWSCHEMA_BOOLEAN;
    case BIT(OBSERVED_INTEGER):
        return ROWSCHEMA_INTEGER;
    case BIT(OBSERVED_NUMBER):
    case BIT(OBSERVED_INTEGER) | BIT(OBSERVED_NUMBER):
        return ROWSCHEMA_NUMBER;
    case BIT(OBSERVED_DATETIME):
        return ROWSCHEMA_MOMENT;
    case BIT(OBSERVED_STRING):
    case BIT(OBSERVED_STRING) | BIT(OBSERVED_DATETIME):
        return ROWSCHEMA_STRING;
    case BIT(OBSERVED_OBJECT):
        if (node->value != 0)
            return ROWSCHEMA_MAP;
        return node->member != 0 ? ROWSCHEMA_GROUP : ROWSCHEMA_JSON;
    case BIT(OBSERVED_ARRAY):
        return node->element != 0 ? ROWSCHEMA_LIST : ROWSCHEMA_JSON;
    default:
        return ROWSCHEMA_JSON;
    }
}

static void make_json(struct draft *d, uint32_t node)
{
    d->node[node].kind = ROWSCHEMA_JSON;
    d->node[node].child = 0;
}

static uint32_t draft_value(struct drafting *g, uint32_t at, struct selection selected, unsigned objects);

/* Drafts what is below the value as children of draft node `parent`. `objects`: see draft_value(). */
static void draft_below(struct drafting *g, uint32_t parent, uint32_t at, struct selection selected, unsigned objects)
{
    struct draft *d = g->draft;
    const struct observed_node *node = &g->observed->node[at];
    uint32_t sets = d->sets;

    for (uint32_t member = node->member; member != 0; member = g->observed->node[member].next) {
        struct selection below = select_member(g, selected, &g->observed->node[member]);
        adopt(d, parent, draft_value(g, member, below, 0));
        d->sets = sets;
    }
    if (node->value != 0) {
        struct selection below = select_values(g, selected);
        adopt(d, parent, draft_value(g, node->value, below, objects > 0 ? objects - 1 : 0));
        d->sets = sets;
    }
    if (node->element != 0 && objects == 0) {
        g->lists++;
        uint32_t element = draft_value(g, node->element, selected, 0);
        g->lists--;
        if (element != 0 && !selected.whole && d->node[element].kind == ROWSCHEMA_LIST)
            make_json(d, element);
        adopt(d, parent, element);
    }
}

/* The draft of what is selected of an observed value, under its name; 0 when nothing can be. On this and the next
 * `objects` - 1 levels of maps, a row has nothing but objects. */
static uint32_t draft_value(struct drafting *g, uint32_t at, struct selection selected, unsigned objects)
{
    struct draft *d = g->draft;
    const struct observed_node *node = &g->observed->node[at];
    unsigned types = types_of(node);
    uint32_t count = d->count;

    if (objects > 0)
        types &= BIT(OBSERVED_OBJECT);
    if ((!selected.whole && selected.count == 0) || (objects > 0 && types == 0))
        return 0;
    if (!selected.whole && (types & (BIT(OBSERVED_OBJECT) | BIT(OBSERVED_ARRAY))) == 0)
        return 0;
    enum rowschema_kind kind = kind_of(node, types);
    if (kind == ROWSCHEMA_LIST && g->lists >= ROWSCHEMA_LISTS_MAX)
        kind = ROWSCHEMA_JSON;
    uint32_t draft = add_node(d, kind, node->name, node->name_length);
    if (draft == 0 || node->open || (selected.whole && kind == ROWSCHEMA_JSON))
        return draft;
    draft_below(g, draft, at, selected, objects);
    if (d->node[draft].child == 0 && !selected.whole) {
        d->count = count;
        return 0;
    }
    if (kind >= ROWSCHEMA_JSON && d->node[draft].child == 0) /* a map whose values take no part */
        kind = ROWSCHEMA_JSON;
    if (kind == ROWSCHEMA_JSON) {
        make_json(d, draft);
        d->count = draft + 1;
    }
    return draft;
}

/* --- the row --------------------------------------------------------------------------------- */

static bool is_named(const struct observed_node *node, const char *name)
{
    return node->name_length == strlen(name) && memcmp(node->name, name, node->name_length) == 0;
}

static uint32_t find_member(const struct observed *observed, uint32_t parent, const char *name)
{
    uint32_t member = observed->node[parent].member;
    while (member != 0 && !is_named(&observed->node[member], name))
        member = observed->node[member].next;
    return member;
}

/* The observed entries of the profile's identityMap. 0: none; *known is false when there may be some. */
static uint32_t find_entries(const struct observed *profile, bool *known)
{
    uint32_t map = find_member(profile, 0, "identityMap");
    *known = !profile->node[0].open && !profile->node[map].open;
    uint32_t list = *known && map != 0 ? profile->node[map].value : 0;
    *known = *known && !profile->node[list].open;
    uint32_t entry = *known && list != 0 ? profile->node[list].element : 0;
    *known = *known && !profile->node[entry].open;
    return *known ? entry : 0;
}

static void draft_identity_map(struct drafting *g)
{
    struct draft *d = g->draft;
    bool known;
    uint32_t observed = find_entries(g->observed, &known);
    uint32_t map = add_child(d, 0, ROWSCHEMA_MAP, "identityMap");
    uint32_t list = add_child(d, map, ROWSCHEMA_LIST, "");
    uint32_t entry = add_child(d, list, known ? ROWSCHEMA_GROUP : ROWSCHEMA_JSON, "");

    if (d->failed || !known)
        return;
    d->node[entry].last_resort = true;
    (void)add_child(d, entry, ROWSCHEMA_STRING, "id");
    if (observed == 0 || find_member(g->observed, observed, "primary") == 0)
        (void)add_child(d, entry, ROWSCHEMA_BOOLEAN, "primary");
    uint32_t member = observed == 0 ? 0 : g->observed->node[observed].member;
    for (; member != 0; member = g->observed->node[member].next)
        if (!is_named(&g->observed->node[member], "id"))
            adopt(d, entry, draft_value(g, member, (struct selection){.whole = true}, 0));
}

static void draft_view(struct drafting *g)
{
    struct draft *d = g->draft;
    struct projection_view view = projection_view(g->fields);

    if (!view.id && !view.code && !view.primary)
        return;
    uint32_t list = add_child(d, 0, ROWSCHEMA_LIST, "identities");
    uint32_t identity = add_child(d, list, ROWSCHEMA_GROUP, "");
    if (view.id)
        (void)add_child(d, identity, ROWSCHEMA_STRING, "id");
    if (view.code) {
        uint32_t space = add_child(d, identity, ROWSCHEMA_GROUP, "namespace");
        (void)add_child(d, space, ROWSCHEMA_STRING, "code");
    }
    if (view.primary)
        (void)add_child(d, identity, ROWSCHEMA_BOOLEAN, "primary");
}

static void draft_profile(struct drafting *g, bool events)
{
    struct draft *d = g->draft;
    struct selection root = select_root(g);
    uint32_t sets = d->sets;

    draft_identity_map(g);
    if (!root.whole)
        draft_view(g);
    if (g->observed->node[0].open)
        d->document = add_child(d, 0, ROWSCHEMA_JSON, ROWSCHEMA_DOCUMENT);
    for (uint32_t at = g->observed->node[0].member; at != 0; at = g->observed->node[at].next) {
        const struct observed_node *member = &g->observed->node[at];
        if (is_named(member, "identityMap") || (!root.whole && is_named(member, "identities")) ||
            (events && is_named(member, "eventList")))
            continue;
        unsigned objects = is_named(member, "segmentMembership") ? MEMBERSHIP_OBJECTS : 0;
        adopt(d, 0, draft_value(g, at, select_member(g, root, member), objects));
        d->sets = sets;
    }
}

static void draft_events(struct drafting *g)
{
    struct draft *d = g->draft;
    uint32_t list = add_child(d, 0, ROWSCHEMA_LIST, "eventList");
    uint32_t event = draft_value(g, 0, select_root(g), 0);
    if (list == 0)
        return;
    if (event != 0)
        adopt(d, list, event);
    else
        (void)add_child(d, list, ROWSCHEMA_JSON, "");
}

enum fault draft_make(struct draft *draft, const struct rowschema_order *order)
{
    struct drafting profile = {.draft = draft, .observed = order->profile, .fields = order->fields};
    struct drafting event = {.draft = draft, .observed = order->event, .fields = order->event_fields};

    *draft = DRAFT_INIT;
    (void)add_node(draft, ROWSCHEMA_GROUP, "", 0);
    if (!draft->failed)
        draft_profile(&profile, order->event != NULL);
    if (!draft->failed && order->event != NULL)
        draft_events(&event);
    return draft->failed ? FAULT_MEMORY : FAULT_NONE;
}

void draft_free(struct draft *draft)
{
    free(draft->node);
    free(draft->set);
    *draft = DRAFT_INIT;
}
