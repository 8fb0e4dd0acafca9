/*
 * merge_group: collecting values by name, in the order in which the names were first seen.
 *
 * Small groups compare pair by pair through cheap keys. Wide ones use a hash table with a secret
 * key: member names are the client's, and 100,000 of them must not cost 100,000^2. Collecting is
 * over before a deeper group opens, so one table serves all.
 */
#include <stdlib.h>
#include <string.h>

#include "profile/merge_internal.h"
#include "lib/jscan_name.h"

#define SMALL 32
#define FIRST_CAPACITY 256u /* MERGE_MEMBERS_MAX is this times a power of two */

static bool table_prepare(struct merge *m, size_t slots)
{
    if (m->table_slots < slots) {
        free(m->table);
        m->table_slots = 0;
        m->table = malloc(slots * sizeof *m->table);
        if (m->table == NULL)
            return false;
        m->table_slots = slots;
    }
    memset(m->table, 0, slots * sizeof *m->table);
    return true;
}

struct merge_group merge_group_open(struct merge *m, size_t most)
{
    struct merge_group group = {.first = m->items, .known = MERGE_NONE, .hint = m->items};
    if (most <= SMALL)
        return group;
    if (most > MERGE_MEMBERS_MAX)
        most = MERGE_MEMBERS_MAX; /* the group that has more fails when it has them */
    size_t slots = 64;
    while (slots < most * 2)
        slots *= 2;
    if (table_prepare(m, slots))
        group.slots = slots;
    else
        m->trouble = FAULT_MEMORY;
    return group;
}

void merge_group_close(struct merge *m, const struct merge_group *group)
{
    m->items = group->first;
}

static bool same_name(const struct merge *m, const struct merge_item *a, const struct merge_item *b)
{
    return a->key == b->key && jscan_strings_equal(&m->scan[a->fragment], a->name, &m->scan[b->fragment], b->name);
}

/* Looks through items [from, end) for the first of a chain that has the item's name. */
static uint32_t find_pairwise(const struct merge *m, uint32_t from, uint32_t end, const struct merge_item *item)
{
    for (uint32_t i = from; i < end; i++)
        if (!m->item[i].follows && same_name(m, &m->item[i], item))
            return i;
    return MERGE_NONE;
}

/* The same through the table; *slot is then where the index of a new name belongs. */
static uint32_t find_hashed(const struct merge *m, const struct merge_group *group, const struct merge_item *item,
                            size_t *slot)
{
    size_t at = item->key & (group->slots - 1);
    while (m->table[at] != 0) {
        uint32_t candidate = m->table[at] - 1;
        if (same_name(m, &m->item[candidate], item))
            return candidate;
        at = (at + 1) & (group->slots - 1);
    }
    *slot = at;
    return MERGE_NONE;
}

/* The first of the chain that has the item's name, or MERGE_NONE. Fragments tend to name their
 * members in the same order, so the search begins behind the last match. */
static uint32_t find_chain(const struct merge *m, struct merge_group *group, const struct merge_item *item,
                           size_t *slot)
{
    if (group->slots != 0)
        return find_hashed(m, group, item, slot);
    uint32_t end = group->known < m->items ? group->known : m->items;
    uint32_t chain = find_pairwise(m, group->hint, end, item);
    if (chain == MERGE_NONE)
        chain = find_pairwise(m, group->first, group->hint < end ? group->hint : end, item);
    if (chain != MERGE_NONE)
        group->hint = chain + 1;
    return chain;
}

void merge_group_begin_object(const struct merge *m, struct merge_group *group)
{
    group->known = m->items;
    group->hint = group->first;
}

static enum fault items_grow(struct merge *m)
{
    uint32_t capacity = m->item_capacity == 0 ? FIRST_CAPACITY : m->item_capacity * 2;
    if (m->items == MERGE_MEMBERS_MAX)
        return FAULT_MALFORMED;
    struct merge_item *item = realloc(m->item, capacity * sizeof *item);
    if (item == NULL)
        return FAULT_MEMORY;
    m->item = item;
    m->item_capacity = capacity;
    return FAULT_NONE;
}

/* Appends the item to the chain that begins with item `chain`. */
static void chain_append(struct merge *m, uint32_t chain, uint32_t item)
{
    struct merge_item *first = &m->item[chain];
    m->item[item].follows = true;
    m->item[first->newest].newer = item;
    first->newest = item;
}

void merge_group_add(struct merge *m, struct merge_group *group, const struct merge_item *one)
{
    const struct jscan *scan = &m->scan[one->fragment];
    size_t slot = 0;

    if (m->trouble == FAULT_NONE && m->items == m->item_capacity)
        m->trouble = items_grow(m);
    if (m->trouble != FAULT_NONE)
        return;
    /* Filled in place: a struct copied from where it was just written costs a stalled copy for each member. */
    struct merge_item *item = &m->item[m->items];
    item->key = group->slots == 0 ? jscan_string_key(scan, one->name) : jscan_string_hash(scan, one->name, &m->key);
    item->name = one->name;
    item->value = one->value;
    item->tree = one->tree;
    item->newer = MERGE_NONE;
    item->newest = m->items;
    item->fragment = one->fragment;
    item->strict = one->strict;
    item->follows = false;
    uint32_t chain = find_chain(m, group, item, &slot);
    if (chain != MERGE_NONE)
        chain_append(m, chain, m->items);
    else if (group->slots != 0)
        m->table[slot] = m->items + 1;
    m->items++;
}

size_t merge_chain_width(const struct merge *m, uint32_t first)
{
    size_t width = 0;
    for (uint32_t i = first; i != MERGE_NONE; i = m->item[i].newer)
        width += merge_node(m, &m->item[i])->count;
    return width;
}
