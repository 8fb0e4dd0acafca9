/*
 * test_parquet_encoding: the small forms that Parquet files are made of: thrift, runs of levels, numbers,
 * dictionaries, bounds, and the store of pages.
 */
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/parquet_dictionary.h"
#include "export/parquet_levels.h"
#include "export/parquet_number.h"
#include "export/parquet_statistics.h"
#include "export/parquet_store.h"
#include "export/parquet_thrift.h"

static struct parquet_memory memory;

static void assert_bytes(const struct parquet_buffer *buffer, const char *expected, size_t length)
{
    assert_int_equal(buffer->length, length);
    assert_memory_equal(buffer->data, expected, length);
}

#define ASSERT_BYTES(buffer, text) assert_bytes(buffer, text, sizeof(text) - 1)

static void writes_compact_thrift(void **state)
{
    struct parquet_buffer out = {0};
    struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&out, &memory);
    (void)state;
    parquet_thrift_begin(&thrift);
    parquet_thrift_i32(&thrift, 1, 1);                    /* 15 02 */
    parquet_thrift_i64(&thrift, 3, -1);                   /* 26 01 */
    parquet_thrift_i16(&thrift, 4, 300);                  /* 14 d8 04 */
    parquet_thrift_bool(&thrift, 5, true);                /* 11 */
    parquet_thrift_bool(&thrift, 6, false);               /* 12 */
    parquet_thrift_binary(&thrift, 7, "ab", 2);           /* 18 02 61 62 */
    parquet_thrift_begin_field(&thrift, 8);               /* 1c */
    parquet_thrift_i32(&thrift, 2, -2);                   /* 25 03 */
    parquet_thrift_end(&thrift);                          /* 00 */
    parquet_thrift_list(&thrift, 9, PARQUET_THRIFT_I32, 2); /* 19 25 */
    parquet_thrift_element_i32(&thrift, 0);               /* 00 */
    parquet_thrift_element_i32(&thrift, 3);               /* 06 */
    parquet_thrift_list(&thrift, 10, PARQUET_THRIFT_BINARY, 16); /* 19 f8 10 */
    for (int i = 0; i < 16; i++)
        parquet_thrift_element_binary(&thrift, "", 0); /* 00 */
    parquet_thrift_empty(&thrift, 11);                 /* 1c 00 */
    parquet_thrift_i64(&thrift, 12, INT64_MIN);        /* 16 ff*9 01 */
    parquet_thrift_end(&thrift);
    ASSERT_BYTES(&out, "\x15\x02\x26\x01\x14\xd8\x04\x11\x12\x18\x02"
                       "ab\x1c\x25\x03\x00\x19\x25\x00\x06\x19\xf8\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1c\x00"
                       "\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00");
    parquet_buffer_free(&out, &memory);
    assert_int_equal(memory.held, 0);
}

/* --- levels ---------------------------------------------------------------------------------- */

/* Reads the hybrid back: `count` numbers. */
static void decode(const struct parquet_buffer *in, unsigned width, uint32_t *out, size_t count)
{
    size_t at = 0, done = 0;
    while (done < count) {
        uint64_t header = 0;
        for (unsigned shift = 0;; shift += 7) {
            assert_true(at < in->length);
            unsigned char byte = (unsigned char)in->data[at++];
            header |= (uint64_t)(byte & 0x7f) << shift;
            if (byte < 0x80)
                break;
        }
        if ((header & 1) == 0) {
            uint32_t value = 0;
            for (unsigned shift = 0; shift < width; shift += 8)
                value |= (uint32_t)(unsigned char)in->data[at++] << shift;
            assert_true(header >> 1 <= count - done);
            for (uint64_t i = 0; i < header >> 1; i++)
                out[done++] = value;
            continue;
        }
        size_t numbers = (size_t)(header >> 1) * 8;
        assert_true(at + numbers * width / 8 <= in->length);
        for (size_t i = 0; i < numbers; i++) {
            uint32_t value = 0;
            for (unsigned bit = 0; bit < width; bit++) {
                size_t place = i * width + bit;
                value |= ((uint32_t)(unsigned char)in->data[at + place / 8] >> place % 8 & 1) << bit;
            }
            if (done < count)
                out[done++] = value;
            else
                assert_int_equal(value, 0);
        }
        at += numbers * width / 8;
    }
    assert_int_equal(at, in->length);
}

