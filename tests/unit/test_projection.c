/*
 * test_projection: which `fields` strings compile, which are refused and where, and what is left
 * of a document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/projection.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static void selects(void **state)
{
    static const struct {
        const char *fields;
        const char *body;
        const char *expected;
    } row[] = {
        {"", "{\"a\":1, \"b\":2}", "{\"a\":1, \"b\":2}"},
        {" \t ", "{\"a\":1}", "{\"a\":1}"},
        {"", " {\"a\" :\n[ \"x\\\" y\" ,\r\n2 ] } ", "{\"a\":[\"x\\\" y\",2]}"},
        {"a", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
        {"b,a", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2}"},
        {" a.b ,\tc ", "{\"a\":{\"b\":1,\"x\":2},\"c\":[1]}", "{\"a\":{\"b\":1},\"c\":[1]}"},
        {"a", "{\"a\":{\"b\":{}},\"b\":2}", "{\"a\":{\"b\":{}}}"},
        {"a.b,a", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"},
        {"a,a.b.c,a.b", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"},
        {"a,a", "{\"a\":1}", "{\"a\":1}"},
        {"a.b,ab,a b.c", "{\"ab\":1,\"a b\":{\"c\":3},\"a\":{\"b\":2}}",
         "{\"ab\":1,\"a b\":{\"c\":3},\"a\":{\"b\":2}}"},
        {"a.b.c,a.b.d", "{\"a\":{\"b\":{\"d\":1,\"c\":2,\"e\":3},\"c\":1}}", "{\"a\":{\"b\":{\"d\":1,\"c\":2}}}"},
        {"a", "{\"\\u0061\":null}", "{\"\\u0061\":null}"},
        {"\xc3\xa9.x", "{\"\\u00e9\":{\"x\":1,\"y\":1}}", "{\"\\u00e9\":{\"x\":1}}"},
        {"a.b", "{\"a\":[{\"b\":1,\"c\":1},{\"c\":2},{\"b\":null},7]}", "{\"a\":[{\"b\":1},{},{\"b\":null},{}]}"},
        {"a.b", "{\"a\":[[{\"b\":1}],[{\"c\":1}]]}", "{\"a\":[[{\"b\":1}],{}]}"},
        {"a.b.c", "{\"a\":[{\"b\":[{\"c\":1},{}]},{\"b\":[]}]}", "{\"a\":[{\"b\":[{\"c\":1},{}]},{}]}"},
        {"identities.id,identityMap", "{\"identityMap\":{\"E\":[]},\"identities\":[{\"id\":1,\"x\":2}]}",
         "{\"identityMap\":{\"E\":[]},\"identities\":[{\"id\":1}]}"},
    };
    struct jscan scan = JSCAN_INIT;
    struct str out = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct projection projection;
        struct projection_error error;
        str_reset(&out);
        assert_int_equal(projection_compile(&projection, row[i].fields, strlen(row[i].fields), &error), FAULT_NONE);
        assert_int_equal(projection_write_document(&projection, &scan, row[i].body, strlen(row[i].body), &out),
                         FAULT_NONE);
        assert_string_equal(out.data, row[i].expected);
        projection_free(&projection);
    }
    jscan_free(&scan);
    str_free(&out);
}

static void leaves_out_what_no_path_names(void **state)
{
    static const struct {
        const char *fields;
        const char *body;
    } row[] = {
        {"x", "{\"a\":1}"},
        {"x", "{}"},
        {"a.b", "{\"a\":1}"},
        {"a.b", "{\"a\":null}"},
        {"a.b", "{\"a\":\"b\"}"},
        {"a.b", "{\"a\":{}}"},
        {"a.b", "{\"a\":[]}"},
        {"a.b", "{\"a\":[1,\"b\",null]}"},
        {"a.b", "{\"a\":[{\"c\":1},{}]}"},
        {"a.b.c", "{\"a\":{\"b\":{\"d\":{\"c\":1}}}}"},
        {"A", "{\"a\":1}"},
        {"aa", "{\"a\":1}"},
        {"a", "{\"aa\":1}"},
        {"b", "{\"a\":{\"b\":1}}"},
        {"a.0", "{\"a\":[1]}"},
    };
    struct jscan scan = JSCAN_INIT;
    struct str out = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct projection projection;
        struct projection_error error;
        str_reset(&out);
        assert_int_equal(projection_compile(&projection, row[i].fields, strlen(row[i].fields), &error), FAULT_NONE);
        assert_false(projection_is_all(&projection));
        assert_int_equal(projection_write_document(&projection, &scan, row[i].body, strlen(row[i].body), &out),
                         FAULT_NONE);
        assert_string_equal(out.data, "{}");
        projection_free(&projection);
    }
    jscan_free(&scan);
    str_free(&out);
}

static void refuses_malformed_paths(void **state)
{
    static const struct {
        const char *fields;
        size_t length;
        size_t offset;
    } bad[] = {
        {".", 1, 0},    {"a..b", 4, 2}, {".a", 2, 0},      {"a.", 2, 1},     {"a.b.", 4, 3},           {"a,", 2, 2},
        {",a", 2, 0},   {",", 1, 0},    {"a,,b", 4, 2},    {"a, ,b", 5, 3},  {"a,b..c", 6, 4},         {"a,\n b", 5, 2},
        {"a\tb", 3, 1}, {"a\0b", 3, 1}, {"a.b\x7f", 4, 3}, {"a.\x1f", 3, 2}, {"ok.fine, x. ", 12, 10}, {"a . ", 4, 2},
    };
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        struct projection projection;
        struct projection_error error;
        enum fault fault = projection_compile(&projection, bad[i].fields, bad[i].length, &error);
        if (fault != FAULT_MALFORMED || error.offset != bad[i].offset || strlen(error.reason) == 0)
            fail_msg("%s: fault %d at %zu, expected at %zu", bad[i].fields, fault, error.offset, bad[i].offset);
        projection_free(&projection);
    }
}

static void takes_as_many_paths_as_allowed(void **state)
{
    struct str fields = STR_INIT(1 << 20);
    struct str body = STR_INIT(1 << 20);
    struct str out = STR_INIT(1 << 20);
    struct jscan scan = JSCAN_INIT;
    struct projection projection;
    struct projection_error error;
    (void)state;
    for (unsigned i = 0; i < PROJECTION_MAX_PATHS; i++) {
        str_printf(&fields, "%sm%u.x", i == 0 ? "" : ",", i * 7 % PROJECTION_MAX_PATHS);
        str_printf(&body, "%s\"m%u\":{\"x\":%u}", i == 0 ? "{" : ",", i, i);
    }
    str_append_char(&body, '}');
    assert_int_equal(projection_compile(&projection, fields.data, fields.length, &error), FAULT_NONE);
    assert_int_equal(projection_write_document(&projection, &scan, body.data, body.length, &out), FAULT_NONE);
    assert_string_equal(out.data, body.data);
    projection_free(&projection);

    size_t before = fields.length;
    str_append_text(&fields, ",more");
    assert_int_equal(projection_compile(&projection, fields.data, fields.length, &error), FAULT_MALFORMED);
    assert_int_equal(error.offset, before + 1);
    projection_free(&projection);
    jscan_free(&scan);
    str_free(&fields);
    str_free(&body);
    str_free(&out);
}

static void bounds_the_length(void **state)
{
    char *fields = malloc(PROJECTION_MAX_BYTES + 1);
    struct projection projection;
    struct projection_error error;
    (void)state;
    assert_non_null(fields);
    /* One path of as many segments as fit. */
    for (size_t i = 0; i <= PROJECTION_MAX_BYTES; i++)
        fields[i] = i % 2 == 0 ? 'a' : '.';
    assert_int_equal(projection_compile(&projection, fields, PROJECTION_MAX_BYTES - 1, &error), FAULT_NONE);
    assert_int_equal(projection.count, PROJECTION_MAX_BYTES / 2 + 1);
    projection_free(&projection);
    assert_int_equal(projection_compile(&projection, fields, PROJECTION_MAX_BYTES + 1, &error), FAULT_MALFORMED);
    assert_int_equal(error.offset, PROJECTION_MAX_BYTES);
    projection_free(&projection);
    free(fields);
}

