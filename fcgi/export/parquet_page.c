/*
 * parquet_page: headers, compression, chains of pages. See parquet_page.h.
 */
#include "export/parquet_page.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "export/parquet_thrift.h"
#include "lib/log.h"

#define LEVEL 3 /* pages hold one kind of value, mostly numbers of a dictionary: an eighth of an export is spent here */
#define PAGE_LEAST ((size_t)4 * 1024)
#define PAGE_MOST ((size_t)64 * 1024)
#define DICTIONARY_LEAST ((size_t)8 * 1024)
#define DICTIONARY_MOST ((size_t)128 * 1024)
#define KEEP_BYTES (2 * PAGE_MOST) /* a longer page was one long value: its room is given back */
#define SMALL_BYTES ((size_t)4 * 1024 * 1024)

/* Page types and field ids of struct PageHeader. */
enum { DATA_PAGE = 0, DICTIONARY_PAGE = 2 };
enum { FIELD_TYPE = 1, FIELD_RAW = 2, FIELD_PACKED = 3, FIELD_DATA = 5, FIELD_DICTIONARY = 7 };

/* Stands before each page in the store. */
struct link {
    uint64_t next;
    uint64_t length; /* header and body of the page */
};

static size_t clamp(size_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* No window is longer than a page needs, and with little memory the tables are small too: about 0.7 MiB, or 0.1. */
static bool open_compressor(struct parquet_pages *pages, bool small)
{
    pages->compressor = ZSTD_createCCtx();
    return pages->compressor != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(pages->compressor, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(pages->compressor, ZSTD_c_windowLog, small ? 14 : 17)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(pages->compressor, ZSTD_c_hashLog, small ? 12 : 16)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(pages->compressor, ZSTD_c_chainLog, small ? 12 : 15));
}

enum fault parquet_pages_open(struct parquet_pages *pages, size_t memory_bytes, bool compressed, int directory)
{
    *pages = (struct parquet_pages){
        .store = PARQUET_STORE_INIT(memory_bytes / 4, directory),
        .page_bytes = clamp(memory_bytes / 64, PAGE_LEAST, PAGE_MOST),
        .dictionary_bytes = clamp(memory_bytes / 32, DICTIONARY_LEAST, DICTIONARY_MOST),
    };
    siphash_draw_key(&pages->key);
    if (compressed && !open_compressor(pages, memory_bytes < SMALL_BYTES))
        return FAULT_MEMORY;
    return FAULT_NONE;
}

void parquet_pages_close(struct parquet_pages *pages)
{
    parquet_store_free(&pages->store, &pages->shared);
    parquet_buffer_free(&pages->body, &pages->shared);
    parquet_buffer_free(&pages->packed, &pages->shared);
    parquet_buffer_free(&pages->header, &pages->shared);
    ZSTD_freeCCtx(pages->compressor);
    pages->compressor = NULL;
}

enum fault parquet_pages_fault(const struct parquet_pages *pages)
{
    if (pages->fault != FAULT_NONE)
        return pages->fault;
    return pages->memory.failed || pages->shared.failed ? FAULT_MEMORY : FAULT_NONE;
}

/* Compresses the bytes into `packed`. False: pages->fault says why. */
static bool compress(struct parquet_pages *pages, const char *bytes, size_t length)
{
    pages->packed.length = 0;
    if (!parquet_buffer_room(&pages->packed, &pages->shared, ZSTD_compressBound(length)))
        return false;
    size_t packed = ZSTD_compress2(pages->compressor, pages->packed.data, pages->packed.capacity, bytes, length);
    if (ZSTD_isError(packed)) {
        log_event(LOG_ERROR, "zstd", "reason=%s", log_quote(ZSTD_getErrorName(packed)));
        pages->fault = ZSTD_getErrorCode(packed) == ZSTD_error_memory_allocation ? FAULT_MEMORY : FAULT_INTERNAL;
        return false;
    }
    pages->packed.length = packed;
    return true;
}

/* Puts header and bytes into the store behind a link; where it begins, or PARQUET_NOWHERE after a fault. */
static uint64_t keep(struct parquet_pages *pages, const char *bytes, size_t length)
{
    uint64_t at = parquet_store_length(&pages->store);
    struct link link = {.next = PARQUET_NOWHERE, .length = pages->header.length + length};
    struct parquet_memory *memory = &pages->shared;
    enum fault fault = parquet_pages_fault(pages);
    if (fault == FAULT_NONE)
        fault = parquet_store_append(&pages->store, memory, (const char *)&link, sizeof link);
    if (fault == FAULT_NONE)
        fault = parquet_store_append(&pages->store, memory, pages->header.data, pages->header.length);
    if (fault == FAULT_NONE)
        fault = parquet_store_append(&pages->store, memory, bytes, length);
    pages->fault = fault;
    return fault == FAULT_NONE ? at : PARQUET_NOWHERE;
}

/* Makes the header of a page. */
static void write_header(struct parquet_pages *pages, int type, size_t raw, size_t packed, uint32_t count,
                         enum parquet_encoding encoding)
{
    pages->header.length = 0;
    struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&pages->header, &pages->shared);
    parquet_thrift_begin(&thrift);
    parquet_thrift_i32(&thrift, FIELD_TYPE, type);
    parquet_thrift_i32(&thrift, FIELD_RAW, (int32_t)raw);
    parquet_thrift_i32(&thrift, FIELD_PACKED, (int32_t)packed);
    parquet_thrift_begin_field(&thrift, type == DATA_PAGE ? FIELD_DATA : FIELD_DICTIONARY);
    parquet_thrift_i32(&thrift, 1, (int32_t)count);
    parquet_thrift_i32(&thrift, 2, (int32_t)encoding);
    if (type == DATA_PAGE) {
        parquet_thrift_i32(&thrift, 3, PARQUET_RLE); /* definition levels */
        parquet_thrift_i32(&thrift, 4, PARQUET_RLE); /* repetition levels */
    }
    parquet_thrift_end(&thrift);
    parquet_thrift_end(&thrift);
}

