/*
 * observed_tree: the nodes of an observed schema, found, made and dropped. See observed_internal.h.
 *
 * Callers: observed.c, observed_text.c.
 */
#include <stdlib.h>
#include <string.h>

#include "core/observed_internal.h"
#include "lib/invariant.h"

#define TREE_FIRST_CAPACITY 128u

static uint64_t tree_hash(const struct observed *o, uint32_t parent, const char *name, size_t length)
{
    struct siphash hash;
    siphash_begin(&hash, &o->private->key);
    siphash_add(&hash, (const char *)&parent, sizeof parent);
    siphash_add(&hash, name, length);
    return siphash_end(&hash);
}

/* A free place for a node; 0 without memory. The caller has seen to OBSERVED_NODES_MAX. */
static uint32_t tree_place(struct observed *o)
{
    struct observed_private *p = o->private;
    if (p->unused != 0) {
        uint32_t place = p->unused;
        p->unused = p->extra[place].chain;
        return place;
    }
    if (o->count == p->capacity) {
        uint32_t capacity = p->capacity * 2;
        struct observed_node *node = realloc(o->node, capacity * sizeof *node);
        if (node != NULL)
            o->node = node;
        struct observed_extra *extra = realloc(p->extra, capacity * sizeof *extra);
        if (extra != NULL)
            p->extra = extra;
        if (node == NULL || extra == NULL)
            return 0;
        p->capacity = capacity;
    }
    return o->count++;
}

static void tree_unchain(struct observed_private *p, uint32_t node)
{
    uint32_t *at = &p->bucket[p->extra[node].hash & (OBSERVED_BUCKETS - 1)];
    while (*at != node)
        at = &p->extra[*at].chain;
    *at = p->extra[node].chain;
}

static void tree_drop(struct observed *o, uint32_t node);

static void tree_drop_children(struct observed *o, uint32_t node)
{
    struct observed_node *n = &o->node[node];
    for (uint32_t member = n->member, next; member != 0; member = next) {
        next = o->node[member].next;
        tree_unchain(o->private, member);
        free((char *)(uintptr_t)o->node[member].name);
        tree_drop(o, member);
    }
    if (n->element != 0)
        tree_drop(o, n->element);
    if (n->value != 0)
        tree_drop(o, n->value);
    n->member = n->element = n->value = 0;
    o->private->extra[node].members = o->private->extra[node].last = 0;
}

static void tree_drop(struct observed *o, uint32_t node)
{
    struct observed_private *p = o->private;
    tree_drop_children(o, node);
    o->node[node].name = "";
    o->node[node].open = true;
    p->extra[node].chain = p->unused;
    p->unused = node;
    p->used--;
}

void observed_open(struct observed *o, uint32_t node)
{
    tree_drop_children(o, node);
    o->node[node].open = true;
}

/* Makes room for one more node below `parent`, if need be by opening the object with the most members. The
 * document only goes when nothing else has any: one object with names made of data must not cost the columns
 * of all others. False: `parent` is open now, or was dropped. */
static bool tree_make_room(struct observed *o, uint32_t parent)
{
    struct observed_private *p = o->private;
    while (p->used >= OBSERVED_NODES_MAX && !o->node[parent].open) {
        uint32_t widest = 0;
        for (uint32_t i = 1; i < o->count; i++) {
            if (p->extra[i].members > p->extra[widest].members || (widest == 0 && p->extra[i].members > 0))
                widest = i;
        }
        observed_open(o, widest != 0 ? widest : parent);
    }
    return !o->node[parent].open;
}

static enum observed_kind tree_kind(enum observed_kind parent, const char *name, size_t length)
{
    if (parent == OBSERVED_MAP_OF_MAPS)
        return OBSERVED_MAP;
    if (parent == OBSERVED_DOCUMENT && length == 11 && memcmp(name, "identityMap", 11) == 0)
        return OBSERVED_MAP;
    if (parent == OBSERVED_DOCUMENT && length == 17 && memcmp(name, "segmentMembership", 17) == 0)
        return OBSERVED_MAP_OF_MAPS;
    return OBSERVED_PLAIN;
}