static void encodes_known_runs(void **state)
{
    struct parquet_levels levels = {.width = 1};
    (void)state;
    parquet_levels_add(&levels, &memory, 1, 100);
    parquet_levels_end(&levels, &memory);
    ASSERT_BYTES(&levels.out, "\xc8\x01\x01");

    /* Encodings.md: the numbers 0 to 7 in three bits */
    parquet_levels_reset(&levels, &memory, 64);
    levels.width = 3;
    for (uint32_t i = 0; i < 8; i++)
        parquet_levels_add(&levels, &memory, i, 1);
    parquet_levels_end(&levels, &memory);
    ASSERT_BYTES(&levels.out, "\x03\x88\xc6\xfa");

    /* a short run in the end is not worth a group */
    parquet_levels_reset(&levels, &memory, 64);
    parquet_levels_add(&levels, &memory, 5, 2);
    parquet_levels_end(&levels, &memory);
    ASSERT_BYTES(&levels.out, "\x04\x05");

    parquet_levels_reset(&levels, &memory, 64);
    parquet_levels_end(&levels, &memory);
    assert_int_equal(levels.out.length, 0);
    parquet_levels_reset(&levels, &memory, 0);
    assert_int_equal(memory.held, 0);
    assert_int_equal(parquet_levels_width(0), 0);
    assert_int_equal(parquet_levels_width(1), 1);
    assert_int_equal(parquet_levels_width(4), 3);
    assert_int_equal(parquet_levels_width(65535), 16);
}

static void encodes_any_runs(void **state)
{
    enum { MOST = 5000 };
    uint32_t *given = calloc(MOST, sizeof *given);
    uint32_t *back = calloc(MOST, sizeof *back);
    (void)state;
    srand(11);
    for (int round = 0; round < 3000; round++) {
        struct parquet_levels levels = {.width = (uint8_t)(1 + rand() % 17)};
        size_t count = (size_t)(rand() % (round % 10 == 0 ? MOST : 60));
        size_t longest = (size_t)rand() % 40 + 1;
        size_t done = 0;
        while (done < count) {
            uint32_t value = (uint32_t)rand() & ((1u << levels.width) - 1);
            size_t run = (size_t)rand() % longest + 1;
            run = run < count - done ? run : count - done;
            parquet_levels_add(&levels, &memory, value, run);
            while (run-- > 0)
                given[done++] = value;
        }
        parquet_levels_end(&levels, &memory);
        decode(&levels.out, levels.width, back, count);
        assert_memory_equal(given, back, count * sizeof *given);
        parquet_levels_reset(&levels, &memory, 0);
    }
    free(given);
    free(back);
    assert_int_equal(memory.held, 0);
}

/* --- numbers --------------------------------------------------------------------------------- */

static double number(const char *text, locale_t plain)
{
    char document[512];
    snprintf(document, sizeof document, "%s]", text);
    return parquet_number(document, strlen(text), plain);
}

static void reads_numbers_as_strtod(void **state)
{
    static const char *const known[] = {
        "0", "-0", "0.0", "-0.0", "1", "-1.5", "0.1", "0.3", "123456789012345", "1234567890123456", "0.00000000000001",
        "0.000000000000000000000001", "9007199254740991", "9007199254740993.0", "1e22", "1e23", "5e-324", "2e-324",
        "1.7976931348623157e308", "2.2250738585072011e-308", "1E+2", "123456789.123456789", "4.35", "1e-400"};
    char text[64];
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double got = number(known[i], plain);
        double wanted = strtod(known[i], NULL);
        assert_memory_equal(&got, &wanted, sizeof got);
    }
    srand(2);
    for (int i = 0; i < 200000; i++) {
        snprintf(text, sizeof text, "%s%d.%0*d", i % 2 ? "-" : "", rand() % 100000, 1 + rand() % 12, rand() % 100000);
        double got = number(text, plain);
        double wanted = strtod(text, NULL);
        assert_memory_equal(&got, &wanted, sizeof got);
    }
    freelocale(plain);
}

/* --- dictionary ------------------------------------------------------------------------------ */

