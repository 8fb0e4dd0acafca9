/*
 * test_merge: the rules of the merge one by one, and its limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/spec.h"
#include "merge_bodies.h"

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

#define WHENEVER INT64_MIN, INT64_MAX

/* Which fragment is stronger is the caller's choice only: one order and the other. */
static void takes_fragments_in_the_order_given(void **state)
{
    static const struct row row[] = {
        {"", {"{\"a\":1,\"o\":{\"x\":1}}", "{\"a\":2,\"o\":{\"y\":1}}"}, "{\"a\":2,\"o\":{\"x\":1,\"y\":1}}"},
        {"", {"{\"a\":2,\"o\":{\"y\":1}}", "{\"a\":1,\"o\":{\"x\":1}}"}, "{\"a\":1,\"o\":{\"y\":1,\"x\":1}}"},
        {"", {"{\"o\":[1]}", "{\"o\":[2]}", "{\"o\":{\"x\":1}}"}, "{\"o\":{\"x\":1}}"},
        {"", {"{\"o\":{\"x\":1}}", "{\"o\":[2]}", "{\"o\":[1]}"}, "{\"o\":[1]}"},
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

/* An object of one array with so many elements: as many nodes and three more. */
static void make_long(struct str *text, size_t elements)
{
    str_reset(text);
    str_append_text(text, "{\"a\":[0");
    for (size_t i = 1; i < elements; i++)
        str_append_text(text, ",0");
    str_append_text(text, "]}");
}

static void bounds_the_tapes(void **state)
{
    const size_t most = MERGE_TAPE_BYTES / sizeof(struct jscan_node);
    struct str text = STR_INIT(8 << 20);
    struct str out = STR_INIT(8 << 20);
    const char *body[64];
    (void)state;
    make_long(&text, most - 2);
    body[0] = text.data;
    assert_int_equal(merge_bodies(body, 1, "", &out), FAULT_MALFORMED);
    assert_int_equal(merge_identity_count(merge), 0);
    make_long(&text, most - 3);
    body[0] = text.data;
    assert_int_equal(merge_bodies(body, 1, "", &out), FAULT_NONE);
    assert_int_equal(out.length, text.length);

    /* All fragments together, and whatever a tape held before. */
    for (int round = 0; round < 2; round++) {
        make_long(&text, most / 64 - 3);
        for (size_t i = 0; i < 64; i++)
            body[i] = text.data;
        str_reset(&out);
        assert_int_equal(merge_bodies(body, 64, "", &out), FAULT_NONE);
        assert_string_equal(out.data, text.data);
        make_long(&text, most / 64 - 2);
        for (size_t i = 0; i < 64; i++)
            body[i] = text.data;
        assert_int_equal(merge_bodies(body, 64, "", &out), FAULT_MALFORMED);
    }
    /* Nothing is left of it. */
    body[0] = "{\"b\":1}";
    str_reset(&out);
    assert_int_equal(merge_bodies(body, 1, "", &out), FAULT_NONE);
    assert_string_equal(out.data, "{\"b\":1}");
    str_free(&text);
    str_free(&out);
}

/* {"a":{"<i>":0,...},SM}: so many members of an object, so many memberships. */
static void make_crowded(struct str *text, unsigned members, unsigned memberships, bool identities)
{
    str_reset(text);
    str_append_text(text, "{\"a\":{\"\":0");
    for (unsigned i = 1; i < members; i++)
        str_printf(text, ",\"%u\":0", i);
    str_append_text(text, "},\"segmentMembership\":{\"u\":{\"\":{}");
    for (unsigned i = 1; i < memberships; i++)
        str_printf(text, ",\"%u\":{\"status\":\"realized\"}", i);
    str_append_text(text, "}},\"identityMap\":{\"E\":[");
    for (unsigned i = 1; identities && i < 20000; i++)
        str_printf(text, "%s{\"id\":\"an identity of more than a few bytes, to make text %u\"}", i == 1 ? "" : ",", i);
    str_append_text(text, "]}}");
}

/* One namespace of a long name in each of many identities. */
static void bounds_the_view(void **state)
{
    struct str text = STR_INIT(1 << 20);
    struct str out = STR_INIT(8 << 20);
    const char *body[1];
    (void)state;
    str_append_text(&text, "{\"identityMap\":{\"");
    for (size_t i = 0; i < MERGE_VIEW_BYTES / 40; i++)
        str_append_char(&text, 'n');
    str_append_text(&text, "\":[{\"id\":\"0\"}");
    for (int i = 1; i < 50; i++)
        str_printf(&text, ",{\"id\":\"%d\"}", i);
    str_append_text(&text, "]}}");
    body[0] = text.data;
    assert_int_equal(merge_bodies(body, 1, "identities.id", &out), FAULT_NONE);
    assert_int_equal(merge_bodies(body, 1, "identities", &out), FAULT_MALFORMED);
    assert_int_equal(merge_identity_count(merge), 0);
    str_free(&text);
    str_free(&out);
}

static void bounds_what_lies_side_by_side(void **state)
{
    struct str text = STR_INIT(16 << 20);
    struct str out = STR_INIT(16 << 20);
    const char *body[2];
    const struct merge_membership wanted = {"u", "65536", SPEC_REALIZED, WHENEVER};
    const struct merge_membership none = {"u", "65537", SPEC_REALIZED, WHENEVER};
    (void)state;
    make_crowded(&text, MERGE_MEMBERS_MAX / 2 - 6, 1, false); /* six more beside and below them */
    body[0] = body[1] = text.data;
    assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_NONE);
    make_crowded(&text, MERGE_MEMBERS_MAX / 2 + 1, 1, false);
    body[0] = body[1] = text.data;
    assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_MALFORMED);
    assert_int_equal(merge_bodies(body, 2, "b", &out), FAULT_MALFORMED);
    assert_int_equal(merge_bodies(body, 1, "", &out), FAULT_NONE);

    make_crowded(&text, 1, 65537, false);
    body[0] = text.data;
    assert_int_equal(merge_bodies(body, 1, "a", &out), FAULT_NONE);
    assert_true(merge_has_membership(merge, &wanted));
    assert_false(merge_has_membership(merge, &none));

    /* So many identities are counted, but have no view. */
    make_crowded(&text, 1, 1, true);
    body[0] = text.data;
    assert_int_equal(merge_bodies(body, 1, "identities", &out), FAULT_MALFORMED);
    assert_int_equal(merge_identity_count(merge), 19999);
    assert_int_equal(merge_bodies(body, 1, "a", &out), FAULT_NONE);
    str_free(&text);
    str_free(&out);
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

/* Pair by pair these would take minutes: 50,000 members twice, 50,000 identities twice. */
static void merges_wide_objects_in_linear_time(void **state)
{
    struct str text[2] = {STR_INIT(32 << 20), STR_INIT(32 << 20)};
    struct str out = STR_INIT(64 << 20);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        str_append_text(&text[i], "{\"wide\":{");
        for (unsigned n = 0; n < 50000; n++)
            str_printf(&text[i], "%s\"member%06uname\":%u", n == 0 ? "" : ",", n + i * 25000, i);
        str_append_text(&text[i], "},"
                                  "\"identityMap\":{\"E\":[");
        for (unsigned n = 0; n < 50000; n++)
            str_printf(&text[i], "%s{\"id\":\"%u\"}", n == 0 ? "" : ",", n + i * 25000);
        str_append_text(&text[i], "]}}");
    }
    const char *const body[] = {text[0].data, text[1].data};
    assert_int_equal(merge_bodies(body, 2, "", &out), FAULT_NONE);
    assert_int_equal(merge_identity_count(merge), 75000);
    str_reset(&out);
    assert_int_equal(merge_bodies(body, 2, "wide.member000000name,wide.member025000name", &out), FAULT_NONE);
    assert_memory_equal(out.data, "{\"wide\":{\"member000000name\":0,\"member025000name\":1},", 51);
    str_free(&text[0]);
    str_free(&text[1]);
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_members),
        cmocka_unit_test(unites_identities),
        cmocka_unit_test(ignores_what_is_no_identity),
        cmocka_unit_test(takes_fragments_in_the_order_given),
        cmocka_unit_test(projects),
        cmocka_unit_test(projects_to_nothing),
        cmocka_unit_test(counts_identities_and_namespaces),
        cmocka_unit_test(refuses_broken_bodies),
        cmocka_unit_test(refuses_too_many_fragments),
        cmocka_unit_test(bounds_the_tapes),
        cmocka_unit_test(bounds_what_lies_side_by_side),
        cmocka_unit_test(bounds_the_view),
        cmocka_unit_test(reports_a_full_buffer),
        cmocka_unit_test(merges_wide_objects_in_linear_time),
    };
    return cmocka_run_group_tests_name("merge", tests, open_merge, close_merge);
}
