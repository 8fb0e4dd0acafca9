/*
 * test_merge: the rules of the merge one by one, its limits, and thousands of random profiles
 * against a slow oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/merge.h"
#include "merge_oracle.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static struct merge *merge;

static int open_merge(void **state)
{
    (void)state;
    merge = merge_new();
    return merge == NULL;
}

static int close_merge(void **state)
{
    (void)state;
    merge_free(merge);
    return 0;
}

static enum fault merge_bodies(const char *const *body, size_t count, const char *fields, struct str *out)
{
    struct merge_fragment *fragment = calloc(count + 1, sizeof *fragment);
    struct projection projection;
    struct projection_error error;
    assert_non_null(fragment);
    for (size_t i = 0; i < count; i++)
        fragment[i] = (struct merge_fragment){body[i], strlen(body[i])};
    assert_int_equal(projection_compile(&projection, fields, strlen(fields), &error), FAULT_NONE);
    enum fault fault = merge_profile(merge, fragment, count, &projection, out);
    projection_free(&projection);
    free(fragment);
    return fault;
}

struct row {
    const char *fields;
    const char *body[4];
    const char *expected;
};

static void check_rows(const struct row *row, size_t rows)
{
    struct str out = STR_INIT(1 << 20);
    for (size_t i = 0; i < rows; i++) {
        size_t count = 0;
        while (count < 4 && row[i].body[count] != NULL)
            count++;
        str_reset(&out);
        assert_int_equal(merge_bodies(row[i].body, count, row[i].fields, &out), FAULT_NONE);
        assert_string_equal(out.data, row[i].expected);
    }
    str_free(&out);
}

static void folds_members(void **state)
{
    static const struct row row[] = {
        {"", {NULL}, "{}"},
        {"", {"{}"}, "{}"},
        {"", {"{}", "{}"}, "{}"},
        {"", {"  {\"b\" : 1, \"a\":2 }  "}, "{\"b\" : 1, \"a\":2 }"},
        {"", {"{\"b\" :\n1,\r\"a\":\"x y\" }"}, "{\"b\":1,\"a\":\"x y\"}"},
        {"", {"{\"a\":1,\"b\":1}", "{\"c\":3,\"a\":2}"}, "{\"a\":2,\"b\":1,\"c\":3}"},
        {"", {"{\"a\":{\"x\":1,\"y\":1}}", "{\"a\":{\"y\":2,\"z\":2}}"}, "{\"a\":{\"x\":1,\"y\":2,\"z\":2}}"},
        {"", {"{\"a\":[1,2]}", "{\"a\":[3]}"}, "{\"a\":[3]}"},
        {"", {"{\"a\":{\"l\":[{\"x\":1}]}}", "{\"a\":{\"l\":[{\"y\":1}]}}"}, "{\"a\":{\"l\":[{\"y\":1}]}}"},
        {"", {"{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":{\"y\":2}}"}, "{\"a\":{\"y\":2}}"},
        {"", {"{\"a\":{\"x\":1}}", "{\"a\":5}"}, "{\"a\":5}"},
        {"", {"{\"a\":5}", "{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}"}, "{\"a\":{\"x\":1,\"y\":2}}"},
        {"", {"{\"a\":1}", "{\"a\":null}"}, "{\"a\":null}"},
        {"", {"{\"a\":null}", "{\"a\":1}"}, "{\"a\":1}"},
        {"", {"{\"a\":{\"x\":1}}", "{\"a\":null}", "{\"a\":{\"y\":2}}"}, "{\"a\":{\"y\":2}}"},
        {"", {"{\"a\":{\"x\":1}}", "{\"b\":1}", "{\"a\":{\"y\":2}}"}, "{\"a\":{\"x\":1,\"y\":2},\"b\":1}"},
        {"", {"{\"a\":{}}", "{\"a\":{}}"}, "{\"a\":{}}"},
        {"",
         {"{\"a\":{\"x\":{\"d\":1}}}", "{\"a\":{\"x\":{\"e\":1}}}", "{\"a\":{\"x\":{\"d\":2}}}"},
         "{\"a\":{\"x\":{\"d\":2,\"e\":1}}}"},
        {"", {"{\"\\u0061\":{\"x\":1}}", "{\"a\":{\"\\u0078\":2}}"}, "{\"\\u0061\":{\"x\":2}}"},
        {"", {"{\"n\":1.50}", "{\"m\":-0,\"s\":\"\\u00e9\"}"}, "{\"n\":1.50,\"m\":-0,\"s\":\"\\u00e9\"}"},
        {"", {"{\"a\": {\n\"x\" : [ 1,\n \"p  q\" ] }}", "{\"b\":2}"}, "{\"a\":{\"x\":[1,\"p  q\"]},\"b\":2}"},
        {"", {"{\"identities\":[1]}", "{\"a\":2}"}, "{\"identities\":[1],\"a\":2}"},
        {"",
         {"{\"segmentMembership\":{\"ups\":{\"s1\":{\"status\":\"realized\"}}}}",
          "{\"segmentMembership\":{\"ups\":{\"s2\":{\"status\":\"exited\"}},\"x\":{}}}"},
         "{\"segmentMembership\":{\"ups\":{\"s1\":{\"status\":\"realized\"},\"s2\":{\"status\":\"exited\"}},\"x\":{}}"
         "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

#define MAP(inside) "\"identityMap\":{" inside "}"

static void unites_identities(void **state)
{
    static const struct row row[] = {
        {"",
         {"{" MAP("\"E\":[{\"id\":\"1\"}]") "}", "{" MAP("\"E\":[{\"id\":\"2\"}]") "}"},
         "{" MAP("\"E\":[{\"id\":\"1\"},{\"id\":\"2\"}]") "}"},
        {"",
         {"{" MAP("\"E\":[{\"id\":\"1\",\"primary\":true}]") "}",
          "{" MAP("\"E\":[{\"primary\":false,\"id\":\"1\"}],\"P\":[]") "}"},
         "{" MAP("\"E\":[{\"id\":\"1\",\"primary\":false}],\"P\":[]") "}"},
        {"", {"{" MAP("\"E\":[{\"id\":\"1\"}]") "}", "{\"a\":1}"}, "{" MAP("\"E\":[{\"id\":\"1\"}]") ",\"a\":1}"},
        {"",
         {"{" MAP("\"E\":[{\"id\":\"\\u0031\"}]") "}", "{" MAP("\"\\u0045\":[{\"id\":\"1\",\"x\":2}]") "}"},
         "{" MAP("\"E\":[{\"id\":\"1\",\"x\":2}]") "}"},
        {"", {"{\"a\":{" MAP("\"E\":[1]") "}}", "{\"a\":{" MAP("\"E\":[2]") "}}"}, "{\"a\":{" MAP("\"E\":[2]") "}}"},
        {"",
         {"{" MAP("\"E\":[{\"id\":\"1\"},{\"id\":\"1\",\"primary\":true}]") "}"},
         "{" MAP("\"E\":[{\"id\":\"1\",\"primary\":true}]") "}"},
        {"", {"{" MAP("") "}", "{" MAP("") "}"}, "{" MAP("") "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

/* What ingestion would have refused takes no part and breaks nothing. */
static void ignores_what_is_no_identity(void **state)
{
    static const struct row row[] = {
        {"", {"{\"identityMap\":null,\"a\":1}"}, "{\"a\":1}"},
        {"", {"{\"identityMap\":[1]}", "{\"a\":1}"}, "{\"a\":1}"},
        {"", {"{" MAP("\"E\":[{\"id\":\"1\"}]") "}", "{\"identityMap\":5}"}, "{" MAP("\"E\":[{\"id\":\"1\"}]") "}"},
        {"", {"{" MAP("\"E\":5,\"P\":[{\"id\":\"1\"}]") "}"}, "{" MAP("\"P\":[{\"id\":\"1\"}]") "}"},
        {"",
         {"{" MAP("\"E\":[{\"id\":1},{\"x\":\"1\"},7,null,\"id\",[],{\"id\":\"1\"}]") "}"},
         "{" MAP("\"E\":[{\"id\":\"1\"}]") "}"},
        {"identities", {"{\"identityMap\":\"x\"}"}, "{}"},
    };
    (void)state;
    check_rows(row, N(row));
}

