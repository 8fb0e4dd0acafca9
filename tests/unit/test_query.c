/*
 * test_query: percent-decoding and query members, with everything that must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responder/query.c" /* the responder is no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(65536);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void decodes(void **state)
{
    static const struct {
        const char *text;
        bool form;
        const char *plain;
    } row[] = {
        {"", false, ""},
        {"abc", false, "abc"},
        {"a%20b", false, "a b"},
        {"%41%7a%7E", false, "Az~"},
        {"%2F%2f", false, "//"},
        {"a+b", false, "a+b"},
        {"a+b", true, "a b"},
        {"a%2Bb", true, "a+b"},
        {"a%2520b", true, "a%20b"}, /* once, not twice */
        {"%26%3D", true, "&="},
        {"%C3%A9", false, "\xc3\xa9"},
        {"\xc3\xa9", false, "\xc3\xa9"},
        {"%c2%80%df%bf", false, "\xc2\x80\xdf\xbf"},
        {"%e0%a0%80%ed%9f%bf%ee%80%80%ef%bf%bf", false, "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
        {"%f0%90%80%80%f4%8f%bf%bf", false, "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        const char *plain = query_decode(arena, row[i].text, strlen(row[i].text), row[i].form);
        assert_non_null(plain);
        assert_string_equal(plain, row[i].plain);
    }
}

static void refuses_to_decode(void **state)
{
    static const char *const BAD[] = {
        "%", "a%", "%4", "a%4", "%%", "%%41", "%4%31", "%g1", "%1g", "%4G", "% 1", "%+1", "%-1", "%0x41", "%u0041", "%:0",
        "%/0", "%@0", "%`0",
        "%00", "a%00b", "%00%00",                                     /* NUL */
        "%01", "%0a", "%0D", "%1f", "%7f", "a%0Ab", "\x01", "\n", "\x7f", /* control characters */
        "%80", "%bf", "%c3", "%c3a", "%e2%82", "%f0%9f%98", "%c3%c3", "%a9%c3", "%ff", "%fe", "\xff", "\xc3", "a\x80", /* cut */
        "%c0%80", "%c0%af", "%c1%bf", "%e0%80%80", "%e0%80%af", "%e0%9f%bf", "%f0%80%80%80", "%f0%8f%bf%bf", /* overlong */
        "%ed%a0%80", "%ed%bf%bf", "%ed%a0%bd%ed%b8%80",                /* surrogates */
        "%f4%90%80%80", "%f5%80%80%80", "%f8%88%80%80%80", "%fc%84%80%80%80%80", /* beyond U+10FFFF */
    };
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        if (query_decode(arena, BAD[i], strlen(BAD[i]), false) != NULL)
            fail_msg("accepted: %s", BAD[i]);
        assert_null(query_decode(arena, BAD[i], strlen(BAD[i]), true));
    }
}

/* An escape that the length cuts is malformed even when the rest of it lies behind. */
static void decoding_ends_at_the_length(void **state)
{
    (void)state;
    assert_string_equal(query_decode(arena, "%41%42", 3, false), "A");
    assert_null(query_decode(arena, "%41%42", 4, false));
    assert_null(query_decode(arena, "%41%42", 5, false));
    assert_null(query_decode(arena, "%c3%a9", 3, false));
}

static void decoding_without_memory_fails(void **state)
{
    (void)state;
    struct arena *small = arena_new(16);
    struct query q;
    assert_non_null(query_decode(small, "0123456789abcde", 15, false));
    assert_null(query_decode(small, "0", 1, false));
    assert_false(query_parse(small, "a=b", &q));
    arena_free(small);
}

