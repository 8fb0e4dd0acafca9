/*
 * parquet_column: one leaf of the schema: its values and levels become pages.
 *
 * A chunk (a column in a row group) begins with a dictionary and numbers into it; when the dictionary gets
 * too long, or does not pay, the values follow plain. Levels are Dremel's: definition says how much of the path is
 * there, repetition which list goes on. Callers: parquet_shred gives values, parquet_file ends chunks.
 *
 * Faults go into pages->fault and pages->memory.
 */
#ifndef CONSIGN_EXPORT_PARQUET_COLUMN_H
#define CONSIGN_EXPORT_PARQUET_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_dictionary.h"
#include "export/parquet_levels.h"
#include "export/parquet_page.h"
#include "export/parquet_statistics.h"

/* Physical types of parquet.thrift. */
enum parquet_type { PARQUET_BOOLEAN = 0, PARQUET_INT64 = 2, PARQUET_DOUBLE = 5, PARQUET_BYTES = 6 };

struct parquet_column {
    enum parquet_type type;
    uint8_t definition; /* level of a value that is there */
    uint8_t repetition; /* most */
    bool bounded;       /* keeps the least and greatest value */
    bool coded;         /* the values of the page are numbers, uint16_t each */
    bool barren;        /* a dictionary did not pay in the last chunk */
    uint32_t entries;   /* of the page: values and nulls */
    uint32_t values;    /* of the page */
    uint64_t plain_bytes; /* what the page's values would take in PLAIN, while `coded` */
    struct parquet_levels definitions;
    struct parquet_levels repetitions;
    struct parquet_buffer data; /* the page's values */
    struct parquet_dictionary dictionary;
    struct parquet_statistics statistics;
    struct parquet_chunk chunk;
};

/* A column without values. */
void parquet_column_init(struct parquet_column *column, enum parquet_type type, uint8_t definition,
                         uint8_t repetition, bool bounded);

/* Add one value. */
void parquet_column_boolean(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                            bool value);
void parquet_column_integer(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                            int64_t value);
void parquet_column_number(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                           double value);
void parquet_column_bytes(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                          const char *bytes, size_t length);

/* Adds `count` times nothing: only the path up to level `definition` is there. */
void parquet_column_nulls(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                          uint8_t definition, uint64_t count);

/* Ends the page that is open and gives its memory back. */
void parquet_column_relieve(struct parquet_column *column, struct parquet_pages *pages);

/* Ends the dictionary, if there is one; the chunk goes on in plain values. */
void parquet_column_end_dictionary(struct parquet_column *column, struct parquet_pages *pages);

/* Ends the chunk: all its pages are then in the store. */
void parquet_column_end_chunk(struct parquet_column *column, struct parquet_pages *pages);

/* Begins the next chunk. */
void parquet_column_begin_chunk(struct parquet_column *column, struct parquet_pages *pages);

/* Frees its memory. */
void parquet_column_free(struct parquet_column *column, struct parquet_pages *pages);

#endif
