/*
 * parquet_column: values into pages. See parquet_column.h.
 */
#include "export/parquet_column.h"

#define PAGE_ENTRIES 32768u /* most level entries of a page */
#define KEEP_BYTES ((size_t)128 * 1024)
#define TRIAL 1024u /* after so many different values it is asked whether the dictionary pays */

void parquet_column_init(struct parquet_column *column, enum parquet_type type, uint8_t definition,
                         uint8_t repetition, bool bounded)
{
    *column = (struct parquet_column){.type = type,
                                      .definition = definition,
                                      .repetition = repetition,
                                      .bounded = bounded,
                                      .coded = type != PARQUET_BOOLEAN,
                                      .chunk = PARQUET_CHUNK_INIT};
    column->definitions.width = parquet_levels_width(definition);
    column->repetitions.width = parquet_levels_width(repetition);
    column->dictionary.fixed = type != PARQUET_BYTES;
}

/* Appends levels with their length before them; a column whose greatest level is 0 has none. */
static void add_levels(struct parquet_pages *pages, struct parquet_levels *levels, struct parquet_memory *memory)
{
    if (levels->width == 0)
        return;
    parquet_levels_end(levels, memory);
    parquet_buffer_add_u32(&pages->body, &pages->shared, (uint32_t)levels->out.length);
    parquet_buffer_add(&pages->body, &pages->shared, levels->out.data, levels->out.length);
}

/* Appends the page's numbers: how many bits each has, then the runs. */
static void add_numbers(struct parquet_column *column, struct parquet_pages *pages)
{
    uint8_t width = parquet_levels_width(column->dictionary.count - 1);
    struct parquet_levels numbers = {.out = pages->body, .width = width == 0 ? 1 : width};
    const uint16_t *number = (const uint16_t *)(const void *)column->data.data;
    parquet_buffer_add_byte(&numbers.out, &pages->shared, numbers.width);
    for (uint32_t i = 0; i < column->values; i++)
        parquet_levels_add(&numbers, &pages->shared, number[i], 1);
    parquet_levels_end(&numbers, &pages->shared);
    pages->body = numbers.out;
}

/* Whether the page is the first to use the dictionary and together with it not well below what it would be
 * without. */
static bool dictionary_is_a_loss(const struct parquet_column *column)
{
    if (!column->coded || column->chunk.numbered || column->values == 0)
        return false;
    uint64_t numbers = (uint64_t)column->values * parquet_levels_width(column->dictionary.count) / 8;
    return (column->dictionary.bytes.length + numbers) * 4 >= column->plain_bytes * 3;
}

/* The page's numbers become values again, and the dictionary, which no page has used yet, is forgotten. */
static void forget_dictionary(struct parquet_column *column, struct parquet_pages *pages)
{
    struct parquet_buffer plain = {0};
    const uint16_t *number = (const uint16_t *)(const void *)column->data.data;
    for (uint32_t i = 0; i < column->values; i++)
        parquet_dictionary_copy(&column->dictionary, &pages->memory, number[i], &plain);
    parquet_buffer_free(&column->data, &pages->memory);
    parquet_dictionary_free(&column->dictionary, &pages->memory);
    column->data = plain;
    column->coded = false;
    column->barren = column->values >= TRIAL;
}

static void end_page(struct parquet_column *column, struct parquet_pages *pages, size_t keep)
{
    /* after a fault counts and bytes need not agree any more, and nobody will read them */
    if (column->entries == 0 || parquet_pages_fault(pages) != FAULT_NONE)
        return;
    if (dictionary_is_a_loss(column))
        forget_dictionary(column, pages);
    bool numbers = column->coded && column->values > 0; /* a page of nulls needs no dictionary */
    pages->body.length = 0;
    add_levels(pages, &column->repetitions, &pages->memory);
    add_levels(pages, &column->definitions, &pages->memory);
    if (numbers)
        add_numbers(column, pages);
    else
        parquet_buffer_add(&pages->body, &pages->shared, column->data.data, column->data.length);
    column->chunk.nulls += column->entries - column->values;
    parquet_pages_add(pages, &column->chunk, column->entries, numbers ? PARQUET_RLE_DICTIONARY : PARQUET_PLAIN);
    parquet_levels_reset(&column->repetitions, &pages->memory, keep);
    parquet_levels_reset(&column->definitions, &pages->memory, keep);
    parquet_buffer_reset(&column->data, &pages->memory, keep);
    column->entries = 0;
    column->values = 0;
    column->plain_bytes = 0;
}

void parquet_column_relieve(struct parquet_column *column, struct parquet_pages *pages)
{
    end_page(column, pages, 0);
    parquet_buffer_free(&column->data, &pages->memory);
}

void parquet_column_end_dictionary(struct parquet_column *column, struct parquet_pages *pages)
{
    if (!column->coded || parquet_pages_fault(pages) != FAULT_NONE)
        return;
    if (dictionary_is_a_loss(column)) {
        forget_dictionary(column, pages);
        return;
    }
    end_page(column, pages, KEEP_BYTES);
    if (column->chunk.numbered)
        parquet_pages_add_dictionary(pages, &column->chunk, column->dictionary.bytes.data,
                                     column->dictionary.bytes.length, column->dictionary.count);
    parquet_dictionary_free(&column->dictionary, &pages->memory);
    column->coded = false;
}