#define TWO                                                                                                            \
    "{" MAP("\"E\":[{\"id\":\"1\",\"primary\":true,\"k\":0}],\"P\":[{\"id\":\"2\"}]") ",\"a\":{\"b\":1,\"c\":2},"      \
                                                                                      "\"identities\":9}"
#define TWO_MAP MAP("\"E\":[{\"id\":\"1\",\"primary\":true,\"k\":0}],\"P\":[{\"id\":\"2\"}]")

static void projects(void **state)
{
    static const struct row row[] = {
        {"a.b", {TWO}, "{" TWO_MAP ",\"a\":{\"b\":1}}"},
        {"a", {TWO, "{\"a\":{\"d\":3}}"}, "{" TWO_MAP ",\"a\":{\"b\":1,\"c\":2,\"d\":3}}"},
        {"a.b,a.d", {TWO, "{\"a\":{\"d\":3,\"b\":4}}"}, "{" TWO_MAP ",\"a\":{\"b\":4,\"d\":3}}"},
        {"identityMap", {TWO}, "{" TWO_MAP "}"},
        {"identityMap.P", {TWO}, "{" TWO_MAP "}"},
        {"identities",
         {TWO},
         "{" TWO_MAP ",\"identities\":[{\"id\":\"1\",\"namespace\":{\"code\":\"E\"},\"primary\":true},"
         "{\"id\":\"2\",\"namespace\":{\"code\":\"P\"},\"primary\":false}]}"},
        {"identities.id", {TWO}, "{" TWO_MAP ",\"identities\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"},
        {"identities.namespace",
         {TWO},
         "{" TWO_MAP ",\"identities\":[{\"namespace\":{\"code\":\"E\"}},{\"namespace\":{\"code\":\"P\"}}]}"},
        {"identities.primary,identities.namespace.code",
         {TWO},
         "{" TWO_MAP ",\"identities\":[{\"namespace\":{\"code\":\"E\"},\"primary\":true},"
         "{\"namespace\":{\"code\":\"P\"},\"primary\":false}]}"},
        {"identities.id",
         {TWO, "{" MAP("\"E\":[{\"id\":\"3\"},{\"id\":\"1\",\"primary\":false}]") "}"},
         "{" MAP(
             "\"E\":[{\"id\":\"1\",\"primary\":false,\"k\":0},{\"id\":\"3\"}],\"P\":[{\"id\":\"2\"}]") ",\"identities\""
                                                                                                       ":[{\"id\":"
                                                                                                       "\"1\"},{\"id\":"
                                                                                                       "\"3\"},{\"id\":"
                                                                                                       "\"2\"}]}"},
    };
    (void)state;
    check_rows(row, N(row));
}

