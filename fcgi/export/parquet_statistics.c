/*
 * parquet_statistics: bounds of values. See parquet_statistics.h.
 */
#include "export/parquet_statistics.h"

#include <endian.h>
#include <string.h>

#include "export/parquet_bytes.h"

enum { FIELD_NULL_COUNT = 3, FIELD_MAX = 5, FIELD_MIN = 6, FIELD_MAX_EXACT = 7, FIELD_MIN_EXACT = 8 };

void parquet_statistics_integer(struct parquet_statistics *statistics, int64_t value)
{
    if (!statistics->any || value < statistics->least.value.integer)
        statistics->least.value.integer = value;
    if (!statistics->any || value > statistics->greatest.value.integer)
        statistics->greatest.value.integer = value;
    statistics->any = true;
}

void parquet_statistics_number(struct parquet_statistics *statistics, double value)
{
    if (!statistics->any || value < statistics->least.value.number)
        statistics->least.value.number = value;
    if (!statistics->any || value > statistics->greatest.value.number)
        statistics->greatest.value.number = value;
    statistics->any = true;
}

/* Whether a value comes before a bound. What was cut stands for all that begins with it, so it is the least of them. */
static bool is_below(const char *bytes, size_t length, const struct parquet_bound *bound)
{
    size_t common = length < bound->length ? length : bound->length;
    int order = memcmp(bytes, bound->value.bytes, common);
    return order != 0 ? order < 0 : length < bound->length;
}

/* Whether a value, which may be cut, goes beyond a bound. Here what was cut is the greatest that begins with it. */
static bool is_beyond(const char *bytes, size_t length, bool cut, const struct parquet_bound *bound)
{
    size_t common = length < bound->length ? length : bound->length;
    int order = memcmp(bytes, bound->value.bytes, common);
    if (order != 0)
        return order > 0;
    if (bound->cut && bound->length <= length)
        return false;
    return length > bound->length || (cut && length <= bound->length);
}

static void set(struct parquet_bound *bound, const char *bytes, size_t length, bool cut)
{
    memcpy(bound->value.bytes, bytes, length);
    bound->head = parquet_bytes_head(bytes, length);
    bound->length = (uint8_t)length;
    bound->cut = cut;
}

void parquet_statistics_bytes(struct parquet_statistics *statistics, const char *bytes, size_t length)
{
    bool cut = length > PARQUET_STATISTICS_BYTES;
    uint64_t head = parquet_bytes_head(bytes, length);
    if (statistics->any && head > statistics->least.head && head < statistics->greatest.head)
        return; /* nearly all values */
    if (cut) {
        /* never inside a character: readers take the bounds for UTF-8 */
        length = PARQUET_STATISTICS_BYTES;
        while (length > 0 && ((unsigned char)bytes[length] & 0xc0) == 0x80)
            length--;
    }
    struct parquet_bound *least = &statistics->least;
    if (!statistics->any || is_below(bytes, length, least))
        set(least, bytes, length, cut);
    else if (!cut && least->length == length && memcmp(bytes, least->value.bytes, length) == 0)
        least->cut = false; /* the value without more is the least itself */
    if (!statistics->any || is_beyond(bytes, length, cut, &statistics->greatest))
        set(&statistics->greatest, bytes, length, cut);
    statistics->any = true;
}

/* Makes a cut bound greater than every string that begins with it: its last plain character becomes the next
 * one. False: there is none. */
static bool round_up(struct parquet_bound *bound)
{
    while (bound->length > 0) {
        unsigned char last = (unsigned char)bound->value.bytes[bound->length - 1];
        if (last < 0x7f) {
            bound->value.bytes[bound->length - 1] = (char)(last + 1);
            return true;
        }
        bound->length--;
    }
    return false;
}

static void write_word(struct parquet_thrift *thrift, int id, uint64_t word)
{
    uint64_t little = htole64(word);
    parquet_thrift_binary(thrift, id, (const char *)&little, sizeof little);
}

static uint64_t word_of(double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    return word;
}

static void write_bytes(const struct parquet_statistics *statistics, struct parquet_thrift *thrift)
{
    struct parquet_bound greatest = statistics->greatest;
    if (greatest.cut && !round_up(&greatest))
        return;
    parquet_thrift_binary(thrift, FIELD_MAX, greatest.value.bytes, greatest.length);
    parquet_thrift_binary(thrift, FIELD_MIN, statistics->least.value.bytes, statistics->least.length);
    parquet_thrift_bool(thrift, FIELD_MAX_EXACT, !greatest.cut);
    parquet_thrift_bool(thrift, FIELD_MIN_EXACT, !statistics->least.cut);
}

void parquet_statistics_write(const struct parquet_statistics *statistics, enum parquet_order order, uint64_t nulls,
                              struct parquet_thrift *thrift)
{
    const struct parquet_bound *least = &statistics->least;
    const struct parquet_bound *greatest = &statistics->greatest;
    char bit;
    parquet_thrift_i64(thrift, FIELD_NULL_COUNT, (int64_t)nulls);
    if (!statistics->any)
        return;
    switch (order) {
    case PARQUET_ORDER_BOOLEAN:
        bit = (char)greatest->value.integer;
        parquet_thrift_binary(thrift, FIELD_MAX, &bit, 1);
        bit = (char)least->value.integer;
        parquet_thrift_binary(thrift, FIELD_MIN, &bit, 1);
        return;
    case PARQUET_ORDER_INTEGER:
        write_word(thrift, FIELD_MAX, (uint64_t)greatest->value.integer);
        write_word(thrift, FIELD_MIN, (uint64_t)least->value.integer);
        return;
    case PARQUET_ORDER_NUMBER:
        /* the two zeros are equal but not the same: a bound of zero takes in both (parquet.thrift, ColumnOrder) */
        write_word(thrift, FIELD_MAX, word_of(greatest->value.number == 0 ? 0.0 : greatest->value.number));
        write_word(thrift, FIELD_MIN, word_of(least->value.number == 0 ? -0.0 : least->value.number));
        return;
    case PARQUET_ORDER_BYTES:
        write_bytes(statistics, thrift);
        return;
    }
}
