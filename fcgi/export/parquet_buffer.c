/*
 * parquet_buffer: growing and letting go. See parquet_buffer.h.
 */
#include "export/parquet_buffer.h"

#include <stdlib.h>

#define LEAST 64u

bool parquet_buffer_grow(struct parquet_buffer *buffer, struct parquet_memory *memory, size_t more)
{
    size_t needed = buffer->length + more;
    size_t capacity = buffer->capacity < LEAST ? LEAST : buffer->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        memory->failed = true;
        return false;
    }
    memory->held += capacity - buffer->capacity;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void parquet_buffer_free(struct parquet_buffer *buffer, struct parquet_memory *memory)
{
    free(buffer->data);
    memory->held -= buffer->capacity;
    *buffer = (struct parquet_buffer){0};
}

void parquet_buffer_reset(struct parquet_buffer *buffer, struct parquet_memory *memory, size_t keep)
{
    buffer->length = 0;
    if (buffer->capacity > keep)
        parquet_buffer_free(buffer, memory);
}