static void parses_members(void **state)
{
    static const struct {
        const char *text;
        int count;
        const char *name, *value; /* of one member */
        const char *absent;
    } row[] = {
        {"", 0, NULL, NULL, "a"},
        {"&", 0, NULL, NULL, ""},
        {"&&&", 0, NULL, NULL, ""},
        {"a=1", 1, "a", "1", "b"},
        {"a=1&b=2", 2, "b", "2", "c"},
        {"&a=1&&b=2&", 2, "a", "1", "1"},
        {"a", 1, "a", "", "b"},
        {"a=", 1, "a", "", "b"},
        {"=1", 1, "", "1", "1"},
        {"a=b=c", 1, "a", "b=c", "b"},
        {"%61=%62", 1, "a", "b", "%61"},
        {"a+b=c+d", 1, "a b", "c d", "a+b"},
        {"a%3Db=1", 1, "a=b", "1", "a"},
        {"a%26b=1", 1, "a&b", "1", "a"},
        {"A=1&a=2", 2, "a", "2", "AA"},
        {"a=1&aa=2", 2, "aa", "2", "aaa"},
        {"a=1;b=2", 1, "a", "1;b=2", "b"},
        {"path=part-00000.json.zst", 1, "path", "part-00000.json.zst", "Path"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct query q;
        assert_true(query_parse(arena, row[i].text, &q));
        assert_int_equal(q.count, row[i].count);
        if (row[i].name != NULL)
            assert_string_equal(query_get(&q, row[i].name), row[i].value);
        assert_null(query_get(&q, row[i].absent));
    }
}

static void refuses_bad_members(void **state)
{
    static const char *const BAD[] = {
        "a=1&a=2", "a=1&a=1", "a&a", "a=1&b=2&a=3", "a=1&%61=2", "=1&=2", "a=&a", /* a name twice */
        "a=%", "a=%4", "%=1", "%zz=1", "a=1&b=%f", "a=%00", "%00=1", "a=%0a", "a=%ff", "%c0%af=1", "a=%ed%a0%80",
        "a=1&b=2&c=%", "a=\x01", "a=\xc3",
    };
    struct query q;
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        if (query_parse(arena, BAD[i], &q))
            fail_msg("accepted: %s", BAD[i]);
    }
}

/* Identities may hold control characters. */
static void texts_may_hold_control_characters(void **state)
{
    struct query q;
    (void)state;
    assert_false(query_parse(arena, "a=%0a%7f%01", &q));
    assert_true(query_parse_texts(arena, "a=%0a%7f%01&b=+", &q));
    assert_string_equal(query_get(&q, "a"), "\n\x7f\x01");
    assert_string_equal(query_get(&q, "b"), " ");
    static const char *const BAD[] = {"a=%00", "%0a=1", "a=%ff", "a=1&a=2", "a=%4"};
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(query_parse_texts(arena, BAD[i], &q));
}

static void members_are_bounded(void **state)
{
    char text[1024] = "";
    struct query q;
    (void)state;
    for (int i = 0; i < QUERY_MEMBERS_MAX; i++)
        sprintf(text + strlen(text), "n%d=%d&", i, i);
    assert_true(query_parse(arena, text, &q));
    assert_int_equal(q.count, QUERY_MEMBERS_MAX);
    assert_string_equal(query_get(&q, "n31"), "31");
    strcat(text, "x=1");
    assert_false(query_parse(arena, text, &q));
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t least, most, n;
    } row[] = {
        {"0", 0, 9, 0}, {"9", 0, 9, 9}, {"1", 1, 1, 1}, {"007", 0, 9, 7},
        {"999999999999999999", 0, INT64_MAX, INT64_C(999999999999999999)},
    };
    static const char *const BAD[] = {
        "", " 1", "1 ", "+1", "-1", "-0", "1.0", "1e1", "0x1", "1a", "a", "\xd9\xa1", "1,2", "101", "18446744073709551617",
        "9999999999999999999", "0000000000000000001", "1\n",
    };
    int64_t n;
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        assert_true(query_number(row[i].text, row[i].least, row[i].most, &n));
        assert_true(n == row[i].n);
    }
    for (size_t i = 0; i < N(BAD); i++) {
        if (query_number(BAD[i], 0, 100, &n))
            fail_msg("accepted: %s", BAD[i]);
    }
    assert_false(query_number("0", 1, 100, &n));
    assert_false(query_number("101", 1, 100, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_to_decode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(decoding_ends_at_the_length, set_up, tear_down),
        cmocka_unit_test(decoding_without_memory_fails),
        cmocka_unit_test_setup_teardown(parses_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_may_hold_control_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_are_bounded, set_up, tear_down),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
