/*
 * test_str: buffers that grow up to a bound, and JSON strings in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/str.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static void appends_every_kind(void **state)
{
    struct str s = STR_INIT(1000);
    (void)state;
    assert_null(s.data);
    str_append(&s, "a\0b", 3);
    str_append_char(&s, '|');
    str_append_text(&s, "text|");
    str_append_int(&s, -42);
    str_printf(&s, "|%d %s|", 7, "x");
    str_append(&s, NULL, 0);
    assert_int_equal(s.length, 17);
    assert_memory_equal(s.data, "a\0b|text|-42|7 x|", 17);
    assert_int_equal(s.data[s.length], '\0');
    assert_false(s.overflow);
    str_free(&s);
    assert_null(s.data);
}

static void prints_every_integer(void **state)
{
    static const struct {
        int64_t n;
        const char *text;
    } number[] = {{0, "0"}, {-1, "-1"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    struct str s = STR_INIT(64);
    (void)state;
    for (size_t i = 0; i < N(number); i++) {
        str_reset(&s);
        str_append_int(&s, number[i].n);
        assert_string_equal(s.data, number[i].text);
    }
    str_free(&s);
}

static void grows_up_to_the_bound_exactly(void **state)
{
    (void)state;
    for (size_t bound = 1; bound < 600; bound++) {
        struct str s = STR_INIT(bound);
        for (size_t i = 0; i + 1 < bound; i++)
            str_append_char(&s, 'x');
        assert_false(s.overflow);
        assert_int_equal(s.length, bound - 1);
        assert_true(s.capacity <= bound);
        str_append_char(&s, 'y');
        assert_true(s.overflow);
        assert_int_equal(s.length, bound - 1);
        str_free(&s);
    }
}

static void overflow_drops_whole_pieces_and_stays(void **state)
{
    struct str s = STR_INIT(8);
    (void)state;
    str_append_text(&s, "1234");
    str_append_text(&s, "56789");
    assert_true(s.overflow);
    assert_string_equal(s.data, "1234");
    str_append_char(&s, 'x');
    str_append_int(&s, 5);
    str_printf(&s, "%d", 5);
    str_append_json(&s, "", 0);
    assert_string_equal(s.data, "1234");
    str_reset(&s);
    assert_false(s.overflow);
    assert_string_equal(s.data, "");
    str_printf(&s, "%s", "12345678");
    assert_true(s.overflow);
    str_reset(&s);
    str_printf(&s, "%s", "1234567");
    assert_false(s.overflow);
    assert_string_equal(s.data, "1234567");
    str_free(&s);
}

static void bound_of_nothing_holds_nothing(void **state)
{
    struct str s = STR_INIT(0);
    (void)state;
    str_append(&s, "", 0);
    assert_true(s.overflow);
    assert_null(s.data);
    str_reset(&s);
    assert_false(s.overflow);
    str_append_char(&s, 'x');
    assert_true(s.overflow);
    str_free(&s);
}

static void quotes_json(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } string[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\""},
        {"\x7f\xc3\xa9\xf0\x9f\x98\x80", 7, "\"\x7f\xc3\xa9\xf0\x9f\x98\x80\""},
        {"\"", 1, "\"\\\"\""},
    };
    struct str s = STR_INIT(100);
    (void)state;
    for (size_t i = 0; i < N(string); i++) {
        str_reset(&s);
        str_append_json(&s, string[i].bytes, string[i].length);
        assert_string_equal(s.data, string[i].text);
    }
    str_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_every_kind),
        cmocka_unit_test(prints_every_integer),
        cmocka_unit_test(grows_up_to_the_bound_exactly),
        cmocka_unit_test(overflow_drops_whole_pieces_and_stays),
        cmocka_unit_test(bound_of_nothing_holds_nothing),
        cmocka_unit_test(quotes_json),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
