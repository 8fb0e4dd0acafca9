/*
 * parquet_file: magic, row groups, footer. See parquet_file.h.
 */
#include "export/parquet_file.h"

#include <string.h>

#include "export/parquet_thrift.h"

#define MAGIC "PAR1"
#define MAGIC_BYTES 4
#define CREATED_BY "consign"
#define ORDINAL_MOST INT16_MAX
#define KEEP_BYTES ((size_t)64 * 1024)

/* Values of enum CompressionCodec. */
enum { CODEC_NONE = 0, CODEC_ZSTD = 6 };

/* Field ids of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData. */
enum { FILE_VERSION = 1, FILE_SCHEMA, FILE_ROWS, FILE_GROUPS, FILE_NOTES, FILE_CREATED_BY, FILE_ORDERS };
enum { GROUP_COLUMNS = 1, GROUP_BYTES, GROUP_ROWS, GROUP_OFFSET = 5, GROUP_PACKED, GROUP_ORDINAL };
enum { CHUNK_OFFSET = 2, CHUNK_META };
enum {
    META_TYPE = 1,
    META_ENCODINGS,
    META_PATH,
    META_CODEC,
    META_ENTRIES,
    META_RAW,
    META_PACKED,
    META_DATA_OFFSET = 9,
    META_DICTIONARY_OFFSET = 11,
    META_STATISTICS
};

void parquet_file_init(struct parquet_file *file, struct parquet_schema *schema, struct parquet_pages *pages,
                       bool compressed, size_t share, int directory)
{
    *file = (struct parquet_file){.schema = schema,
                                  .pages = pages,
                                  .compressed = compressed,
                                  .part = PART_INIT,
                                  .groups = PARQUET_STORE_INIT(share, directory)};
}

void parquet_file_free(struct parquet_file *file)
{
    part_discard(&file->part);
    parquet_store_free(&file->groups, &file->pages->shared);
    parquet_buffer_free(&file->text, &file->pages->shared);
}

enum fault parquet_file_begin(struct parquet_file *file, int directory, const char *name)
{
    enum fault fault = part_create(&file->part, directory, name);
    file->part.written = file->written;
    file->rows = 0;
    file->group_count = 0;
    parquet_store_reset(&file->groups);
    return fault != FAULT_NONE ? fault : part_write(&file->part, MAGIC, MAGIC_BYTES);
}

static enum parquet_order order_of(enum parquet_type type)
{
    switch (type) {
    case PARQUET_BOOLEAN:
        return PARQUET_ORDER_BOOLEAN;
    case PARQUET_INT64:
        return PARQUET_ORDER_INTEGER;
    case PARQUET_DOUBLE:
        return PARQUET_ORDER_NUMBER;
    default:
        return PARQUET_ORDER_BYTES;
    }
}

static void write_encodings(const struct parquet_chunk *chunk, struct parquet_thrift *thrift)
{
    parquet_thrift_list(thrift, META_ENCODINGS, PARQUET_THRIFT_I32, chunk->numbered ? 3 : 2);
    parquet_thrift_element_i32(thrift, PARQUET_PLAIN); /* of values or of the dictionary page */
    parquet_thrift_element_i32(thrift, PARQUET_RLE);
    if (chunk->numbered)
        parquet_thrift_element_i32(thrift, PARQUET_RLE_DICTIONARY);
}

/* What the footer says of a chunk that begins at `offset` in the file. */
static void describe_chunk(const struct parquet_file *file, uint32_t index, uint64_t offset,
                           struct parquet_thrift *thrift)
{
    const struct parquet_column *column = &file->schema->column[index];
    const struct parquet_chunk *chunk = &column->chunk;
    bool dictionary = chunk->dictionary != PARQUET_NOWHERE;
    parquet_thrift_begin(thrift);
    parquet_thrift_i64(thrift, CHUNK_OFFSET, (int64_t)offset);
    parquet_thrift_begin_field(thrift, CHUNK_META);
    parquet_thrift_i32(thrift, META_TYPE, (int32_t)column->type);
    write_encodings(chunk, thrift);
    parquet_schema_write_path(file->schema, index, thrift, META_PATH);
    parquet_thrift_i32(thrift, META_CODEC, file->compressed ? CODEC_ZSTD : CODEC_NONE);
    parquet_thrift_i64(thrift, META_ENTRIES, (int64_t)chunk->entries);
    parquet_thrift_i64(thrift, META_RAW, (int64_t)chunk->raw_bytes);
    parquet_thrift_i64(thrift, META_PACKED, (int64_t)chunk->packed_bytes);
    parquet_thrift_i64(thrift, META_DATA_OFFSET,
                       (int64_t)(offset + (dictionary ? chunk->dictionary_packed_bytes : 0)));
    if (dictionary)
        parquet_thrift_i64(thrift, META_DICTIONARY_OFFSET, (int64_t)offset);
    parquet_thrift_begin_field(thrift, META_STATISTICS);
    parquet_statistics_write(&column->statistics, order_of(column->type), chunk->nulls, thrift);
    parquet_thrift_end(thrift);
    parquet_thrift_end(thrift);
    parquet_thrift_end(thrift);
}

