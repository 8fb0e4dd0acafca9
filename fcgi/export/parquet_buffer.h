/*
 * parquet_buffer: bytes that grow, and how much all of them hold together.
 *
 * Everything that a Parquet sink keeps of rows lies in such buffers, so that it knows when to let go
 * of some. Callers: the parquet files here.
 *
 * An append that gets no memory drops its bytes and sets `failed`, which stays; who hands out results checks
 * it first.
 */
#ifndef CONSIGN_EXPORT_PARQUET_BUFFER_H
#define CONSIGN_EXPORT_PARQUET_BUFFER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct parquet_memory {
    size_t held; /* capacities of all buffers, in bytes */
    bool failed;
};

struct parquet_buffer {
    char *data;
    size_t length;
    size_t capacity;
};

/* Makes room for `more` bytes behind what is there. False: no memory. */
bool parquet_buffer_grow(struct parquet_buffer *buffer, struct parquet_memory *memory, size_t more);

/* Frees its memory; it may be used again. */
void parquet_buffer_free(struct parquet_buffer *buffer, struct parquet_memory *memory);

/* Empties it; memory beyond `keep` bytes is freed. */
void parquet_buffer_reset(struct parquet_buffer *buffer, struct parquet_memory *memory, size_t keep);

static inline bool parquet_buffer_room(struct parquet_buffer *buffer, struct parquet_memory *memory, size_t more)
{
    return buffer->capacity - buffer->length >= more || parquet_buffer_grow(buffer, memory, more);
}

static inline void parquet_buffer_add(struct parquet_buffer *buffer, struct parquet_memory *memory, const char *bytes,
                                      size_t length)
{
    if (length == 0 || !parquet_buffer_room(buffer, memory, length))
        return;
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
}

static inline void parquet_buffer_add_byte(struct parquet_buffer *buffer, struct parquet_memory *memory, unsigned byte)
{
    if (parquet_buffer_room(buffer, memory, 1))
        buffer->data[buffer->length++] = (char)byte;
}

static inline void parquet_buffer_add_u32(struct parquet_buffer *buffer, struct parquet_memory *memory, uint32_t value)
{
    uint32_t little = htole32(value);
    parquet_buffer_add(buffer, memory, (const char *)&little, sizeof little);
}

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static inline void parquet_buffer_add_varint(struct parquet_buffer *buffer, struct parquet_memory *memory,
                                             uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        parquet_buffer_add_byte(buffer, memory, (unsigned)(value & 0x7f) | 0x80);
    parquet_buffer_add_byte(buffer, memory, (unsigned)value);
}

#endif
