/*
 * shared_table: what one process of a pool has found out, for all of them. See shared_table.h.
 */
#include "lib/shared_table.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/siphash.h"

#define SHARED_TABLE_WAYS 2 /* places that an entry may have */

struct shared_entry {
    unsigned char key[CRYPTO_SHA256_BYTES];
    int64_t until; /* 0: empty */
    uint64_t checksum;
    unsigned char value[]; /* then zeros up to a whole word */
};

struct shared_table {
    struct siphash_key secret;
    size_t sets; /* of SHARED_TABLE_WAYS places each */
    size_t value_bytes;
    size_t stride; /* from one entry to the next */
    _Alignas(struct shared_entry) unsigned char entries[];
};

struct shared_table *shared_table_new(size_t slots, size_t value_bytes)
{
    size_t words = (value_bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    size_t stride = sizeof(struct shared_entry) + words * sizeof(uint64_t);
    struct shared_table *table = mmap(NULL, sizeof *table + slots * stride, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    table->sets = slots / SHARED_TABLE_WAYS;
    table->value_bytes = value_bytes;
    table->stride = stride;
    siphash_draw_key(&table->secret);
    return table;
}

static uint64_t shared_table_checksum(const struct shared_table *table, const struct shared_entry *head, const void *value)
{
    struct siphash hash;
    siphash_begin(&hash, &table->secret);
    siphash_add(&hash, (const char *)head, offsetof(struct shared_entry, checksum));
    siphash_add(&hash, value, table->value_bytes);
    return siphash_end(&hash);
}

/* Place number `way` of those that a key may have. */
static struct shared_entry *shared_table_place(struct shared_table *table, const unsigned char *key, size_t way)
{
    uint32_t number;
    memcpy(&number, key, sizeof number);
    return (void *)(table->entries + (number % table->sets * SHARED_TABLE_WAYS + way) * table->stride);
}

bool shared_table_get(struct shared_table *table, const unsigned char key[CRYPTO_SHA256_BYTES], int64_t now,
                      void *value)
{
    for (size_t way = 0; way < SHARED_TABLE_WAYS; way++) {
        const struct shared_entry *place = shared_table_place(table, key, way);
        struct shared_entry head;
        if (memcmp(place->key, key, CRYPTO_SHA256_BYTES) != 0)
            continue;
        memcpy(&head, place, sizeof head);
        memcpy(value, place->value, table->value_bytes);
        atomic_thread_fence(memory_order_acquire);
        if (head.checksum == shared_table_checksum(table, &head, value) &&
            memcmp(head.key, key, CRYPTO_SHA256_BYTES) == 0 && now < head.until)
            return true;
    }
    return false;
}

void shared_table_put(struct shared_table *table, const unsigned char key[CRYPTO_SHA256_BYTES], int64_t until,
                      const void *value)
{
    struct shared_entry *place = NULL, head = {.until = until};
    memcpy(head.key, key, sizeof head.key);
    head.checksum = shared_table_checksum(table, &head, value);
    for (size_t way = 0; way < SHARED_TABLE_WAYS; way++) {
        struct shared_entry *other = shared_table_place(table, key, way);
        if (memcmp(other->key, key, CRYPTO_SHA256_BYTES) == 0) {
            place = other;
            break;
        }
        if (place == NULL || other->until < place->until)
            place = other;
    }
    memcpy(place, &head, sizeof head);
    memcpy(place->value, value, table->value_bytes);
}

int shared_table_count(const struct shared_table *table, int64_t now)
{
    int count = 0;
    for (size_t i = 0; i < table->sets * SHARED_TABLE_WAYS; i++) {
        const struct shared_entry *entry = (const void *)(table->entries + i * table->stride);
        count += now < entry->until;
    }
    return count;
}
