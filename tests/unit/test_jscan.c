/*
 * test_jscan: what the strict scanner accepts, what it refuses and where, and what its tape says.
 *
 * Every text is scanned from a heap copy of its exact size, so that a sanitizer build sees a read
 * past its end.
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
#define TEXT(literal) literal, sizeof(literal) - 1

static char *copy_exact(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    return copy;
}

static enum jscan_fault scan_limited(const char *text, size_t length, struct jscan_limits limits, size_t *offset)
{
    struct jscan scan = JSCAN_INIT;
    char *copy = copy_exact(text, length);
    enum jscan_fault fault = jscan_document(&scan, copy, length, limits);
    *offset = scan.fault_offset;
    jscan_free(&scan);
    free(copy);
    return fault;
}

static enum jscan_fault scan_text(const char *text, size_t length, size_t *offset)
{
    return scan_limited(text, length, JSCAN_REQUEST_LIMITS, offset);
}

static void accepts(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } good[] = {
        {TEXT("null")},
        {TEXT(" true\r\n\t")},
        {TEXT("false")},
        {TEXT("0")},
        {TEXT("-0")},
        {TEXT("9007199254740991")},
        {TEXT("-9007199254740991")},
        {TEXT("0.0")},
        {TEXT("-0.0e-0")},
        {TEXT("1E5")},
        {TEXT("1e+5")},
        {TEXT("123456789012345678901234567890.0")},
        {TEXT("1.7976931348623157e308")},
        {TEXT("17976931348623157e292")},
        {TEXT("0.00000000000000000000017976931348623157e330")},
        {TEXT("1e-400")},
        {TEXT("0e999999999999999999999")},
        {TEXT("1e-999999999999999999999")},
        {TEXT("\"\"")},
        {TEXT("\"\x7f\"")},
        {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"")},
        {TEXT("\"\xc3\xa9\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")},
        {TEXT("[]")},
        {TEXT("{}")},
        {TEXT("[ ]")},
        {TEXT("{ }")},
        {TEXT("[[],{},[{}]]")},
        {TEXT("{\"\":0}")},
        {TEXT("{\"a\":1,\"A\":2,\"a \":3}")},
        {TEXT("{ \"a\" : [ 1 , 2.5 , \"x\" , null ] , \"b\" : { } }")},
        {TEXT("{\"a\":{\"a\":{\"a\":1}}}")},
        {TEXT("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")},
    };
    (void)state;
    for (size_t i = 0; i < N(good); i++) {
        size_t offset;
        enum jscan_fault fault = scan_text(good[i].text, good[i].length, &offset);
        if (fault != JSCAN_OK)
            fail_msg("%s: %s at %zu", good[i].text, jscan_reason(fault), offset);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        enum jscan_fault fault;
        size_t offset;
    } bad[] = {
        {TEXT(""), JSCAN_EMPTY, 0},
        {TEXT(" \n\t "), JSCAN_EMPTY, 4},
        {TEXT("\xef\xbb\xbf{}"), JSCAN_BOM, 0},
        {TEXT("{} \xef\xbb\xbf"), JSCAN_TRAILING, 3},
        {TEXT("{}{}"), JSCAN_TRAILING, 2},
        {TEXT("1 2"), JSCAN_TRAILING, 2},
        {TEXT("12abc"), JSCAN_TRAILING, 2},
        {TEXT("null\0"), JSCAN_TRAILING, 4},
        {TEXT("nulL"), JSCAN_SYNTAX, 3},
        {TEXT("tru"), JSCAN_TRUNCATED, 3},
        {TEXT("True"), JSCAN_SYNTAX, 0},
        {TEXT("NaN"), JSCAN_SYNTAX, 0},
        {TEXT("nan"), JSCAN_SYNTAX, 1},
        {TEXT("Infinity"), JSCAN_SYNTAX, 0},
        {TEXT("-Infinity"), JSCAN_NUMBER_FORM, 1},
        {TEXT("-"), JSCAN_NUMBER_FORM, 1},
        {TEXT("+1"), JSCAN_SYNTAX, 0},
        {TEXT(".5"), JSCAN_SYNTAX, 0},
        {TEXT("1."), JSCAN_NUMBER_FORM, 2},
        {TEXT("[1.,2]"), JSCAN_NUMBER_FORM, 3},
        {TEXT("1e"), JSCAN_NUMBER_FORM, 2},
        {TEXT("1e+"), JSCAN_NUMBER_FORM, 3},
        {TEXT("1.e5"), JSCAN_NUMBER_FORM, 2},
        {TEXT("[-012]"), JSCAN_NUMBER_FORM, 1},
        {TEXT("00"), JSCAN_NUMBER_FORM, 0},
        {TEXT("01.5"), JSCAN_NUMBER_FORM, 0},
        {TEXT("0x10"), JSCAN_TRAILING, 1},
        {TEXT("9007199254740992"), JSCAN_RANGE, 0},
        {TEXT("[-9007199254740992]"), JSCAN_RANGE, 1},
        {TEXT("123456789012345678901234567890"), JSCAN_RANGE, 0},
        {TEXT("1e309"), JSCAN_RANGE, 0},
        {TEXT("-1.8e308"), JSCAN_RANGE, 1},
        {TEXT("1.7976931348623159e308"), JSCAN_RANGE, 0},
        {TEXT("1e99999999999999999999"), JSCAN_RANGE, 0},
        {TEXT("\"abc"), JSCAN_TRUNCATED, 4},
        {TEXT("\"\\"), JSCAN_TRUNCATED, 2},
        {TEXT("\"\\u12"), JSCAN_TRUNCATED, 5},
        {TEXT("\"\\ud83d"), JSCAN_TRUNCATED, 7},
        {TEXT("\"\xe2\x82"), JSCAN_TRUNCATED, 3},
        {TEXT("'a'"), JSCAN_SYNTAX, 0},
        {TEXT("\"a\nb\""), JSCAN_CONTROL, 2},
        {TEXT("\"a\0b\""), JSCAN_CONTROL, 2},
        {TEXT("\"a\x1f\""), JSCAN_CONTROL, 2},
        {TEXT("\"\\x41\""), JSCAN_ESCAPE, 1},
        {TEXT("\"\\\0\""), JSCAN_ESCAPE, 1},
        {TEXT("\"\\U0041\""), JSCAN_ESCAPE, 1},
        {TEXT("\"\\u00g0\""), JSCAN_ESCAPE, 1},
        {TEXT("\"ab\\u0000\""), JSCAN_NUL, 3},
        {TEXT("{\"a\\u0000b\":1}"), JSCAN_NUL, 3},
        {TEXT("\"\\ud800\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\\udc00\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\\udc00\\ud800\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\\ud800\\ud800\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\\ud800\\n\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\\ud800x\""), JSCAN_SURROGATE, 1},
        {TEXT("\"\xff\""), JSCAN_UTF8, 1},
        {TEXT("\"\x80\""), JSCAN_UTF8, 1},
        {TEXT("\"\xc0\xaf\""), JSCAN_UTF8, 1},
        {TEXT("\"\xc1\xbf\""), JSCAN_UTF8, 1},
        {TEXT("\"\xe0\x9f\xbf\""), JSCAN_UTF8, 1},
        {TEXT("\"\xed\xa0\x80\""), JSCAN_UTF8, 1},
        {TEXT("\"\xf0\x8f\xbf\xbf\""), JSCAN_UTF8, 1},
        {TEXT("\"\xf4\x90\x80\x80\""), JSCAN_UTF8, 1},
        {TEXT("\"\xf5\x80\x80\x80\""), JSCAN_UTF8, 1},
        {TEXT("\"a\xc3\""), JSCAN_UTF8, 2},
        {TEXT("\"\xe2\x82x\""), JSCAN_UTF8, 1},
        {TEXT("\xc2\xa0null"), JSCAN_SYNTAX, 0},
        {TEXT("\f1"), JSCAN_SYNTAX, 0},
        {TEXT("["), JSCAN_TRUNCATED, 1},
        {TEXT("[1"), JSCAN_TRUNCATED, 2},
        {TEXT("[1,"), JSCAN_TRUNCATED, 3},
        {TEXT("[1,]"), JSCAN_SYNTAX, 3},
        {TEXT("[,1]"), JSCAN_SYNTAX, 1},
        {TEXT("[1 2]"), JSCAN_SYNTAX, 3},
        {TEXT("[1}"), JSCAN_SYNTAX, 2},
        {TEXT("]"), JSCAN_SYNTAX, 0},
        {TEXT("{"), JSCAN_TRUNCATED, 1},
        {TEXT("{\"a\""), JSCAN_TRUNCATED, 4},
        {TEXT("{\"a\":"), JSCAN_TRUNCATED, 5},
        {TEXT("{\"a\":1"), JSCAN_TRUNCATED, 6},
        {TEXT("{\"a\":}"), JSCAN_SYNTAX, 5},
        {TEXT("{\"a\":1,}"), JSCAN_SYNTAX, 7},
        {TEXT("{,\"a\":1}"), JSCAN_SYNTAX, 1},
        {TEXT("{\"a\" 1}"), JSCAN_SYNTAX, 5},
        {TEXT("{\"a\",1}"), JSCAN_SYNTAX, 4},
        {TEXT("{a:1}"), JSCAN_SYNTAX, 1},
        {TEXT("{1:1}"), JSCAN_SYNTAX, 1},
        {TEXT("{\"a\":1 \"b\":2}"), JSCAN_SYNTAX, 7},
        {TEXT("{\"a\":1]"), JSCAN_SYNTAX, 6},
        {TEXT("[1]/**/"), JSCAN_TRAILING, 3},
        {TEXT("{\"a\":1,\"a\":1}"), JSCAN_DUPLICATE, 7},
        {TEXT("{\"\":1,\"b\":2,\"\":1}"), JSCAN_DUPLICATE, 12},
        {TEXT("{\"a\":1,\"\\u0061\":1}"), JSCAN_DUPLICATE, 7},
        {TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}"), JSCAN_DUPLICATE, 18},
        {TEXT("{\"long name one\":1,\"x\":2,\"long name\\u0020one\":1}"), JSCAN_DUPLICATE, 25},
        {TEXT("[{\"x\":{\"b\":{},\"b\":[]}}]"), JSCAN_DUPLICATE, 14},
        {TEXT("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), JSCAN_DEPTH, 16},
    };
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        size_t offset;
        enum jscan_fault fault = scan_text(bad[i].text, bad[i].length, &offset);
        if (fault != bad[i].fault || offset != bad[i].offset)
            fail_msg("%s: %s at %zu, expected %s at %zu", bad[i].text, jscan_reason(fault), offset,
                     jscan_reason(bad[i].fault), bad[i].offset);
    }
}