/* Writes the chunks one after the other; `thrift` gets their descriptions, *raw their size before compression. */
static enum fault write_chunks(struct parquet_file *file, struct parquet_thrift *thrift, uint64_t *raw)
{
    enum fault fault = FAULT_NONE;
    *raw = 0;
    for (uint32_t i = 0; fault == FAULT_NONE && i < file->schema->columns; i++) {
        struct parquet_column *column = &file->schema->column[i];
        uint64_t offset = file->part.described.bytes;
        fault = parquet_pages_write(file->pages, &column->chunk, &file->part);
        describe_chunk(file, i, offset, thrift);
        *raw += column->chunk.raw_bytes;
        parquet_column_begin_chunk(column, file->pages);
    }
    return fault;
}

enum fault parquet_file_end_group(struct parquet_file *file, uint64_t rows)
{
    uint64_t begin = file->part.described.bytes;
    uint64_t raw;
    for (uint32_t i = 0; i < file->schema->columns; i++)
        parquet_column_end_chunk(&file->schema->column[i], file->pages);
    enum fault fault = parquet_pages_fault(file->pages);
    if (fault != FAULT_NONE)
        return fault;

    file->text.length = 0;
    struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&file->text, &file->pages->shared);
    parquet_thrift_begin(&thrift);
    parquet_thrift_list(&thrift, GROUP_COLUMNS, PARQUET_THRIFT_STRUCT, file->schema->columns);
    fault = write_chunks(file, &thrift, &raw);
    parquet_thrift_i64(&thrift, GROUP_BYTES, (int64_t)raw);
    parquet_thrift_i64(&thrift, GROUP_ROWS, (int64_t)rows);
    parquet_thrift_i64(&thrift, GROUP_OFFSET, (int64_t)begin);
    parquet_thrift_i64(&thrift, GROUP_PACKED, (int64_t)(file->part.described.bytes - begin));
    if (file->group_count <= ORDINAL_MOST)
        parquet_thrift_i16(&thrift, GROUP_ORDINAL, (int16_t)file->group_count);
    parquet_thrift_end(&thrift);
    if (fault == FAULT_NONE)
        fault = parquet_pages_fault(file->pages);
    if (fault == FAULT_NONE)
        fault = parquet_store_append(&file->groups, &file->pages->shared, file->text.data, file->text.length);
    parquet_store_reset(&file->pages->store);
    parquet_buffer_reset(&file->text, &file->pages->shared, KEEP_BYTES);
    file->rows += rows;
    file->group_count++;
    return fault;
}

/* The footer up to the row groups, which follow from their store. */
static void write_head(struct parquet_file *file, struct parquet_thrift *thrift)
{
    parquet_thrift_begin(thrift);
    parquet_thrift_i32(thrift, FILE_VERSION, 2);
    parquet_schema_write(file->schema, thrift, FILE_SCHEMA);
    parquet_thrift_i64(thrift, FILE_ROWS, (int64_t)file->rows);
    parquet_thrift_list(thrift, FILE_GROUPS, PARQUET_THRIFT_STRUCT, file->group_count);
}

/* The footer after the row groups. */
static void write_tail(struct parquet_file *file, struct parquet_thrift *thrift, const struct sink_note *note,
                       uint32_t notes)
{
    if (notes > 0)
        parquet_thrift_list(thrift, FILE_NOTES, PARQUET_THRIFT_STRUCT, notes);
    for (uint32_t i = 0; i < notes; i++) {
        parquet_thrift_begin(thrift);
        parquet_thrift_binary(thrift, 1, note[i].key, strlen(note[i].key));
        parquet_thrift_binary(thrift, 2, note[i].value, strlen(note[i].value));
        parquet_thrift_end(thrift);
    }
    parquet_thrift_binary(thrift, FILE_CREATED_BY, CREATED_BY, sizeof CREATED_BY - 1);
    parquet_thrift_list(thrift, FILE_ORDERS, PARQUET_THRIFT_STRUCT, file->schema->columns);
    for (uint32_t i = 0; i < file->schema->columns; i++) {
        parquet_thrift_begin(thrift);
        parquet_thrift_empty(thrift, 1); /* TypeDefinedOrder */
        parquet_thrift_end(thrift);
    }
    parquet_thrift_end(thrift);
}

/* Sends the piece of footer at hand to the file. */
static enum fault write_text(struct parquet_file *file)
{
    enum fault fault = parquet_pages_fault(file->pages);
    if (fault == FAULT_NONE)
        fault = part_write(&file->part, file->text.data, file->text.length);
    file->text.length = 0;
    return fault;
}

enum fault parquet_file_end(struct parquet_file *file, const struct sink_note *note, uint32_t notes)
{
    uint64_t begin = file->part.described.bytes;
    struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&file->text, &file->pages->shared);
    file->text.length = 0;
    write_head(file, &thrift);
    enum fault fault = write_text(file);
    if (fault == FAULT_NONE)
        fault = parquet_store_copy(&file->groups, 0, parquet_store_length(&file->groups), &file->part);
    if (fault != FAULT_NONE)
        return fault;
    write_tail(file, &thrift, note, notes);
    fault = write_text(file);
    if (fault != FAULT_NONE)
        return fault;
    parquet_buffer_add_u32(&file->text, &file->pages->shared, (uint32_t)(file->part.described.bytes - begin));
    parquet_buffer_add(&file->text, &file->pages->shared, MAGIC, MAGIC_BYTES);
    fault = write_text(file);
    parquet_store_reset(&file->groups);
    parquet_buffer_reset(&file->text, &file->pages->shared, KEEP_BYTES);
    file->part.described.rows = file->rows;
    return fault;
}
