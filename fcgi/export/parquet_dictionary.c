/*
 * parquet_dictionary: an open hash table over the values. See parquet_dictionary.h.
 */
#include "export/parquet_dictionary.h"

#include "export/parquet_bytes.h"

#define SLOTS_LEAST 32u
#define LOOKS_MAX 128u /* chance asks for about 50 in a table that is at most half full */
#define LENGTH_BYTES sizeof(uint32_t)

/* 128 bits */
__extension__ typedef unsigned __int128 wide;

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const char *bytes, size_t length, const struct siphash_key *key)
{
    uint64_t hash = key->half[0] + length;
    size_t at = 0;
    for (; length - at > 16; at += 16)
        hash = fold(parquet_bytes_word(bytes + at) ^ key->half[1], parquet_bytes_word(bytes + at + 8) ^ hash);
    uint64_t a = 0, b = 0;
    if (length >= 16) {
        a = parquet_bytes_word(bytes + length - 16);
        b = parquet_bytes_word(bytes + length - 8);
    } else if (length >= 8) {
        a = parquet_bytes_word(bytes);
        b = parquet_bytes_word(bytes + length - 8);
    } else if (length >= 4) {
        a = parquet_bytes_half(bytes);
        b = parquet_bytes_half(bytes + length - 4);
    } else if (length > 0) {
        a = (uint64_t)(unsigned char)bytes[0] << 16 | (uint64_t)(unsigned char)bytes[length / 2] << 8 |
            (unsigned char)bytes[length - 1];
    }
    /* one product alone is too linear: values that count up would lie side by side in the table */
    return fold(fold(hash ^ a, b ^ key->half[1]) ^ key->half[0], UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t *table_of(const struct parquet_dictionary *d)
{
    return (uint64_t *)(void *)d->table.data;
}

static inline uint32_t offset_of(const struct parquet_dictionary *d, uint32_t number)
{
    return d->fixed ? number * PARQUET_DICTIONARY_FIXED : ((const uint32_t *)(const void *)d->offset.data)[number];
}

/* Bytes and length of the value that begins at `offset`, without what stands before it. */
static inline const char *value_at(const struct parquet_dictionary *d, uint32_t offset, size_t *length)
{
    const char *at = d->bytes.data + offset;
    uint32_t little;
    *length = PARQUET_DICTIONARY_FIXED;
    if (d->fixed)
        return at;
    memcpy(&little, at, sizeof little);
    *length = le32toh(little);
    return at + LENGTH_BYTES;
}

static inline uint64_t slot_of(uint64_t hash, uint32_t number, uint32_t offset)
{
    return (hash & UINT64_C(0xffff000000000000)) | (uint64_t)(number + 1) << 32 | offset;
}

/* Room for twice as many values. */
static bool widen(struct parquet_dictionary *d, struct parquet_memory *memory, const struct siphash_key *key)
{
    uint32_t slots = d->slots == 0 ? SLOTS_LEAST : d->slots * 2;
    d->table.length = 0;
    if (!parquet_buffer_room(&d->table, memory, slots * sizeof(uint64_t)))
        return false;
    memset(d->table.data, 0, slots * sizeof(uint64_t));
    d->slots = slots;
    uint64_t *table = table_of(d);
    for (uint32_t number = 0; number < d->count; number++) {
        size_t length;
        uint32_t offset = offset_of(d, number);
        const char *value = value_at(d, offset, &length);
        uint64_t hash = hash_of(value, length, key);
        uint32_t slot = (uint32_t)hash & (slots - 1);
        while (table[slot] != 0)
            slot = (slot + 1) & (slots - 1);
        table[slot] = slot_of(hash, number, offset);
    }
    return true;
}

static bool append(struct parquet_dictionary *d, struct parquet_memory *memory, const char *value, size_t length)
{
    size_t before = d->fixed ? 0 : LENGTH_BYTES;
    uint32_t offset = (uint32_t)d->bytes.length;
    if (!parquet_buffer_room(&d->bytes, memory, before + length))
        return false;
    if (!d->fixed) {
        if (!parquet_buffer_room(&d->offset, memory, sizeof offset))
            return false;
        parquet_buffer_add(&d->offset, memory, (const char *)&offset, sizeof offset);
        parquet_buffer_add_u32(&d->bytes, memory, (uint32_t)length);
    }
    parquet_buffer_add(&d->bytes, memory, value, length);
    d->count++;
    return true;
}

int32_t parquet_dictionary_number(struct parquet_dictionary *d, struct parquet_memory *memory,
                                  const struct siphash_key *key, size_t bound, const char *value, size_t length,
                                  bool *fresh)
{
    *fresh = false;
    if (d->count >= d->slots / 2 && !widen(d, memory, key))
        return -1;
    uint64_t hash = hash_of(value, length, key);
    uint64_t *table = table_of(d);
    uint32_t slot = (uint32_t)hash & (d->slots - 1);
    for (unsigned looks = 0; table[slot] != 0; slot = (slot + 1) & (d->slots - 1)) {
        if (table[slot] >> 48 == hash >> 48) {
            size_t other_length;
            const char *other = value_at(d, (uint32_t)table[slot], &other_length);
            if (other_length == length && parquet_bytes_equal(other, value, length))
                return (int32_t)((table[slot] >> 32 & 0xffff) - 1);
        }
        if (++looks == LOOKS_MAX)
            return -1;
    }
    if (d->count == PARQUET_DICTIONARY_COUNT_MAX || length > bound || d->bytes.length + length + LENGTH_BYTES > bound ||
        !append(d, memory, value, length))
        return -1;
    table[slot] = slot_of(hash, d->count - 1, offset_of(d, d->count - 1));
    *fresh = true;
    return (int32_t)d->count - 1;
}

void parquet_dictionary_copy(const struct parquet_dictionary *d, struct parquet_memory *memory, uint32_t number,
                             struct parquet_buffer *out)
{
    size_t length;
    const char *value = value_at(d, offset_of(d, number), &length);
    if (!d->fixed)
        parquet_buffer_add_u32(out, memory, (uint32_t)length);
    parquet_buffer_add(out, memory, value, length);
}

void parquet_dictionary_free(struct parquet_dictionary *d, struct parquet_memory *memory)
{
    parquet_buffer_free(&d->bytes, memory);
    parquet_buffer_free(&d->offset, memory);
    parquet_buffer_free(&d->table, memory);
    d->slots = 0;
    d->count = 0;
}