/* A new node below `parent`; 0: see observed_member(). `name` becomes the node's. */
static uint32_t tree_make(struct observed *o, uint32_t parent, const char *name, size_t length, enum observed_kind kind)
{
    uint32_t made = tree_make_room(o, parent) ? tree_place(o) : 0;
    if (made == 0) {
        o->private->exhausted = o->private->exhausted || !o->node[parent].open;
        return 0;
    }
    o->private->used++;
    o->node[made] = (struct observed_node){.name = name, .name_length = (uint32_t)length};
    o->private->extra[made] = (struct observed_extra){.parent = parent, .kind = (uint8_t)kind};
    return made;
}

static uint32_t tree_add_member(struct observed *o, uint32_t parent, const char *name, size_t length, uint64_t hash)
{
    struct observed_private *p = o->private;
    if (length > OBSERVED_NAME_MAX || p->extra[parent].members == OBSERVED_MEMBERS_MAX) {
        observed_open(o, parent);
        return 0;
    }
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        p->exhausted = true;
        return 0;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    uint32_t made = tree_make(o, parent, copy, length, tree_kind(p->extra[parent].kind, name, length));
    if (made == 0) {
        free(copy);
        return 0;
    }
    p->extra[made].hash = hash;
    p->extra[made].chain = p->bucket[hash & (OBSERVED_BUCKETS - 1)];
    p->bucket[hash & (OBSERVED_BUCKETS - 1)] = made;
    if (p->extra[parent].last != 0)
        o->node[p->extra[parent].last].next = made;
    else
        o->node[parent].member = made;
    p->extra[parent].last = made;
    p->extra[parent].members++;
    return made;
}

uint32_t observed_member(struct observed *o, uint32_t parent, const char *name, size_t length)
{
    const struct observed_private *p = o->private;
    uint64_t hash = tree_hash(o, parent, name, length);
    if (o->node[parent].open)
        return 0;
    for (uint32_t at = p->bucket[hash & (OBSERVED_BUCKETS - 1)]; at != 0; at = p->extra[at].chain) {
        if (p->extra[at].hash == hash && p->extra[at].parent == parent && o->node[at].name_length == length &&
            memcmp(o->node[at].name, name, length) == 0)
            return at;
    }
    return tree_add_member(o, parent, name, length, hash);
}

uint32_t observed_element(struct observed *o, uint32_t parent)
{
    if (o->node[parent].element == 0 && !o->node[parent].open) {
        uint32_t made = tree_make(o, parent, "", 0, OBSERVED_PLAIN);
        if (made != 0)
            o->node[parent].element = made;
    }
    return o->node[parent].element;
}

uint32_t observed_value(struct observed *o, uint32_t parent)
{
    if (o->node[parent].value == 0 && !o->node[parent].open) {
        uint32_t made = tree_make(o, parent, "", 0, tree_kind(o->private->extra[parent].kind, "", 0));
        if (made != 0)
            o->node[parent].value = made;
    }
    return o->node[parent].value;
}

struct observed *observed_new(void)
{
    struct observed *o = calloc(1, sizeof *o);
    struct observed_private *p = calloc(1, sizeof *p);
    struct observed_node *node = calloc(TREE_FIRST_CAPACITY, sizeof *node);
    struct observed_extra *extra = calloc(TREE_FIRST_CAPACITY, sizeof *extra);
    if (o == NULL || p == NULL || node == NULL || extra == NULL) {
        free(extra);
        free(node);
        free(p);
        free(o);
        return NULL;
    }
    siphash_draw_key(&p->key);
    node[0].name = "";
    extra[0].kind = OBSERVED_DOCUMENT;
    p->extra = extra;
    p->capacity = TREE_FIRST_CAPACITY;
    p->used = 1;
    *o = (struct observed){.node = node, .count = 1, .private = p};
    return o;
}

void observed_free(struct observed *o)
{
    if (o == NULL)
        return;
    tree_drop_children(o, 0);
    free(o->private->extra);
    free(o->private);
    free(o->node);
    free(o);
}