static void projects_to_nothing(void **state)
{
    static const struct row row[] = {
        {"x", {"{\"a\":1}"}, "{}"},
        {"x", {"{\"a\":1}", "{\"a\":2}"}, "{}"},
        {"x", {TWO}, "{" TWO_MAP "}"},
        {"a.b", {"{\"a\":{\"b\":1}}", "{\"a\":5}"}, "{}"},
        {"a.b", {"{\"a\":{\"b\":1}}", "{\"a\":null}", "{\"a\":{\"c\":1}}"}, "{}"},
        {"a.b.c", {"{\"a\":{\"b\":{\"d\":1}}}", "{\"a\":{\"b\":{\"e\":1}}}"}, "{}"},
        {"identities", {"{\"a\":1,\"identities\":[{\"id\":1}]}"}, "{}"},
        {"identities", {"{" MAP("\"E\":[]") "}"}, "{" MAP("\"E\":[]") "}"},
        {"identities.x", {TWO}, "{" TWO_MAP "}"},
        {"identities.id.x", {TWO}, "{" TWO_MAP "}"},
        {"identities.namespace.x", {TWO}, "{" TWO_MAP "}"},
        {"identities.namespace.code.x", {TWO}, "{" TWO_MAP "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

static void counts_identities_and_namespaces(void **state)
{
    static const char *const body[] = {
        "{" MAP("\"Em\\u0061il\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"Empty\":[],\"Broken\":1") "}",
        "{" MAP("\"Email\":[{\"id\":\"1\"}],\"ECID\":[{\"id\":\"1\"}]") "}"};
    struct str out = STR_INIT(4096);
    size_t cursor = 0;
    const char *name;
    size_t length;
    (void)state;
    assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_NONE);
    assert_int_equal(merge_identity_count(merge), 3);
    assert_true(merge_next_namespace(merge, &cursor, &name, &length));
    assert_string_equal(name, "Email");
    assert_int_equal(length, 5);
    assert_true(merge_next_namespace(merge, &cursor, &name, &length));
    assert_string_equal(name, "ECID");
    assert_false(merge_next_namespace(merge, &cursor, &name, &length));

    static const char *const none[] = {"{\"a\":1}"};
    assert_int_equal(merge_bodies(none, 1, "a", &out), FAULT_NONE);
    assert_int_equal(merge_identity_count(merge), 0);
    cursor = 0;
    assert_false(merge_next_namespace(merge, &cursor, &name, &length));
    str_free(&out);
}

static void refuses_broken_bodies(void **state)
{
    static const char *const bad[] = {"", "[]", "null", "{\"a\":1", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
    struct str out = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        const char *const body[] = {"{\"ok\":1}", bad[i]};
        assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_INTERNAL);
        assert_int_equal(merge_bodies(body + 1, 1, "", &out), FAULT_INTERNAL);
    }
    str_reset(&out);
    static const char *const good[] = {"{\"ok\":1}"};
    assert_int_equal(merge_bodies(good, 1, "", &out), FAULT_NONE);
    assert_string_equal(out.data, "{\"ok\":1}");
    str_free(&out);
}

static void refuses_too_many_fragments(void **state)
{
    const char **body = calloc(MERGE_MAX_FRAGMENTS + 1, sizeof *body);
    struct str out = STR_INIT(4096);
    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i <= MERGE_MAX_FRAGMENTS; i++)
        body[i] = i % 2 == 0 ? "{\"a\":{\"x\":1}}" : "{\"a\":{\"y\":2}}";
    assert_int_equal(merge_bodies(body, MERGE_MAX_FRAGMENTS + 1, "", &out), FAULT_MALFORMED);
    assert_int_equal(merge_bodies(body, MERGE_MAX_FRAGMENTS, "", &out), FAULT_NONE);
    assert_string_equal(out.data, "{\"a\":{\"x\":1,\"y\":2}}");
    str_free(&out);
    free(body);
}