/* The sample of older copies of the reference document misses a comma (contract.md section 3). */
static void refuses_reference_sample_without_comma(void **state)
{
    const char text[] = "{\"additionalFields\":{\"eventList\":{}}\n\"destination\":{}}";
    size_t offset;
    (void)state;
    assert_int_equal(scan_text(text, sizeof text - 1, &offset), JSCAN_SYNTAX);
    assert_int_equal(offset, strchr(text, '\n') - text + 1);
}

static void refuses_by_limit(void **state)
{
    size_t offset;
    (void)state;
    assert_int_equal(scan_limited("[1]", 3, (struct jscan_limits){.depth = 0, .bytes = 10}, &offset), JSCAN_DEPTH);
    assert_int_equal(scan_limited("1", 1, (struct jscan_limits){.depth = 0, .bytes = 10}, &offset), JSCAN_OK);
    assert_int_equal(scan_limited("[[1]]", 5, (struct jscan_limits){.depth = 2, .bytes = 5}, &offset), JSCAN_OK);
    assert_int_equal(scan_limited("[[1]]", 5, (struct jscan_limits){.depth = 1, .bytes = 5}, &offset), JSCAN_DEPTH);
    assert_int_equal(offset, 1);
    assert_int_equal(scan_limited("[[1]]", 5, (struct jscan_limits){.depth = 2, .bytes = 4}, &offset), JSCAN_TOO_LONG);
    assert_int_equal(offset, 4);
}

