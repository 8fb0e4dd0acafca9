/*
 * sink_parquet: rows as Parquet files. See sink_parquet_open() in sink.h.
 *
 * Rows are shredded into columns as they come, columns become pages, and pages wait in the store until their
 * row group is written. Memory: half of memory_bytes for the columns' buffers and dictionaries; when they pass that,
 * their pages are ended early. A quarter for pages that wait; more of them go to a scratch file. The rest is
 * for the page at hand, the compressor and the scanner. Row groups are ended by the bytes they will take in the
 * file, so they do not get small where memory is; a column costs some 50 to 100 bytes of footer in each.
 */
#include <stdlib.h>

#include "export/parquet_file.h"
#include "export/parquet_shred.h"
#include "export/sink.h"
#include "lib/invariant.h"

#define COLUMN_BYTES ((size_t)2 * 1024)        /* least memory for one column */
#define GROUP_LEAST ((size_t)4 * 1024 * 1024)  /* bytes of a row group in the file, at least */
#define GROUP_COLUMN ((size_t)16 * 1024)       /* the same for each of its columns */
#define GROUP_ROWS ((uint64_t)256 * 1024)      /* rows of a row group, at most */

struct sink_parquet {
    struct sink base; /* first: the functions get a pointer to it */
    struct parquet_pages pages;
    struct parquet_schema schema;
    struct parquet_shred shred;
    struct parquet_file file;
    size_t column_bytes; /* what all columns may hold together */
    size_t group_bytes;
    uint64_t group_rows; /* in the row group that is open */
};

static struct sink_parquet *self_of(struct sink *sink)
{
    return (struct sink_parquet *)(void *)sink;
}

/* When the columns hold too much, all their pages are ended; if it is the dictionaries, those too. */
static void relieve(struct sink_parquet *s)
{
    if (s->pages.memory.held <= s->column_bytes)
        return;
    for (uint32_t i = 0; i < s->schema.columns; i++)
        parquet_column_relieve(&s->schema.column[i], &s->pages);
    for (uint32_t i = 0; i < s->schema.columns && s->pages.memory.held > s->column_bytes / 2; i++)
        parquet_column_end_dictionary(&s->schema.column[i], &s->pages);
}

static enum fault begin_part(struct sink_parquet *s)
{
    char name[PART_NAME_BYTES];
    sink_name_part(&s->base, s->base.settings.compression == SINK_ZSTD ? ".zstd.parquet" : ".parquet", name);
    return parquet_file_begin(&s->file, s->base.settings.directory, name);
}

static enum fault end_group(struct sink_parquet *s)
{
    uint64_t rows = s->group_rows;
    s->group_rows = 0;
    if (rows == 0)
        return FAULT_NONE;
    parquet_shred_settle(&s->shred);
    return parquet_file_end_group(&s->file, rows);
}

static enum fault end_part(struct sink_parquet *s)
{
    enum fault fault = end_group(s);
    if (fault == FAULT_NONE)
        fault = parquet_file_end(&s->file, s->base.settings.note, s->base.settings.notes);
    return fault == FAULT_NONE ? sink_add_part(&s->base, &s->file.part) : fault;
}

static enum fault row_begin(struct sink *sink, const char *profile, size_t length)
{
    struct sink_parquet *s = self_of(sink);
    enum fault fault = s->file.part.file < 0 ? begin_part(s) : FAULT_NONE;
    if (fault == FAULT_NONE)
        fault = parquet_shred_profile(&s->shred, profile, length);
    relieve(s);
    return fault;
}

static enum fault row_event(struct sink *sink, const char *event, size_t length)
{
    struct sink_parquet *s = self_of(sink);
    enum fault fault = parquet_shred_event(&s->shred, event, length);
    relieve(s);
    return fault;
}

static enum fault row_end(struct sink *sink)
{
    struct sink_parquet *s = self_of(sink);
    parquet_shred_end(&s->shred);
    s->group_rows++;
    enum fault fault = parquet_pages_fault(&s->pages);
    /* a guess of what the open pages will come to: they compress to about a quarter */
    uint64_t group = parquet_store_length(&s->pages.store) + s->pages.memory.held / 4;
    uint64_t most = sink->settings.part_bytes;
    if (fault == FAULT_NONE && most != 0 && s->file.part.described.bytes + group >= most)
        return end_part(s);
    if (fault == FAULT_NONE && (group >= s->group_bytes || s->group_rows >= GROUP_ROWS))
        return end_group(s);
    return fault;
}

static enum fault finish(struct sink *sink)
{
    struct sink_parquet *s = self_of(sink);
    enum fault fault = FAULT_NONE;
    if (s->file.part.file < 0 && sink->parts == 0 && sink->settings.always)
        fault = begin_part(s);
    return fault == FAULT_NONE && s->file.part.file >= 0 ? end_part(s) : fault;
}

static void release(struct sink *sink)
{
    struct sink_parquet *s = self_of(sink);
    parquet_file_free(&s->file);
    parquet_shred_close(&s->shred);
    parquet_schema_close(&s->schema, &s->pages);
    parquet_pages_close(&s->pages);
    free(s);
}

static const struct sink_kind parquet_kind = {row_begin, row_event, row_end, finish, release};

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

enum fault sink_parquet_open(const struct sink_settings *settings, struct sink **out)
{
    struct sink_parquet *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return FAULT_MEMORY;
    INVARIANT(settings->schema != NULL);
    size_t columns = settings->schema->leaves;
    size_t memory = greater(settings->memory_bytes, columns * COLUMN_BYTES);
    bool compressed = settings->compression == SINK_ZSTD;
    s->base.kind = &parquet_kind;
    s->base.settings = *settings;
    s->column_bytes = memory / 2;
    s->group_bytes = greater(greater(settings->memory_bytes, GROUP_LEAST), columns * GROUP_COLUMN);
    enum fault fault = parquet_pages_open(&s->pages, memory, compressed, settings->directory);
    parquet_file_init(&s->file, &s->schema, &s->pages, compressed, memory / 32, settings->directory);
    s->file.written = settings->written;
    if (fault == FAULT_NONE)
        fault = parquet_schema_open(&s->schema, settings->schema);
    if (fault == FAULT_NONE)
        fault = parquet_shred_open(&s->shred, &s->schema, &s->pages);
    if (fault != FAULT_NONE) {
        release(&s->base);
        return fault;
    }
    *out = &s->base;
    return FAULT_NONE;
}