static void reports_a_full_buffer(void **state)
{
    static const char *const body[] = {TWO, "{\"a\":{\"d\":3}}"};
    (void)state;
    for (size_t bound = 0; bound < 60; bound++) {
        struct str out = STR_INIT(bound);
        assert_int_equal(merge_bodies(body, 2, "a.d,identities", &out), FAULT_MEMORY);
        str_free(&out);
    }
}

/* Pair by pair these would take minutes: 100,000 members twice, 100,000 identities twice. */
static void merges_wide_objects_in_linear_time(void **state)
{
    struct str text[2] = {STR_INIT(32 << 20), STR_INIT(32 << 20)};
    struct str out = STR_INIT(64 << 20);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        str_append_text(&text[i], "{\"wide\":{");
        for (unsigned n = 0; n < 100000; n++)
            str_printf(&text[i], "%s\"member%06uname\":%u", n == 0 ? "" : ",", n + i * 50000, i);
        str_append_text(&text[i], "},"
                                  "\"identityMap\":{\"E\":[");
        for (unsigned n = 0; n < 100000; n++)
            str_printf(&text[i], "%s{\"id\":\"%u\"}", n == 0 ? "" : ",", n + i * 50000);
        str_append_text(&text[i], "]}}");
    }
    const char *const body[] = {text[0].data, text[1].data};
    assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_NONE);
    assert_int_equal(merge_identity_count(merge), 150000);
    str_reset(&out);
    assert_int_equal(merge_bodies(body, 2, "wide.member000000name,wide.member050000name", &out), FAULT_NONE);
    assert_memory_equal(out.data, "{\"wide\":{\"member000000name\":0,\"member050000name\":1},", 51);
    str_free(&text[0]);
    str_free(&text[1]);
    str_free(&out);
}

