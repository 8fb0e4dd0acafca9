/*
 * parquet_page: makes pages and keeps them until their row group is written.
 *
 * What the columns of a sink share: the accounts of memory, the compressor, the store, and the first fault, so that the
 * paths on which values come need no check of their own. Callers: parquet_column, parquet_file, sink_parquet.
 */
#ifndef CONSIGN_EXPORT_PARQUET_PAGE_H
#define CONSIGN_EXPORT_PARQUET_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_buffer.h"
#include "export/parquet_store.h"
#include "export/part.h"
#include "lib/fault.h"
#include "lib/siphash.h"

#define PARQUET_NOWHERE UINT64_MAX

/* Encodings of parquet.thrift. */
enum parquet_encoding { PARQUET_PLAIN = 0, PARQUET_RLE = 3, PARQUET_RLE_DICTIONARY = 8 };

struct parquet_pages {
    struct parquet_memory memory;  /* of the columns: what a relief can give back */
    struct parquet_memory shared;  /* of everything below */
    struct parquet_store store;    /* pages, each with a link to the next of its chunk before it */
    struct parquet_buffer body;    /* the page at hand: levels and values */
    struct parquet_buffer packed;  /* the same, compressed */
    struct parquet_buffer header;
    struct ZSTD_CCtx_s *compressor; /* NULL: pages stay as they are */
    struct siphash_key key;        /* of the dictionaries */
    size_t page_bytes;             /* a page whose values have grown to this is ended */
    size_t dictionary_bytes;       /* most bytes of a dictionary */
    enum fault fault;              /* the first one, besides memory that ran out */
};

/* The pages of one column in the row group that is open. */
struct parquet_chunk {
    uint64_t head; /* the first page in the store, or PARQUET_NOWHERE */
    uint64_t tail;
    uint64_t dictionary; /* the dictionary page; it stands before all others in the file */
    uint64_t entries;    /* level entries: values and nulls */
    uint64_t nulls;
    uint64_t raw_bytes;    /* of all pages with their headers, before compression */
    uint64_t packed_bytes; /* as they are stored */
    uint64_t dictionary_packed_bytes;
    bool plain;    /* there are PLAIN pages */
    bool numbered; /* there are pages of numbers into the dictionary */
};

#define PARQUET_CHUNK_INIT                                                                                            \
    ((struct parquet_chunk){.head = PARQUET_NOWHERE, .tail = PARQUET_NOWHERE, .dictionary = PARQUET_NOWHERE})

/* For a sink that may hold `memory_bytes`; scratch files are made in `directory`. FAULT_MEMORY. Released with
 * parquet_pages_close(), also after a fault. */
enum fault parquet_pages_open(struct parquet_pages *pages, size_t memory_bytes, bool compressed,
                              int directory) MUST_CHECK;
void parquet_pages_close(struct parquet_pages *pages);

/* Ends the page in `body`, a data page of `entries` level entries, and adds it to the chunk. Faults
 * go into pages->fault. */
void parquet_pages_add(struct parquet_pages *pages, struct parquet_chunk *chunk, uint32_t entries,
                       enum parquet_encoding encoding);

/* The same for the chunk's dictionary page, which holds `count` values. */
void parquet_pages_add_dictionary(struct parquet_pages *pages, struct parquet_chunk *chunk, const char *values,
                                  size_t length, uint32_t count);

/* The first fault of all that happened since the sink was opened. */
enum fault parquet_pages_fault(const struct parquet_pages *pages) MUST_CHECK;

/* Writes the chunk's pages to the file, the dictionary first. */
enum fault parquet_pages_write(struct parquet_pages *pages, const struct parquet_chunk *chunk,
                               struct part *part) MUST_CHECK;

#endif
