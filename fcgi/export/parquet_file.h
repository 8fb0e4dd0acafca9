/*
 * parquet_file: row groups and the footer of one Parquet file at a time.
 *
 * Source: parquet.thrift and README.md of apache/parquet-format. Caller: sink_parquet.
 *
 * Faults: those of part and parquet_page.
 */
#ifndef CONSIGN_EXPORT_PARQUET_FILE_H
#define CONSIGN_EXPORT_PARQUET_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "export/parquet_page.h"
#include "export/parquet_schema.h"
#include "export/part.h"
#include "export/sink.h"
#include "lib/fault.h"

struct parquet_file {
    struct parquet_schema *schema; /* the caller's, as are the pages */
    struct parquet_pages *pages;
    bool compressed;
    struct part part;            /* open while it has a file */
    int64_t *written;            /* of the parts; NULL, or set after parquet_file_init() */
    struct parquet_store groups; /* what the footer will say of the row groups */
    struct parquet_buffer text;  /* a piece of the footer */
    uint64_t rows;
    uint32_t group_count;
};

/* A writer without a file. `share` is how much the footers' store may hold in memory. */
void parquet_file_init(struct parquet_file *file, struct parquet_schema *schema, struct parquet_pages *pages,
                       bool compressed, size_t share, int directory);
void parquet_file_free(struct parquet_file *file); /* discards the part that is open */

/* Creates the file. */
enum fault parquet_file_begin(struct parquet_file *file, int directory, const char *name) MUST_CHECK;

/* Ends the chunks of all columns and writes them as a row group of `rows` rows, at least one. The next chunks
 * are begun. */
enum fault parquet_file_end_group(struct parquet_file *file, uint64_t rows) MUST_CHECK;

/* Writes the footer; the part is then complete, for sink_add_part(). */
enum fault parquet_file_end(struct parquet_file *file, const struct sink_note *note, uint32_t notes) MUST_CHECK;

#endif