/* --- random profiles ------------------------------------------------------------------------- */

static void append_random_value(struct str *text, int depth);

static void append_random_object(struct str *text, int depth)
{
    static const char *const name[] = {"a", "b", "\\u0063", "d", "abcdefghij", "abcdefghik", "identities"};
    bool any = false;
    str_append_char(text, '{');
    for (size_t i = 0; i < N(name); i++) {
        if (rand() % 5 > 1)
            continue;
        str_printf(text, "%s\"%s\":", any ? "," : "", name[i][0] != '\\' || rand() % 2 == 0 ? name[i] : "c");
        append_random_value(text, depth - 1);
        any = true;
    }
    str_append_text(text, rand() % 8 == 0 ? " \n}" : "}");
}

static void append_random_value(struct str *text, int depth)
{
    int kind = rand() % (depth > 0 ? 10 : 4);
    if (kind >= 6) {
        append_random_object(text, depth);
    } else if (kind >= 4) {
        int count = rand() % 3;
        str_append_char(text, '[');
        for (int i = 0; i < count; i++) {
            str_append_text(text, i == 0 ? "" : ", ");
            append_random_value(text, depth - 1);
        }
        str_append_char(text, ']');
    } else if (kind == 0) {
        str_append_text(text, "null");
    } else if (kind == 1) {
        str_append_text(text, rand() % 2 == 0 ? "true" : "false");
    } else {
        str_printf(text, kind == 2 ? "%d" : "\"t\\n\xc3\xa9%d\"", rand() % 100);
    }
}

static void append_random_map(struct str *text)
{
    static const char *const space[] = {"Email", "\\u0045CID", "Phone"};
    bool any = false;
    str_append_text(text, "\"identityMap\":{");
    for (size_t i = 0; i < N(space); i++) {
        if (rand() % 3 == 0)
            continue;
        str_printf(text, "%s\"%s\":[", any ? "," : "", i == 1 && rand() % 2 == 0 ? "ECID" : space[i]);
        int count = rand() % 4;
        for (int n = 0; n < count; n++) {
            str_printf(text, "%s{\"id\":\"%s%d\"", n == 0 ? "" : ",", rand() % 4 == 0 ? "\\u0078" : "x", rand() % 5);
            if (rand() % 2 == 0)
                str_printf(text, ",\"primary\":%s", rand() % 2 == 0 ? "true" : "false");
            if (rand() % 3 == 0)
                str_printf(text, ",\"authenticatedState\":{\"k%d\":%d}", rand() % 3, rand() % 3);
            str_append_char(text, '}');
        }
        if (rand() % 10 == 0)
            str_append_text(text, count == 0 ? "5" : ",5"); /* no identity */
        str_append_char(text, ']');
        any = true;
    }
    str_append_char(text, '}');
}

