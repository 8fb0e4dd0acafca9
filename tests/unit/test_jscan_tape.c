/*
 * test_jscan_tape: wide objects, and how much memory a tape takes and keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/jscan.h"
#include "lib/str.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

/* The document alone, from a heap copy of its exact size. */
static enum jscan_fault scan_text(const char *text, size_t length, size_t *offset)
{
    struct jscan scan = JSCAN_INIT;
    char *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum jscan_fault fault = jscan_document(&scan, copy, length, JSCAN_REQUEST_LIMITS);
    *offset = scan.fault_offset;
    jscan_free(&scan);
    free(copy);
    return fault;
}

/* Appends an object of `count` members whose names share beginning, end and length. */
static void append_wide(struct str *text, unsigned count, const char *last)
{
    str_append_char(text, '{');
    for (unsigned i = 0; i < count; i++)
        str_printf(text, "\"prefixed%06usuffixed\":0,", i);
    str_printf(text, "%s:0}", last);
}

static void finds_duplicates_in_objects_of_every_width(void **state)
{
    static const unsigned width[] = {1, 2, 14, 15, 16, 17, 31, 32, 33, 100, 5000};
    (void)state;
    for (size_t i = 0; i < N(width); i++) {
        struct str text = STR_INIT(1 << 20);
        size_t offset;
        append_wide(&text, width[i], "\"other\"");
        assert_int_equal(scan_text(text.data, text.length, &offset), JSCAN_OK);
        str_reset(&text);
        append_wide(&text, width[i], "\"prefixed000000suffixed\"");
        assert_int_equal(scan_text(text.data, text.length, &offset), JSCAN_DUPLICATE);
        assert_int_equal(text.data[offset], '"');
        assert_int_equal(offset, text.length - strlen("\"prefixed000000suffixed\":0}"));
        str_reset(&text);
        append_wide(&text, width[i], "\"prefixed00000\\u0030\\u0073uffixed\"");
        assert_int_equal(scan_text(text.data, text.length, &offset), JSCAN_DUPLICATE);
        str_free(&text);
    }
}

/* Pair by pair this would take minutes. */
static void scans_wide_objects_in_linear_time(void **state)
{
    struct str text = STR_INIT(64 << 20);
    struct jscan scan = JSCAN_INIT;
    struct jscan_limits limits = {.depth = 2, .bytes = 64 << 20};
    (void)state;
    append_wide(&text, 200000, "\"other\"");
    assert_int_equal(jscan_document(&scan, text.data, text.length, limits), JSCAN_OK);
    assert_int_equal(scan.node[0].count, 200001);
    jscan_free(&scan);
    str_free(&text);
}

static void bounds_the_tape(void **state)
{
    static const char text[] = "{\"a\":[1,2,{\"b\":\"x\"}],\"c\":null}"; /* ten nodes */
    struct jscan_limits limits = {.depth = 8, .bytes = 1 << 20};
    struct jscan scan = JSCAN_INIT;
    struct str many = STR_INIT(1 << 20);
    (void)state;
    /* whether the tape is new or long enough from before */
    for (int round = 0; round < 2; round++) {
        for (limits.nodes = 1; limits.nodes < 10; limits.nodes++)
            assert_int_equal(jscan_document(&scan, text, strlen(text), limits), JSCAN_TOO_MANY);
        for (limits.nodes = 10; limits.nodes < 12; limits.nodes++)
            assert_int_equal(jscan_document(&scan, text, strlen(text), limits), JSCAN_OK);
        limits.nodes = 0;
        assert_int_equal(jscan_document(&scan, text, strlen(text), limits), JSCAN_OK);
        assert_int_equal(scan.count, 10);
    }
    jscan_free(&scan);
    str_append_text(&many, "[0");
    for (int i = 1; i < 999; i++)
        str_append_text(&many, ",0");
    str_append_char(&many, ']');
    limits.nodes = 1000;
    assert_int_equal(jscan_document(&scan, many.data, many.length, limits), JSCAN_OK);
    assert_int_equal(scan.capacity, 1000); /* and not 1024 */
    limits.nodes = 999;
    assert_int_equal(jscan_document(&scan, many.data, many.length, limits), JSCAN_TOO_MANY);
    jscan_free(&scan);
    str_free(&many);
}

static void gives_back_what_a_tape_does_not_need(void **state)
{
    struct str text = STR_INIT(1 << 20);
    struct jscan scan = JSCAN_INIT;
    (void)state;
    append_wide(&text, 1000, "\"other\"");
    assert_int_equal(jscan_document(&scan, text.data, text.length, JSCAN_REQUEST_LIMITS), JSCAN_OK);
    uint32_t count = scan.count;
    assert_true(scan.capacity > count && scan.scratch != NULL);
    jscan_trim(&scan);
    assert_int_equal(scan.capacity, count);
    assert_null(scan.scratch);
    assert_int_equal(scan.scratch_size, 0);
    assert_int_not_equal(jscan_member(&scan, 0, "other"), 0);
    jscan_trim(&scan);
    assert_int_equal(scan.capacity, count);
    append_wide(&text, 1, "\"x\""); /* two values now: refused, and then the tape still works */
    assert_int_equal(jscan_document(&scan, text.data, text.length, JSCAN_REQUEST_LIMITS), JSCAN_TRAILING);
    assert_int_equal(jscan_document(&scan, "[1,[2]]", 7, JSCAN_REQUEST_LIMITS), JSCAN_OK);
    assert_int_equal(scan.count, 4);
    jscan_free(&scan);
    jscan_trim(&scan);
    assert_null(scan.node);
    str_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_duplicates_in_objects_of_every_width),
        cmocka_unit_test(scans_wide_objects_in_linear_time),
        cmocka_unit_test(bounds_the_tape),
        cmocka_unit_test(gives_back_what_a_tape_does_not_need),
    };
    return cmocka_run_group_tests_name("jscan_tape", tests, NULL, NULL);
}