/* The exact edge between the greatest double and infinity: 2^1024 - 2^970 and one below. */
static void refuses_from_the_first_infinite_number(void **state)
{
    static const char edge[] = "179769313486231580793728971405303415079934132710037826936173778980444968292764"
                               "750946649017977587207096330286416692887910946555547851940402630657488671505820"
                               "681908902000708383676273854845817711531764475730270069855571366959622842914819"
                               "860834936475292719074168444365510704342711559699508093042880177904174497792";
    char text[400];
    size_t offset;
    (void)state;
    snprintf(text, sizeof text, "%s.0", edge);
    assert_int_equal(scan_text(text, strlen(text), &offset), JSCAN_RANGE);
    snprintf(text, sizeof text, "%.1s.%se308", edge, edge + 1);
    assert_int_equal(scan_text(text, strlen(text), &offset), JSCAN_RANGE);
    snprintf(text, sizeof text, "0.000%se3", edge);
    assert_int_equal(scan_text(text, strlen(text), &offset), JSCAN_OK);
    snprintf(text, sizeof text, "0.000%se312", edge);
    assert_int_equal(scan_text(text, strlen(text), &offset), JSCAN_RANGE);
    assert_true(strtod(text, NULL) > 1.7976931348623157e308);
    snprintf(text, sizeof text, "%.306s791.999", edge);
    assert_int_equal(scan_text(text, strlen(text), &offset), JSCAN_OK);
    assert_true(strtod(text, NULL) <= 1.7976931348623157e308);
}