static void make_random_body(struct str *text)
{
    str_reset(text);
    append_random_object(text, 4);
    if (rand() % 4 == 0 || text->data[1] != '"')
        return;
    /* The map goes first or last, for the order of members. */
    struct str map = STR_INIT(1 << 16);
    append_random_map(&map);
    struct str whole = STR_INIT(1 << 20);
    if (rand() % 2 == 0) {
        str_printf(&whole, "{%s,%s", map.data, text->data + 1);
    } else {
        str_append(&whole, text->data, strlen(text->data) - 1);
        str_printf(&whole, ",%s}", map.data);
    }
    str_free(&map);
    str_free(text);
    *text = whole;
}

/* Makes up to six paths, as a string and as the oracle wants them. */
static void make_random_paths(struct str *fields, char store[6][64], struct oracle_paths *paths)
{
    static const char *const name[] = {"a",          "b",  "c",         "d",    "abcdefghij",
                                       "identities", "id", "namespace", "code", "primary"};
    str_reset(fields);
    str_append_text(fields, "");
    paths->count = (size_t)(rand() % 7);
    for (size_t i = 0; i < paths->count; i++) {
        int segments = 1 + rand() % 3;
        store[i][0] = '\0';
        for (int n = 0; n < segments; n++) {
            size_t used = strlen(store[i]);
            snprintf(store[i] + used, 64 - used, "%s%s", n == 0 ? "" : ".", name[(size_t)rand() % N(name)]);
        }
        paths->path[i] = store[i];
        str_printf(fields, "%s%s", i == 0 ? "" : " , ", store[i]);
    }
}

static void agrees_with_the_oracle(void **state)
{
    struct str text[5] = {STR_INIT(1 << 20), STR_INIT(1 << 20), STR_INIT(1 << 20), STR_INIT(1 << 20),
                          STR_INIT(1 << 20)};
    struct str fields = STR_INIT(1 << 16);
    struct str out = STR_INIT(1 << 20);
    (void)state;
    srand(2);
    for (int round = 0; round < 5000; round++) {
        const char *body[5];
        char store[6][64];
        struct oracle_paths paths;
        size_t count = (size_t)(rand() % 6);
        for (size_t i = 0; i < count; i++) {
            make_random_body(&text[i]);
            body[i] = text[i].data;
        }
        make_random_paths(&fields, store, &paths);
        str_reset(&out);
        assert_int_equal(merge_bodies(body, count, fields.data, &out), FAULT_NONE);
        assert_null(strpbrk(out.data, "\n\r"));
        assert_int_equal(out.data[0], '{');
        assert_int_equal(out.data[out.length - 1], '}');

        json_object *row = json_tokener_parse(out.data);
        char *expected = oracle_row(body, count, &paths);
        const char *got = json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN);
        if (strcmp(got, expected) != 0) {
            for (size_t i = 0; i < count; i++)
                print_message("fragment %zu: %s\n", i, body[i]);
            fail_msg("fields %s\ngot      %s\nexpected %s", fields.data, got, expected);
        }
        free(expected);
        json_object_put(row);
    }
    for (size_t i = 0; i < N(text); i++)
        str_free(&text[i]);
    str_free(&fields);
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_members),
        cmocka_unit_test(unites_identities),
        cmocka_unit_test(ignores_what_is_no_identity),
        cmocka_unit_test(projects),
        cmocka_unit_test(projects_to_nothing),
        cmocka_unit_test(counts_identities_and_namespaces),
        cmocka_unit_test(refuses_broken_bodies),
        cmocka_unit_test(refuses_too_many_fragments),
        cmocka_unit_test(reports_a_full_buffer),
        cmocka_unit_test(merges_wide_objects_in_linear_time),
        cmocka_unit_test(agrees_with_the_oracle),
    };
    return cmocka_run_group_tests_name("merge", tests, open_merge, close_merge);
}