static void numbers_values(void **state)
{
    struct parquet_dictionary dictionary = {0};
    struct siphash_key key;
    struct parquet_buffer copy = {0};
    char value[32];
    bool fresh;
    (void)state;
    siphash_draw_key(&key);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3000; i++) {
            int length = snprintf(value, sizeof value, "%.*s%d", i % 20, "abcdefghijklmnopqrst", i);
            int32_t got = parquet_dictionary_number(&dictionary, &memory, &key, 1 << 20, value, (size_t)length, &fresh);
            assert_int_equal(got, i);
            assert_int_equal(fresh, round == 0);
        }
    }
    assert_int_equal(parquet_dictionary_number(&dictionary, &memory, &key, 1 << 20, "", 0, &fresh), 3000);
    assert_int_equal(parquet_dictionary_number(&dictionary, &memory, &key, 1 << 20, "", 0, &fresh), 3000);
    parquet_dictionary_copy(&dictionary, &memory, 1, &copy);
    ASSERT_BYTES(&copy, "\x02\0\0\0a1");

    /* Full by bytes: what is there is still found. */
    size_t full = dictionary.bytes.length;
    assert_int_equal(parquet_dictionary_number(&dictionary, &memory, &key, full, "another", 7, &fresh), -1);
    assert_int_equal(parquet_dictionary_number(&dictionary, &memory, &key, full, "0", 1, &fresh), 0);
    assert_int_equal(dictionary.count, 3001);
    parquet_dictionary_free(&dictionary, &memory);

    /* Full by count. */
    dictionary.fixed = true;
    for (uint64_t i = 0; i < PARQUET_DICTIONARY_COUNT_MAX; i++)
        assert_int_equal(
            parquet_dictionary_number(&dictionary, &memory, &key, SIZE_MAX / 2, (const char *)&i, 8, &fresh), i);
    uint64_t more = UINT64_MAX;
    assert_int_equal(parquet_dictionary_number(&dictionary, &memory, &key, SIZE_MAX / 2, (const char *)&more, 8, &fresh),
                     -1);
    parquet_dictionary_free(&dictionary, &memory);
    parquet_buffer_free(&copy, &memory);
    assert_int_equal(memory.held, 0);
}

/* --- statistics ------------------------------------------------------------------------------ */

/* The members of struct Statistics as the file has them. */
static void assert_statistics(const struct parquet_statistics *statistics, enum parquet_order order, uint64_t nulls,
                              const char *expected, size_t length)
{
    struct parquet_buffer out = {0};
    struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&out, &memory);
    parquet_thrift_begin(&thrift);
    parquet_statistics_write(statistics, order, nulls, &thrift);
    parquet_thrift_end(&thrift);
    assert_bytes(&out, expected, length);
    parquet_buffer_free(&out, &memory);
}

#define ASSERT_STATISTICS(statistics, order, nulls, text)                                                            \
    assert_statistics(statistics, order, nulls, text, sizeof(text) - 1)

static void bounds_numbers(void **state)
{
    struct parquet_statistics none = {0}, integer = {0}, zero = {0}, boolean = {0};
    (void)state;
    ASSERT_STATISTICS(&none, PARQUET_ORDER_INTEGER, 3, "\x36\x06\x00");
    parquet_statistics_integer(&integer, 5);
    parquet_statistics_integer(&integer, -1);
    ASSERT_STATISTICS(&integer, PARQUET_ORDER_INTEGER, 0,
                      "\x36\x00\x28\x08\x05\0\0\0\0\0\0\0\x18\x08\xff\xff\xff\xff\xff\xff\xff\xff\0");
    /* either zero stands for both: greatest +0, least -0 */
    parquet_statistics_number(&zero, 0.0);
    ASSERT_STATISTICS(&zero, PARQUET_ORDER_NUMBER, 0, "\x36\x00\x28\x08\0\0\0\0\0\0\0\0\x18\x08\0\0\0\0\0\0\0\x80\0");
    zero = (struct parquet_statistics){0};
    parquet_statistics_number(&zero, -0.0);
    parquet_statistics_number(&zero, -1.5);
    ASSERT_STATISTICS(&zero, PARQUET_ORDER_NUMBER, 0, "\x36\x00\x28\x08\0\0\0\0\0\0\0\0\x18\x08\0\0\0\0\0\0\xf8\xbf\0");
    parquet_statistics_integer(&boolean, 0);
    parquet_statistics_integer(&boolean, 1);
    ASSERT_STATISTICS(&boolean, PARQUET_ORDER_BOOLEAN, 1, "\x36\x02\x28\x01\x01\x18\x01\x00\0");
}

static void bounds_strings(void **state)
{
    struct parquet_statistics some = {0};
    (void)state;
    parquet_statistics_bytes(&some, "b", 1);
    parquet_statistics_bytes(&some, "a", 1);
    parquet_statistics_bytes(&some, "\xc3\xa9", 2); /* bytes are unsigned */
    ASSERT_STATISTICS(&some, PARQUET_ORDER_BYTES, 0, "\x36\x00\x28\x02\xc3\xa9\x18\x01\x61\x11\x11\0");
    parquet_statistics_bytes(&some, "", 0);
    ASSERT_STATISTICS(&some, PARQUET_ORDER_BYTES, 0, "\x36\x00\x28\x02\xc3\xa9\x18\x00\x11\x11\0");

    /* cut: the least down, the greatest up */
    some = (struct parquet_statistics){0};
    parquet_statistics_bytes(&some, "0123456789012345678901234567890123456789", 40);
    ASSERT_STATISTICS(&some, PARQUET_ORDER_BYTES, 0,
                      "\x36\x00\x28\x20"
                      "01234567890123456789012345678902"
                      "\x18\x20"
                      "01234567890123456789012345678901"
                      "\x12\x12\0");
    /* no character can be raised: no bounds */
    some = (struct parquet_statistics){0};
    char last[40];
    memset(last, 0x7f, sizeof last);
    parquet_statistics_bytes(&some, last, sizeof last);
    ASSERT_STATISTICS(&some, PARQUET_ORDER_BYTES, 0, "\x36\x00\0");
}