void parquet_column_end_chunk(struct parquet_column *column, struct parquet_pages *pages)
{
    end_page(column, pages, KEEP_BYTES);
    parquet_column_end_dictionary(column, pages);
}

void parquet_column_begin_chunk(struct parquet_column *column, struct parquet_pages *pages)
{
    parquet_dictionary_free(&column->dictionary, &pages->memory);
    column->coded = column->type != PARQUET_BOOLEAN && !column->barren;
    column->statistics = (struct parquet_statistics){0};
    column->chunk = PARQUET_CHUNK_INIT;
}

void parquet_column_free(struct parquet_column *column, struct parquet_pages *pages)
{
    parquet_buffer_free(&column->repetitions.out, &pages->memory);
    parquet_buffer_free(&column->definitions.out, &pages->memory);
    parquet_buffer_free(&column->data, &pages->memory);
    parquet_dictionary_free(&column->dictionary, &pages->memory);
}

/* The levels of one value, after the value itself. */
static inline void enter(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition)
{
    parquet_levels_add(&column->repetitions, &pages->memory, repetition, 1);
    parquet_levels_add(&column->definitions, &pages->memory, column->definition, 1);
    column->values++;
    column->entries++;
    if (column->entries >= PAGE_ENTRIES || column->data.length >= pages->page_bytes)
        end_page(column, pages, KEEP_BYTES);
}

/* Adds the value as a number. False: the dictionary does not take it or has just been given up. */
static bool add_number(struct parquet_column *column, struct parquet_pages *pages, const char *bytes, size_t length,
                       bool *fresh)
{
    struct parquet_dictionary *dictionary = &column->dictionary;
    int32_t number = parquet_dictionary_number(dictionary, &pages->memory, &pages->key, pages->dictionary_bytes,
                                               bytes, length, fresh);
    if (number < 0) {
        parquet_column_end_dictionary(column, pages);
        return false;
    }
    uint16_t entry = (uint16_t)number;
    parquet_buffer_add(&column->data, &pages->memory, (const char *)&entry, sizeof entry);
    column->plain_bytes += length + (dictionary->fixed ? 0 : sizeof(uint32_t));
    return true;
}

/* After a fresh value has entered: a column of ever new values should not go on with a dictionary for long. */
static void try_dictionary(struct parquet_column *column, struct parquet_pages *pages)
{
    if (column->dictionary.count % TRIAL == 0 && dictionary_is_a_loss(column) &&
        parquet_pages_fault(pages) == FAULT_NONE)
        forget_dictionary(column, pages);
}

void parquet_column_boolean(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition, bool value)
{
    if (column->values % 8 == 0)
        parquet_buffer_add_byte(&column->data, &pages->memory, 0);
    if (value && column->data.length > 0)
        column->data.data[column->data.length - 1] |= (char)(1u << column->values % 8);
    parquet_statistics_integer(&column->statistics, value);
    enter(column, pages, repetition);
}

/* A value of eight bytes that is not the first of its kind needs no look at the bounds. Returns whether it may. */
static bool add_word(struct parquet_column *column, struct parquet_pages *pages, uint64_t word, bool *fresh)
{
    word = htole64(word);
    *fresh = false;
    if (column->coded && add_number(column, pages, (const char *)&word, sizeof word, fresh))
        return *fresh;
    parquet_buffer_add(&column->data, &pages->memory, (const char *)&word, sizeof word);
    return true;
}

void parquet_column_integer(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                            int64_t value)
{
    bool fresh;
    if (add_word(column, pages, (uint64_t)value, &fresh))
        parquet_statistics_integer(&column->statistics, value);
    enter(column, pages, repetition);
    if (fresh)
        try_dictionary(column, pages);
}

void parquet_column_number(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                           double value)
{
    bool fresh;
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    if (add_word(column, pages, word, &fresh))
        parquet_statistics_number(&column->statistics, value);
    enter(column, pages, repetition);
    if (fresh)
        try_dictionary(column, pages);
}

void parquet_column_bytes(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                          const char *bytes, size_t length)
{
    bool fresh = false;
    bool numbered = column->coded && add_number(column, pages, bytes, length, &fresh);
    if (!numbered) {
        parquet_buffer_add_u32(&column->data, &pages->memory, (uint32_t)length);
        parquet_buffer_add(&column->data, &pages->memory, bytes, length);
    }
    if (column->bounded && (fresh || !numbered))
        parquet_statistics_bytes(&column->statistics, bytes, length);
    enter(column, pages, repetition);
    if (fresh)
        try_dictionary(column, pages);
}

void parquet_column_nulls(struct parquet_column *column, struct parquet_pages *pages, uint8_t repetition,
                          uint8_t definition, uint64_t count)
{
    while (count > 0) {
        uint32_t room = PAGE_ENTRIES - column->entries;
        uint32_t taken = count < room ? (uint32_t)count : room;
        parquet_levels_add(&column->repetitions, &pages->memory, repetition, taken);
        parquet_levels_add(&column->definitions, &pages->memory, definition, taken);
        column->entries += taken;
        count -= taken;
        if (column->entries >= PAGE_ENTRIES)
            end_page(column, pages, KEEP_BYTES);
    }
}