static void agrees_with_strtod_on_random_numbers(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t offset;
        int length = snprintf(text, sizeof text, "%d.%d%de%d", rand() % 10, rand() % 1000, rand(), 300 + rand() % 10);
        bool finite = strtod(text, NULL) <= 1.7976931348623157e308;
        enum jscan_fault fault = scan_text(text, (size_t)length, &offset);
        if (fault != (finite ? JSCAN_OK : JSCAN_RANGE))
            fail_msg("%s: %s", text, jscan_reason(fault));
    }
}

static const char sample[] =
    "{\"id\": -12, \"na\\u006de\" : \"J\xc3\xbcrg \\\"x\\\" of a longer kind\", \"list\":[1.5,true,"
    "false,null,[],{}],\"deep\":{\"a\":{\"b\":[{\"c\":\"\\ud83d\\ude00\"}]}}}";

static void refuses_every_prefix(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof sample - 1; length++) {
        size_t offset;
        enum jscan_fault fault = scan_text(sample, length, &offset);
        if (fault != JSCAN_TRUNCATED && !(length == 0 && fault == JSCAN_EMPTY) &&
            !(fault == JSCAN_NUMBER_FORM && (sample[length - 1] == '-' || sample[length - 1] == '.')))
            fail_msg("prefix of %zu: %s", length, jscan_reason(fault));
        assert_true(offset <= length);
    }
}