static void refuses_stored_bodies_that_are_no_objects(void **state)
{
    static const char *const bad[] = {"", "[]", "1", "null", "\"a\"", "{", "{\"a\":NaN}", "{\"a\":1}x"};
    struct projection projection;
    struct projection_error error;
    struct jscan scan = JSCAN_INIT;
    struct str out = STR_INIT(100);
    (void)state;
    assert_int_equal(projection_compile(&projection, NULL, 0, &error), FAULT_NONE);
    assert_true(projection_is_all(&projection));
    for (size_t i = 0; i < N(bad); i++)
        assert_int_equal(projection_write_document(&projection, &scan, bad[i], strlen(bad[i]), &out), FAULT_INTERNAL);
    assert_int_equal(out.length, 0);
    projection_free(&projection);
    jscan_free(&scan);
    str_free(&out);
}

static void reports_a_full_buffer(void **state)
{
    static const char body[] = "{\"a\":{\"b\":\"a text that does not fit\"}}";
    struct projection projection;
    struct projection_error error;
    struct jscan scan = JSCAN_INIT;
    (void)state;
    assert_int_equal(projection_compile(&projection, "a.b", 3, &error), FAULT_NONE);
    for (size_t bound = 0; bound < sizeof body; bound++) {
        struct str out = STR_INIT(bound);
        assert_int_equal(projection_write_document(&projection, &scan, body, sizeof body - 1, &out), FAULT_MEMORY);
        str_free(&out);
    }
    struct str out = STR_INIT(sizeof body);
    assert_int_equal(projection_write_document(&projection, &scan, body, sizeof body - 1, &out), FAULT_NONE);
    str_free(&out);
    projection_free(&projection);
    jscan_free(&scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selects),
        cmocka_unit_test(leaves_out_what_no_path_names),
        cmocka_unit_test(refuses_malformed_paths),
        cmocka_unit_test(takes_as_many_paths_as_allowed),
        cmocka_unit_test(bounds_the_length),
        cmocka_unit_test(refuses_stored_bodies_that_are_no_objects),
        cmocka_unit_test(reports_a_full_buffer),
    };
    return cmocka_run_group_tests_name("projection", tests, NULL, NULL);
}
