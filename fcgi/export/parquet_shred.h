/*
 * parquet_shred: JSON texts of rows into columns.
 *
 * A row is taken apart along its schema: each value goes into the column of its path with the levels that say
 * where it stood ("Dremel", Melnik and others 2010). Null and absent are the same. What is absent below a group
 * or a list is only counted there and told to the columns when something comes that is not, so that a row costs
 * what it holds and not what the schema has. Caller: sink_parquet.
 *
 * Faults: FAULT_INTERNAL (logged with the path): a value that its column does not hold, a member that is not null
 * and has no column while the whole profile has none, a text that is no object; those of parquet_page.
 */
#ifndef CONSIGN_EXPORT_PARQUET_SHRED_H
#define CONSIGN_EXPORT_PARQUET_SHRED_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_page.h"
#include "export/parquet_schema.h"
#include "lib/fault.h"
#include "lib/jscan.h"

struct parquet_shred {
    struct parquet_schema *schema; /* the caller's, as are the pages */
    struct parquet_pages *pages;
    struct jscan scan;
    struct parquet_buffer text; /* a string without its escapes */
    locale_t plain;
    uint32_t document; /* node of the column for the whole profile (rowschema.h); 0: none */
    uint64_t stamp;  /* group instances so far */
    uint32_t events; /* node of eventList, the last member of the row and a list; 0: rows have none */
    uint8_t event_level; /* repetition level of the next event: 0 for the first of a row */
    bool own_events;     /* the profile at hand has a member eventList itself: no events may follow */
};

/* FAULT_MEMORY. Released with parquet_shred_close(), also after a fault. */
enum fault parquet_shred_open(struct parquet_shred *shred, struct parquet_schema *schema,
                              struct parquet_pages *pages) MUST_CHECK;
void parquet_shred_close(struct parquet_shred *shred);

/* The profile of a row, each of its events, its end. */
enum fault parquet_shred_profile(struct parquet_shred *shred, const char *text, size_t length) MUST_CHECK;
enum fault parquet_shred_event(struct parquet_shred *shred, const char *text, size_t length) MUST_CHECK;
void parquet_shred_end(struct parquet_shred *shred);

/* Tells the columns of everything that was absent: before a row group ends. */
void parquet_shred_settle(struct parquet_shred *shred);

#endif