/* Changed bytes must never be read past the end or end in an offset outside the text. */
static void survives_random_damage(void **state)
{
    (void)state;
    srand(11);
    for (int i = 0; i < 20000; i++) {
        char text[sizeof sample];
        size_t offset;
        memcpy(text, sample, sizeof sample);
        for (int n = rand() % 3; n >= 0; n--)
            text[(size_t)rand() % (sizeof sample - 1)] = (char)(rand() % 3 == 0 ? rand() : "\"\\{}[],:0u"[rand() % 10]);
        (void)scan_text(text, 1 + (size_t)rand() % (sizeof sample - 1), &offset);
        assert_true(offset <= sizeof sample);
    }
}

/* Strings are scanned in words: a byte of interest must be seen at every place of a word. */
static void sees_special_bytes_at_every_place(void **state)
{
    static const struct {
        const char *bytes;
        enum jscan_fault fault;
    } special[] = {{"\x01", JSCAN_CONTROL},      {"\x1f", JSCAN_CONTROL}, {"\xff", JSCAN_UTF8},   {"\x80", JSCAN_UTF8},
                   {"\\q", JSCAN_ESCAPE},        {"\\u0000", JSCAN_NUL},  {"\xc3\xa9", JSCAN_OK}, {"\\n", JSCAN_OK},
                   {"\xed\xa0\x80", JSCAN_UTF8}, {"\"", JSCAN_TRAILING},  {" ", JSCAN_OK},        {"\x7f", JSCAN_OK}};
    (void)state;
    for (size_t before = 0; before < 40; before++) {
        for (size_t after = 0; after < 24; after++) {
            for (size_t i = 0; i < N(special); i++) {
                char text[128];
                size_t offset;
                int length = snprintf(text, sizeof text, "\"%.*s%s%.*sz\"", (int)before,
                                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", special[i].bytes, (int)after,
                                      "yyyyyyyyyyyyyyyyyyyyyyyy");
                enum jscan_fault fault = scan_text(text, (size_t)length, &offset);
                assert_int_equal(fault, special[i].fault);
                if (fault != JSCAN_OK)
                    assert_int_equal(offset, before + (fault == JSCAN_TRAILING ? 2 : 1));
            }
        }
    }
}

static void tape_follows_the_document(void **state)
{
    struct jscan scan = JSCAN_INIT;
    char out[64];
    (void)state;
    assert_int_equal(jscan_document(&scan, sample, sizeof sample - 1, JSCAN_REQUEST_LIMITS), JSCAN_OK);
    assert_int_equal(scan.node[0].type, JSCAN_OBJECT);
    assert_int_equal(scan.node[0].count, 4);
    assert_int_equal(scan.node[0].next, scan.count);
    assert_int_equal(scan.node[0].end, sizeof sample - 1);

    uint32_t id = jscan_member(&scan, 0, "id");
    assert_int_equal(scan.node[id].type, JSCAN_INTEGER);
    assert_int_equal(jscan_integer(&scan, id), -12);

    uint32_t name = jscan_member(&scan, 0, "name");
    assert_int_equal(scan.node[name].type, JSCAN_STRING);
    assert_true(jscan_string_equals(&scan, name, "J\xc3\xbcrg \"x\" of a longer kind", 26));
    assert_false(jscan_string_equals(&scan, name, "J\xc3\xbcrg \"x\" of a longer kin", 25));
    assert_false(jscan_string_equals(&scan, name, "J\xc3\xbcrg \"x\" of a longer kind!", 27));
    assert_int_equal(jscan_string_copy(&scan, name, out), 26);
    assert_memory_equal(out, "J\xc3\xbcrg \"x\" of a longer kind", 26);

    uint32_t list = jscan_member(&scan, 0, "list");
    static const enum jscan_type types[] = {JSCAN_NUMBER, JSCAN_TRUE,  JSCAN_FALSE,
                                            JSCAN_NULL,   JSCAN_ARRAY, JSCAN_OBJECT};
    assert_int_equal(scan.node[list].count, N(types));
    uint32_t element = list + 1;
    for (size_t i = 0; i < N(types); i++) {
        assert_int_equal(scan.node[element].type, types[i]);
        element = scan.node[element].next;
    }
    assert_int_equal(element, scan.node[list].next);

    uint32_t b = jscan_member(&scan, jscan_member(&scan, jscan_member(&scan, 0, "deep"), "a"), "b");
    uint32_t c = jscan_member(&scan, b + 1, "c");
    assert_int_equal(jscan_string_copy(&scan, c, out), 4);
    assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
    jscan_free(&scan);
}