/* Whatever strings come in, the bounds hold them all. */
static void bounds_any_strings(void **state)
{
    static const char *const piece[] = {"a", "b", "\x7f", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
    (void)state;
    srand(4);
    for (int round = 0; round < 20000; round++) {
        struct parquet_statistics statistics = {0};
        char value[6][512];
        for (int n = 0; n < 6; n++) {
            value[n][0] = '\0';
            int pieces = rand() % 2 ? rand() % 4 : 27 + rand() % 10;
            for (int i = 0; i < pieces; i++)
                strcat(value[n], piece[i < pieces - 6 ? 0 : rand() % 6]);
            parquet_statistics_bytes(&statistics, value[n], strlen(value[n]));
        }
        struct parquet_buffer out = {0};
        struct parquet_thrift thrift = PARQUET_THRIFT_INIT(&out, &memory);
        parquet_thrift_begin(&thrift);
        parquet_statistics_write(&statistics, PARQUET_ORDER_BYTES, 0, &thrift);
        parquet_thrift_end(&thrift);
        if (out.length > 3) {
            size_t greatest = (unsigned char)out.data[3], least = (unsigned char)out.data[5 + greatest];
            const char *max = out.data + 4, *min = out.data + 6 + greatest;
            for (int n = 0; n < 6; n++) {
                size_t length = strlen(value[n]);
                int order = memcmp(value[n], max, length < greatest ? length : greatest);
                assert_true(order < 0 || (order == 0 && length <= greatest));
                order = memcmp(value[n], min, length < least ? length : least);
                assert_true(order > 0 || (order == 0 && length >= least));
            }
        }
        parquet_buffer_free(&out, &memory);
    }
}

/* --- store ----------------------------------------------------------------------------------- */

static void stores_beyond_its_share(void **state)
{
    enum { PIECES = 400 };
    char folder[] = "/tmp/test_parquet.XXXXXX";
    char piece[300], back[300];
    uint64_t at[PIECES];
    (void)state;
    assert_non_null(mkdtemp(folder));
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct parquet_store store = PARQUET_STORE_INIT(1000, directory);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PIECES; i++) {
            memset(piece, i & 0xff, sizeof piece);
            at[i] = parquet_store_length(&store);
            assert_int_equal(parquet_store_append(&store, &memory, piece, (size_t)(i % 300)), FAULT_NONE);
            assert_true(store.memory.length <= 1000);
            if (i >= 20 && i % 300 >= 20)
                assert_int_equal(parquet_store_patch(&store, at[i - 10], "patch", (i - 10) % 300 < 5 ? 0 : 5),
                                 FAULT_NONE);
        }
        assert_true(store.in_file > 40000);
        /* the scratch file has no name */
        assert_int_equal(rmdir(folder), 0);
        assert_int_equal(mkdir(folder, 0700), 0);
        for (int i = 0; i < PIECES; i++) {
            size_t length = (size_t)(i % 300);
            memset(piece, i & 0xff, sizeof piece);
            if (i + 10 < PIECES && i + 10 >= 20 && (i + 10) % 300 >= 20 && i % 300 >= 5)
                memcpy(piece, "patch", 5);
            assert_int_equal(parquet_store_read(&store, at[i], back, length), FAULT_NONE);
            assert_memory_equal(piece, back, length);
        }
        parquet_store_reset(&store);
        close(directory);
        directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        store.directory = directory;
    }
    close(directory);
    /* nowhere to put it */
    char long_piece[2000] = {0};
    assert_int_equal(parquet_store_append(&store, &memory, long_piece, sizeof long_piece), FAULT_DISK);
    parquet_store_free(&store, &memory);
    assert_int_equal(memory.held, 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_compact_thrift), cmocka_unit_test(encodes_known_runs),
        cmocka_unit_test(encodes_any_runs),      cmocka_unit_test(reads_numbers_as_strtod),
        cmocka_unit_test(numbers_values),        cmocka_unit_test(bounds_numbers),
        cmocka_unit_test(bounds_strings),        cmocka_unit_test(bounds_any_strings),
        cmocka_unit_test(stores_beyond_its_share),
    };
    return cmocka_run_group_tests_name("parquet_encoding", tests, NULL, NULL);
}
