/*
 * jscan_unique: no member name twice in one object (RFC 7493 section 2.3).
 *
 * Small objects, nearly all, are compared pair by pair through a cheap key; wide ones through a
 * hash table in the scanner's scratch memory, whose hash is keyed so that no client can make the
 * check slow (siphash.h).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/jscan_internal.h"
#include "lib/jscan_name.h"

#define SMALL 16

/* The scratch memory: the key, drawn once, then the table. */
struct slot {
    uint32_t name; /* tape index; 0 is an empty slot: no name is node 0 */
    uint32_t hash; /* the upper half, to compare before the bytes */
};

struct table {
    struct siphash_key key;
    struct slot slot[];
};

static enum jscan_fault check_small(const struct jscan *scan, uint32_t object, uint32_t *second)
{
    uint64_t key[SMALL];
    uint32_t name[SMALL];
    uint32_t at = object + 1;

    for (uint32_t i = 0; i < scan->node[object].count; i++) {
        key[i] = jscan_string_key(scan, at);
        name[i] = at;
        for (uint32_t j = 0; j < i; j++) {
            if (key[j] == key[i] && jscan_strings_equal(scan, name[j], scan, at)) {
                *second = at;
                return JSCAN_DUPLICATE;
            }
        }
        at = scan->node[at + 1].next;
    }
    return JSCAN_OK;
}

/* The scratch table with `slots` empty slots, or NULL. */
static struct table *take_table(struct jscan *scan, size_t slots)
{
    size_t needed = sizeof(struct table) + slots * sizeof(struct slot);
    if (scan->scratch_size < needed) {
        bool first = scan->scratch == NULL;
        void *grown = realloc(scan->scratch, needed);
        if (grown == NULL)
            return NULL;
        scan->scratch = grown;
        scan->scratch_size = needed;
        if (first)
            siphash_draw_key(&((struct table *)grown)->key);
    }
    struct table *table = scan->scratch;
    memset(table->slot, 0, slots * sizeof(struct slot));
    return table;
}

static enum jscan_fault check_wide(struct jscan *scan, uint32_t object, uint32_t *second)
{
    size_t slots = 64;
    while (slots < (size_t)scan->node[object].count * 2)
        slots *= 2;
    struct table *table = take_table(scan, slots);
    if (table == NULL)
        return JSCAN_MEMORY;

    uint32_t at = object + 1;
    for (uint32_t i = 0; i < scan->node[object].count; i++) {
        uint64_t hash = jscan_string_hash(scan, at, &table->key);
        struct slot *slot = &table->slot[hash & (slots - 1)];
        while (slot->name != 0) {
            if (slot->hash == (uint32_t)(hash >> 32) && jscan_strings_equal(scan, slot->name, scan, at)) {
                *second = at;
                return JSCAN_DUPLICATE;
            }
            if (++slot == table->slot + slots)
                slot = table->slot;
        }
        *slot = (struct slot){.name = at, .hash = (uint32_t)(hash >> 32)};
        at = scan->node[at + 1].next;
    }
    return JSCAN_OK;
}

enum jscan_fault jscan_unique_check(struct jscan *scan, uint32_t object, uint32_t *second)
{
    *second = object + 1;
    return scan->node[object].count <= SMALL ? check_small(scan, object, second) : check_wide(scan, object, second);
}
