/*
 * parquet_thrift: writes structs in Thrift's compact protocol, the form of Parquet's headers and footers.
 *
 * Only what Parquet needs: fields in ascending order of their ids, ids up to 15 apart. Source: the
 * specification "Thrift compact protocol encoding" of Apache Thrift. Callers: parquet_schema, parquet_page,
 * parquet_file.
 */
#ifndef CONSIGN_EXPORT_PARQUET_THRIFT_H
#define CONSIGN_EXPORT_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_buffer.h"

#define PARQUET_THRIFT_DEPTH 8

/* The types that lists here are made of. */
enum parquet_thrift_type {
    PARQUET_THRIFT_I32 = 5,
    PARQUET_THRIFT_BINARY = 8,
    PARQUET_THRIFT_STRUCT = 12
};

struct parquet_thrift {
    struct parquet_buffer *out;
    struct parquet_memory *memory;
    int last[PARQUET_THRIFT_DEPTH]; /* id of the field before, per struct that is open */
    int depth;
};

/* A writer that appends to `out`. */
#define PARQUET_THRIFT_INIT(buffer, counted) ((struct parquet_thrift){.out = (buffer), .memory = (counted)})

/* A struct: the outermost, an element of a list, or, with an id, a field. Each is ended by parquet_thrift_end(). */
void parquet_thrift_begin(struct parquet_thrift *thrift);
void parquet_thrift_begin_field(struct parquet_thrift *thrift, int id);
void parquet_thrift_end(struct parquet_thrift *thrift);

/* Fields of the struct that is open. */
void parquet_thrift_bool(struct parquet_thrift *thrift, int id, bool value);
void parquet_thrift_i16(struct parquet_thrift *thrift, int id, int16_t value);
void parquet_thrift_i32(struct parquet_thrift *thrift, int id, int32_t value);
void parquet_thrift_i64(struct parquet_thrift *thrift, int id, int64_t value);
void parquet_thrift_binary(struct parquet_thrift *thrift, int id, const char *bytes, size_t length);

/* A field that is a list of `count` elements; they follow by begin/end or by the two functions below. */
void parquet_thrift_list(struct parquet_thrift *thrift, int id, enum parquet_thrift_type type, uint32_t count);
void parquet_thrift_element_i32(struct parquet_thrift *thrift, int32_t value);
void parquet_thrift_element_binary(struct parquet_thrift *thrift, const char *bytes, size_t length);

/* An empty struct as a field: how a union names one of its kinds that has no more to say. */
void parquet_thrift_empty(struct parquet_thrift *thrift, int id);

#endif
