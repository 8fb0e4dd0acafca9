/*
 * parquet_store: bytes that wait to be written, in memory up to a share and beyond it in a scratch file.
 *
 * The pages of a row group come column by column in no order, the file wants all of one column together; so they
 * wait here. The scratch file has lost its name before the first byte is written: it goes with
 * its descriptor whatever happens. Callers: parquet_page, parquet_file.
 *
 * Faults: FAULT_DISK_FULL, FAULT_DISK (logged), FAULT_MEMORY.
 */
#ifndef CONSIGN_EXPORT_PARQUET_STORE_H
#define CONSIGN_EXPORT_PARQUET_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/part.h"
#include "export/parquet_buffer.h"
#include "lib/fault.h"

struct parquet_store {
    struct parquet_buffer memory; /* what came last */
    uint64_t in_file;             /* bytes before it, in the scratch file */
    size_t share;                 /* most bytes in memory */
    int directory;                /* where the scratch file is made */
    int file;                     /* -1: none */
};

/* An empty store. `directory` is the caller's. */
#define PARQUET_STORE_INIT(bytes, at) ((struct parquet_store){.share = (bytes), .directory = (at), .file = -1})

/* Bytes in the store; where the next append begins. */
uint64_t parquet_store_length(const struct parquet_store *store);

enum fault parquet_store_append(struct parquet_store *store, struct parquet_memory *memory, const char *bytes,
                                size_t length) MUST_CHECK;

/* Overwrites bytes that are there. */
enum fault parquet_store_patch(struct parquet_store *store, uint64_t at, const char *bytes, size_t length) MUST_CHECK;

/* Reads bytes that are there. */
enum fault parquet_store_read(const struct parquet_store *store, uint64_t at, char *bytes, size_t length) MUST_CHECK;

/* Writes bytes that are there to `part`. */
enum fault parquet_store_copy(const struct parquet_store *store, uint64_t at, uint64_t length,
                              struct part *part) MUST_CHECK;

/* Empties it; the scratch file goes. */
void parquet_store_reset(struct parquet_store *store);
void parquet_store_free(struct parquet_store *store, struct parquet_memory *memory);

#endif