static void member_is_absent(void **state)
{
    struct jscan scan = JSCAN_INIT;
    static const char text[] = "{\"a\":[{\"b\":1}],\"id\":\"x\"}";
    (void)state;
    assert_int_equal(jscan_document(&scan, text, sizeof text - 1, JSCAN_REQUEST_LIMITS), JSCAN_OK);
    assert_int_equal(jscan_member(&scan, 0, "b"), 0);
    assert_int_equal(jscan_member(&scan, 0, ""), 0);
    assert_int_equal(jscan_member(&scan, 0, "i"), 0);
    assert_int_equal(jscan_member(&scan, 0, "idx"), 0);
    assert_int_equal(jscan_member(&scan, jscan_member(&scan, 0, "a"), "b"), 0);
    assert_int_equal(jscan_member(&scan, jscan_member(&scan, 0, "id"), "x"), 0);
    jscan_free(&scan);
}

static void reads_integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } number[] = {
        {"0", 0}, {"-0", 0}, {"9007199254740991", 9007199254740991}, {"-9007199254740991", -9007199254740991}};
    struct jscan scan = JSCAN_INIT;
    (void)state;
    for (size_t i = 0; i < N(number); i++) {
        assert_int_equal(jscan_document(&scan, number[i].text, strlen(number[i].text), JSCAN_REQUEST_LIMITS), JSCAN_OK);
        assert_int_equal(scan.node[0].type, JSCAN_INTEGER);
        assert_true(jscan_integer(&scan, 0) == number[i].value);
    }
    jscan_free(&scan);
}

static void reads_values_one_after_the_other(void **state)
{
    static const char text[] = " {\"a\":1}\n[2] \"x\"3 ";
    static const size_t ends[] = {8, 12, 16, 17};
    struct jscan scan = JSCAN_INIT;
    size_t at = 0;
    size_t used;
    (void)state;
    for (size_t i = 0; i < N(ends); i++) {
        assert_int_equal(jscan_value(&scan, text + at, sizeof text - 1 - at, JSCAN_REQUEST_LIMITS, &used), JSCAN_OK);
        at += used;
        assert_int_equal(at, ends[i]);
    }
    assert_int_equal(jscan_value(&scan, text + at, sizeof text - 1 - at, JSCAN_REQUEST_LIMITS, &used), JSCAN_EMPTY);
    assert_int_equal(jscan_value(&scan, "{\"a\":tru", 8, JSCAN_REQUEST_LIMITS, &used), JSCAN_TRUNCATED);
    jscan_free(&scan);
}

static void every_fault_has_a_reason(void **state)
{
    (void)state;
    for (int i = 0; i <= (int)JSCAN_MEMORY; i++)
        assert_true(strlen(jscan_reason((enum jscan_fault)i)) > 3);
    assert_string_equal(jscan_reason((enum jscan_fault)99), "unknown fault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_reference_sample_without_comma),
        cmocka_unit_test(refuses_by_limit),
        cmocka_unit_test(refuses_from_the_first_infinite_number),
        cmocka_unit_test(agrees_with_strtod_on_random_numbers),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(survives_random_damage),
        cmocka_unit_test(sees_special_bytes_at_every_place),
        cmocka_unit_test(tape_follows_the_document),
        cmocka_unit_test(member_is_absent),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_values_one_after_the_other),
        cmocka_unit_test(every_fault_has_a_reason),
    };
    return cmocka_run_group_tests_name("jscan", tests, NULL, NULL);
}