/* Compresses a page and puts it into the store; where it begins. */
static uint64_t put(struct parquet_pages *pages, struct parquet_chunk *chunk, int type, const char *bytes,
                    size_t length, uint32_t count, enum parquet_encoding encoding, uint64_t *stored)
{
    const char *packed = bytes;
    size_t packed_length = length;
    if (parquet_pages_fault(pages) != FAULT_NONE)
        return PARQUET_NOWHERE;
    if (pages->compressor != NULL) {
        if (!compress(pages, bytes, length))
            return PARQUET_NOWHERE;
        packed = pages->packed.data;
        packed_length = pages->packed.length;
    }
    write_header(pages, type, length, packed_length, count, encoding);
    uint64_t at = keep(pages, packed, packed_length);
    chunk->raw_bytes += pages->header.length + length;
    *stored = pages->header.length + packed_length;
    chunk->packed_bytes += *stored;
    parquet_buffer_reset(&pages->packed, &pages->shared, KEEP_BYTES);
    return at;
}

void parquet_pages_add(struct parquet_pages *pages, struct parquet_chunk *chunk, uint32_t entries,
                       enum parquet_encoding encoding)
{
    uint64_t stored;
    uint64_t at = put(pages, chunk, DATA_PAGE, pages->body.data, pages->body.length, entries, encoding, &stored);
    parquet_buffer_reset(&pages->body, &pages->shared, KEEP_BYTES);
    if (at == PARQUET_NOWHERE)
        return;
    if (chunk->tail == PARQUET_NOWHERE)
        chunk->head = at;
    else
        pages->fault = parquet_store_patch(&pages->store, chunk->tail, (const char *)&at, sizeof at);
    chunk->tail = at;
    chunk->entries += entries;
    chunk->plain = chunk->plain || encoding == PARQUET_PLAIN;
    chunk->numbered = chunk->numbered || encoding == PARQUET_RLE_DICTIONARY;
}

void parquet_pages_add_dictionary(struct parquet_pages *pages, struct parquet_chunk *chunk, const char *values,
                                  size_t length, uint32_t count)
{
    chunk->dictionary =
        put(pages, chunk, DICTIONARY_PAGE, values, length, count, PARQUET_PLAIN, &chunk->dictionary_packed_bytes);
}

static enum fault write_page(const struct parquet_pages *pages, uint64_t at, struct link *link, struct part *part)
{
    enum fault fault = parquet_store_read(&pages->store, at, (char *)link, sizeof *link);
    return fault != FAULT_NONE ? fault : parquet_store_copy(&pages->store, at + sizeof *link, link->length, part);
}

enum fault parquet_pages_write(struct parquet_pages *pages, const struct parquet_chunk *chunk, struct part *part)
{
    struct link link;
    enum fault fault = FAULT_NONE;
    if (chunk->dictionary != PARQUET_NOWHERE)
        fault = write_page(pages, chunk->dictionary, &link, part);
    link.next = chunk->head;
    while (fault == FAULT_NONE && link.next != PARQUET_NOWHERE)
        fault = write_page(pages, link.next, &link, part);
    return fault;
}
