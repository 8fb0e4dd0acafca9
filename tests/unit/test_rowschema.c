/*
 * test_rowschema: the columns that observed records give, with and without a projection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "row_walk.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define MAP "\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":\"string\",\"primary\":\"boolean\"}}}}"

/* Columns of profiles without events. */
struct row {
    const char *fields;
    const char *record[4];
    const char *expected; /* the schema's members beside identityMap, if that is as in MAP; in order around it */
};

static void check_rows(const struct row *row, size_t rows)
{
    struct str out = STR_INIT(1 << 20);
    for (size_t i = 0; i < rows; i++) {
        size_t count = 0;
        while (count < 4 && row[i].record[count] != NULL)
            count++;
        struct observed *observed = observe_all(row[i].record, count);
        struct rowschema schema;
        build(&schema, observed, NULL, row[i].fields, "");
        str_reset(&out);
        rowschema_write(&schema, &out);
        assert_string_equal(out.data, row[i].expected);
        rowschema_free(&schema);
        observed_free(observed);
    }
    str_free(&out);
}

#define A(type) "{\"a\":" type "," MAP "}"

static void takes_the_widest_type(void **state)
{
    static const struct row row[] = {
        {"", {NULL}, "{" MAP "}"},
        {"", {"{}"}, "{" MAP "}"},
        {"", {"{\"a\":true}", "{\"a\":null}", "{\"a\":false}"}, A("\"boolean\"")},
        {"", {"{\"a\":1}", "{\"a\":-5}"}, A("\"integer\"")},
        {"", {"{\"a\":1.5}"}, A("\"number\"")},
        {"", {"{\"a\":1}", "{\"a\":1e3}"}, A("\"number\"")},
        {"", {"{\"a\":\"2024-01-01T00:00:00Z\"}", "{\"a\":null}"}, A("\"date-time\"")},
        {"", {"{\"a\":\"x\"}"}, A("\"string\"")},
        {"", {"{\"a\":\"2024-01-01T00:00:00Z\"}", "{\"a\":\"x\"}"}, A("\"string\"")},
        {"", {"{\"a\":{\"b\":1}}"}, A("{\"object\":{\"b\":\"integer\"}}")},
        {"", {"{\"a\":{\"c\":1}}", "{\"a\":{\"b\":{}}}"}, A("{\"object\":{\"b\":\"json\",\"c\":\"integer\"}}")},
        {"", {"{\"a\":[1,2]}", "{\"a\":[null,0.5]}"}, A("{\"array\":\"number\"}")},
        {"",
         {"{\"a\":[{\"b\":1},{\"c\":[true]}]}"},
         A("{\"array\":{\"object\":{\"b\":\"integer\",\"c\":{\"array\":\"boolean\"}}}}")},
        {"", {"{\"a\":[[1],[2]]}"}, A("{\"array\":{\"array\":\"integer\"}}")},
        {"", {"{\"a\":[1,\"x\"]}"}, A("{\"array\":\"json\"}")},
        {"", {"{\"a\":[{\"b\":1},2]}"}, A("{\"array\":\"json\"}")},
        {"", {"{\"a\":[null]}"}, A("{\"array\":\"json\"}")},
        {"", {"{\"a\":[]}", "{\"a\":null}"}, A("\"json\"")},
        {"", {"{\"a\":{}}"}, A("\"json\"")},
        {"", {"{\"a\":null}"}, A("\"json\"")},
        {"", {"{\"a\":true}", "{\"a\":1}"}, A("\"json\"")},
        {"", {"{\"a\":1}", "{\"a\":\"1\"}"}, A("\"json\"")},
        {"", {"{\"a\":1.5}", "{\"a\":\"2024-01-01T00:00:00Z\"}"}, A("\"json\"")},
        {"", {"{\"a\":{\"b\":1}}", "{\"a\":\"x\"}"}, A("\"json\"")},
        {"", {"{\"a\":{\"b\":1}}", "{\"a\":[1]}"}, A("\"json\"")},
        {"", {"{\"a\":[1]}", "{\"a\":1}"}, A("\"json\"")},
    };
    (void)state;
    check_rows(row, N(row));
}

static void keeps_the_form_of_maps(void **state)
{
    static const struct row row[] = {
        {"",
         {"{\"identityMap\":{\"E\":[{\"id\":\"1\",\"state\":{\"k\":1}}],\"P\":[{\"id\":\"2\",\"primary\":true}]}}"},
         "{\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":\"string\",\"primary\":\"boolean\",\"state\":"
         "{\"object\":{\"k\":\"integer\"}}}}}}}"},
        {"", {"{\"identityMap\":{\"E\":[{\"id\":\"2024-01-01T00:00:00Z\"}]}}"}, "{" MAP "}"},
        {"",
         {"{\"identityMap\":{\"E\":[{\"id\":\"1\",\"primary\":1}]}}", "{\"identityMap\":{\"E\":[{\"primary\":true}]}}"},
         "{\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":\"string\",\"primary\":\"json\"}}}}}"},
        {"", {"{\"identityMap\":{}}"}, "{" MAP "}"},
        {"", {"{\"identityMap\":{\"E\":[]}}"}, "{" MAP "}"},
        {"", {"{\"identityMap\":5}", "{\"identityMap\":{\"E\":[5]}}"}, "{" MAP "}"},
        {"",
         {"{\"segmentMembership\":{\"ups\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":"
          "\"2024-01-01T00:00:00Z\"}}}}"},
         "{" MAP ",\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"lastQualificationTime\":\"date-time\","
         "\"status\":\"string\"}}}}}"},
        {"",
         {"{\"segmentMembership\":{\"ups\":{\"s\":{\"status\":\"realized\"},\"t\":5},\"x\":[1]}}",
          "{\"segmentMembership\":[]}"},
         "{" MAP ",\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"status\":\"string\"}}}}}"},
        {"", {"{\"segmentMembership\":5}"}, "{" MAP "}"},
        {"", {"{\"segmentMembership\":{\"ups\":5}}"}, "{" MAP ",\"segmentMembership\":\"json\"}"},
        {"", {"{\"segmentMembership\":{}}"}, "{" MAP ",\"segmentMembership\":\"json\"}"},
        {"", {"{\"segmentMembership\":{\"ups\":{}}}"}, "{" MAP ",\"segmentMembership\":{\"map\":\"json\"}}"},
        {"",
         {"{\"a\":{\"identityMap\":{\"E\":1}}}"},
         A("{\"object\":{\"identityMap\":{\"object\":{\"E\":\"integer\"}}}}")},
        {"", {"{\"identities\":[1]}"}, "{\"identities\":{\"array\":\"integer\"}," MAP "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

#define SEGMENTS                                                                                                       \
    "{\"segmentMembership\":{\"ups\":{\"s\":{\"status\":\"realized\",\"x\":1}},\"v\":{\"t\":{\"y\":true}}}}"

static void projects(void **state)
{
    static const struct row row[] = {
        {"a", {"{\"a\":1,\"b\":2}"}, A("\"integer\"")},
        {"a,a.b", {"{\"a\":{\"b\":1,\"c\":2}}"}, A("{\"object\":{\"b\":\"integer\",\"c\":\"integer\"}}")},
        {"a.b", {"{\"a\":{\"b\":1,\"c\":2}}"}, A("{\"object\":{\"b\":\"integer\"}}")},
        {"a.b", {"{\"a\":[{\"b\":1,\"c\":2}]}"}, A("{\"array\":{\"object\":{\"b\":\"integer\"}}}")},
        {"a.b", {"{\"a\":[[{\"b\":1,\"c\":2}],[{\"c\":1}]]}"}, A("{\"array\":\"json\"}")},
        {"a.b", {"{\"a\":[[[{\"b\":1}]]]}"}, A("{\"array\":\"json\"}")},
        {"a.b", {"{\"a\":[{\"b\":1},7,null]}"}, A("{\"array\":\"json\"}")},
        {"a.b", {"{\"a\":{\"b\":1}}", "{\"a\":\"x\"}"}, A("\"json\"")},
        {"a.b", {"{\"a\":{\"b\":1}}", "{\"a\":[{\"c\":1}]}"}, A("\"json\"")},
        {"a.b", {"{\"a\":[{\"b\":1}]}", "{\"a\":{\"c\":1}}"}, A("\"json\"")},
        {"a.b.c", {"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":5,\"d\":1}}"}, A("{\"object\":{\"b\":\"json\"}}")},
        {"identityMap", {"{\"a\":1}"}, "{" MAP "}"},
        {"identityMap.E.id", {"{\"identityMap\":{\"E\":[{\"id\":\"1\"}]}}"}, "{" MAP "}"},
        {"segmentMembership.ups",
         {SEGMENTS},
         "{" MAP ",\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"status\":\"string\",\"x\":\"integer\","
         "\"y\":\"boolean\"}}}}}"},
        {"segmentMembership.ups.s.status,segmentMembership.v.t.y",
         {SEGMENTS},
         "{" MAP ",\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"status\":\"string\",\"y\":\"boolean\"}}}}}"},
        {"segmentMembership.none.none.x",
         {SEGMENTS},
         "{" MAP ",\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"x\":\"integer\"}}}}}"},
        {"identities",
         {"{}"},
         "{\"identities\":{\"array\":{\"object\":{\"id\":\"string\",\"namespace\":{\"object\":{\"code\":\"string\"}},"
         "\"primary\":\"boolean\"}}}," MAP "}"},
        {"identities.id", {"{}"}, "{\"identities\":{\"array\":{\"object\":{\"id\":\"string\"}}}," MAP "}"},
        {"identities.namespace,identities.primary",
         {"{\"identities\":5}"},
         "{\"identities\":{\"array\":{\"object\":{\"namespace\":{\"object\":{\"code\":\"string\"}},\"primary\":"
         "\"boolean\"}}}," MAP "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

static void leaves_out_what_no_row_can_have(void **state)
{
    static const struct row row[] = {
        {"x", {"{\"a\":1}"}, "{" MAP "}"},
        {"a.b", {"{\"a\":1}", "{\"a\":null}", "{\"a\":\"b\"}"}, "{" MAP "}"},
        {"a.b", {"{\"a\":{}}", "{\"a\":[]}"}, "{" MAP "}"},
        {"a.b", {"{\"a\":[1,null,\"b\"]}"}, "{" MAP "}"},
        {"a.b", {"{\"a\":[{\"c\":1},{}]}"}, "{" MAP "}"},
        {"a.b", {"{\"a\":{\"c\":1}}", "{\"a\":5}"}, "{" MAP "}"},
        {"a.b.c", {"{\"a\":{\"b\":{\"d\":{\"c\":1}}}}"}, "{" MAP "}"},
        {"a.b.c", {"{\"a\":{\"b\":1,\"c\":2}}"}, "{" MAP "}"},
        {"identities.x,identities.id.x,identities.namespace.code.x", {"{\"identities\":[{\"x\":1}]}"}, "{" MAP "}"},
        {"segmentMembership.ups.s.status.x", {SEGMENTS}, "{" MAP "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

static void names_are_any_text(void **state)
{
    static const struct row row[] = {
        {"",
         {"{\"b.c\":1,\"\":2,\"b\\u0041\":3,\"\\\"\":4,\"\xc3\xa9\":5,\"b\":6}"},
         "{\"\":\"integer\",\"\\\"\":\"integer\",\"b\":\"integer\",\"b.c\":\"integer\",\"bA\":\"integer\"," MAP
         ",\"\xc3\xa9\":\"integer\"}"},
        {"b.c", {"{\"b.c\":1,\"b\":{\"c\":2,\"\":3}}"}, "{\"b\":{\"object\":{\"c\":\"integer\"}}," MAP "}"},
        {"", {"{\"a\":{\"\":1}}"}, A("{\"object\":{\"\":\"integer\"}}")},
    };
    static const char *const record[] = {"{\"z\":1,\"b\":1,\"x.y\":1,\"\":1}"};
    struct observed *observed = observe_all(record, 1);
    struct rowschema schema;
    (void)state;
    check_rows(row, N(row));
    build(&schema, observed, observed, "", "");
    assert_true(walk_profile(&schema, "{\"\\u007a\":1,\"x\\u002ey\":2,\"\":3,\"b\":4}"));
    assert_false(walk_profile(&schema, "{\"x\":1}"));
    assert_false(walk_profile(&schema, "{\"z\":\"1\"}"));
    rowschema_free(&schema);
    observed_free(observed);
}

static void puts_events_last(void **state)
{
    static const struct {
        const char *event[2];
        const char *fields;
        const char *expected;
    } row[] = {
        {{"{\"_id\":\"1\",\"timestamp\":\"2024-01-01T00:00:00Z\"}"},
         "",
         "{\"object\":{\"_id\":\"string\",\"timestamp\":\"date-time\"}}"},
        {{"{\"_id\":\"1\",\"timestamp\":\"2024-01-01T00:00:00Z\"}"}, "_id", "{\"object\":{\"_id\":\"string\"}}"},
        {{"{\"_id\":\"1\"}"}, "x", "\"json\""},
        {{"{}"}, "", "\"json\""},
        {{NULL}, "", "\"json\""},
        {{NULL}, "x", "\"json\""},
        {{"{\"identityMap\":{\"E\":[{\"id\":\"1\"}]},\"segmentMembership\":{\"u\":{\"s\":{\"x\":1}}}}"},
         "",
         "{\"object\":{\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":\"string\"}}}},"
         "\"segmentMembership\":{\"map\":{\"map\":{\"object\":{\"x\":\"integer\"}}}}}}"},
        {{"{\"identityMap\":{\"E\":[{\"id\":\"1\",\"x\":2}]},\"identities\":1}"},
         "identityMap.E.id,identities",
         "{\"object\":{\"identities\":\"integer\",\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":"
         "\"string\"}}}}}}"},
    };
    static const char *const profile[] = {"{\"z\":1,\"a\":1}"};
    struct observed *observed = observe_all(profile, 1);
    struct str out = STR_INIT(4096);
    struct str expected = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct observed *event = observe_all(row[i].event, row[i].event[0] != NULL);
        struct rowschema schema;
        build(&schema, observed, event, "", row[i].fields);
        str_reset(&out);
        str_reset(&expected);
        rowschema_write(&schema, &out);
        str_printf(&expected, "{\"a\":\"integer\"," MAP ",\"z\":\"integer\",\"eventList\":{\"array\":%s}}",
                   row[i].expected);
        assert_string_equal(out.data, expected.data);
        assert_true(walk_event(&schema, "{}"));
        rowschema_free(&schema);
        observed_free(event);
    }
    observed_free(observed);
    str_free(&out);
    str_free(&expected);
}

/* Whatever the order in which records and datasets were observed. */
static void orders_members_by_name(void **state)
{
    static const char *const record[] = {"{\"c\":{\"z\":1,\"y\":1},\"b\":1}", "{\"a\":1,\"c\":{\"x\":\"1\"}}",
                                         "{\"d\":[{\"n\":1},{\"m\":2}],\"b\":1.5}"};
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
    struct str first = STR_INIT(4096);
    struct str out = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(orders); i++) {
        struct observed *observed = observed_new();
        struct rowschema schema;
        for (size_t n = 0; n < 3; n++) {
            struct observed *one = observe_all(&record[orders[i][n]], 1);
            struct str text = STR_INIT(4096);
            observed_write(one, &text);
            assert_int_equal(observed_merge_text(observed, text.data, text.length), FAULT_NONE);
            str_free(&text);
            observed_free(one);
        }
        build(&schema, observed, NULL, "", "");
        str_reset(&out);
        rowschema_write(&schema, i == 0 ? &first : &out);
        if (i > 0)
            assert_string_equal(out.data, first.data);
        rowschema_free(&schema);
        observed_free(observed);
    }
    str_free(&first);
    str_free(&out);
}

/* {"m<k>":{"g":{"x0":1,...},"y":1},...,"identityMap":{...}} */
static void make_wide(struct str *text, unsigned groups, unsigned members)
{
    str_append_text(text, "{\"identityMap\":{\"E\":[{\"id\":\"1\"}]}");
    for (unsigned i = 0; i < groups; i++) {
        str_printf(text, ",\"m%02u\":{\"y\":1,\"g\":{", i);
        for (unsigned n = 0; n < members; n++)
            str_printf(text, "%s\"x%u\":%u", n == 0 ? "" : ",", n, n);
        str_append_text(text, "}}");
    }
    str_append_char(text, '}');
}

static unsigned count_kind(const struct rowschema *schema, enum rowschema_kind kind)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < schema->count; i++)
        count += schema->node[i].kind == kind;
    return count;
}

static void bounds_the_leaves(void **state)
{
    struct str text = STR_INIT(1 << 20);
    struct rowschema schema;
    (void)state;
    make_wide(&text, 21, 50); /* 3 leaves of identityMap and 21 times 51: the last two groups go */
    struct observed *observed = observe_all((const char *const[]){text.data}, 1);
    build(&schema, observed, NULL, "", "");
    assert_int_equal(schema.leaves, 3 + 19 * 51 + 2 * 2);
    assert_int_equal(count_kind(&schema, ROWSCHEMA_JSON), 2);
    assert_true(walk_profile(&schema, text.data));
    uint32_t last = schema.node[0].child + schema.node[0].children - 1;
    assert_string_equal(schema.node[last].name, "m20");
    assert_int_equal(schema.node[schema.node[last].child].kind, ROWSCHEMA_JSON);
    assert_int_equal(schema.node[schema.node[last - 2].child].kind, ROWSCHEMA_GROUP);
    rowschema_free(&schema);

    build(&schema, observed, NULL, "m20,m19", "");
    assert_int_equal(count_kind(&schema, ROWSCHEMA_JSON), 0);
    rowschema_free(&schema);
    observed_free(observed);

    /* Both levels of groups go where 400 groups of four members would still be too many. */
    str_reset(&text);
    str_append_text(&text, "{\"z\":1");
    for (unsigned i = 0; i < 400; i++)
        str_printf(&text, ",\"m%03u\":{\"a\":1,\"b\":1,\"c\":{\"d\":1,\"e\":{\"f\":1}}}", i);
    str_append_char(&text, '}');
    observed = observe_all((const char *const[]){text.data}, 1);
    build(&schema, observed, NULL, "", "");
    assert_true(schema.leaves > ROWSCHEMA_LEAVES_MAX - 3);
    assert_true(walk_profile(&schema, text.data));
    for (uint32_t i = schema.node[0].child; i < schema.node[0].child + schema.node[0].children; i++)
        if (strcmp(schema.node[i].name, "identityMap") == 0)
            assert_int_equal(schema.node[schema.node[schema.node[i].child].child].kind, ROWSCHEMA_GROUP);
    rowschema_free(&schema);
    observed_free(observed);
    str_free(&text);
}

/* Lists in lists: the one inside ROWSCHEMA_LISTS_MAX others is text. */
static void bounds_lists_in_lists(void **state)
{
    struct str text = STR_INIT(4096), expected = STR_INIT(4096), out = STR_INIT(4096);
    struct rowschema schema;
    (void)state;
    for (unsigned lists = ROWSCHEMA_LISTS_MAX; lists <= ROWSCHEMA_LISTS_MAX + 3; lists++) {
        unsigned kept = lists < ROWSCHEMA_LISTS_MAX ? lists : ROWSCHEMA_LISTS_MAX;
        str_reset(&text);
        str_reset(&expected);
        str_reset(&out);
        str_append_text(&text, "{\"a\":");
        for (unsigned i = 0; i < lists; i++)
            str_append_char(&text, '[');
        str_append_char(&text, '1');
        for (unsigned i = 0; i < lists; i++)
            str_append_char(&text, ']');
        str_append_char(&text, '}');
        str_append_text(&expected, "{\"a\":");
        for (unsigned i = 0; i < kept; i++)
            str_append_text(&expected, "{\"array\":");
        str_append_text(&expected, lists > kept ? "\"json\"" : "\"integer\"");
        for (unsigned i = 0; i < kept; i++)
            str_append_char(&expected, '}');
        struct observed *observed = observe_all((const char *const[]){text.data}, 1);
        build(&schema, observed, NULL, "", "");
        rowschema_write(&schema, &out);
        assert_ptr_equal(strstr(out.data, expected.data), out.data);
        assert_true(walk_profile(&schema, text.data));
        rowschema_free(&schema);
        observed_free(observed);
    }
    str_free(&text);
    str_free(&expected);
    str_free(&out);
}

/* An object with more members than are told apart, at the top and below. */
static void keeps_open_objects_as_text(void **state)
{
    struct str wide = STR_INIT(1 << 20);
    struct str text = STR_INIT(1 << 20);
    struct str out = STR_INIT(1 << 20);
    struct rowschema schema;
    (void)state;
    for (unsigned i = 0; i <= OBSERVED_MEMBERS_MAX; i++)
        str_printf(&wide, "%s\"m%03u\":%u", i == 0 ? "" : ",", i, i);
    static const struct {
        const char *format;
        const char *fields;
        const char *expected;
    } row[] = {
        {"{\"a\":{%s}}", "", A("\"json\"")},
        {"{\"a\":{%s}}", "a.m001", A("\"json\"")},
        {"{\"a\":[{%s}]}", "a.m001", A("{\"array\":\"json\"}")},
        {"{%s}", "", "{\"document\":\"json\",\"identityMap\":{\"map\":{\"array\":\"json\"}}}"},
        {"{%s}", "m001", "{\"document\":\"json\",\"identityMap\":{\"map\":{\"array\":\"json\"}}}"},
        {"{\"identityMap\":{\"E\":[{\"id\":\"1\",%s}]}}", "", "{\"identityMap\":{\"map\":{\"array\":\"json\"}}}"},
    };
    for (size_t i = 0; i < N(row); i++) {
        const char *mark = strstr(row[i].format, "%s");
        str_reset(&text);
        str_append(&text, row[i].format, (size_t)(mark - row[i].format));
        str_append(&text, wide.data, wide.length);
        str_append_text(&text, mark + 2);
        struct observed *observed = observe_all((const char *const[]){text.data}, 1);
        build(&schema, observed, NULL, row[i].fields, "");
        str_reset(&out);
        rowschema_write(&schema, &out);
        assert_string_equal(out.data, row[i].expected);
        assert_int_equal(schema.document != 0, row[i].format[1] == '%');
        if (row[i].fields[0] == '\0')
            assert_true(walk_profile(&schema, text.data));
        rowschema_free(&schema);
        observed_free(observed);
    }
    str_free(&wide);
    str_free(&text);
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_widest_type),
        cmocka_unit_test(keeps_the_form_of_maps),
        cmocka_unit_test(projects),
        cmocka_unit_test(leaves_out_what_no_row_can_have),
        cmocka_unit_test(names_are_any_text),
        cmocka_unit_test(puts_events_last),
        cmocka_unit_test(orders_members_by_name),
        cmocka_unit_test(bounds_the_leaves),
        cmocka_unit_test(bounds_lists_in_lists),
        cmocka_unit_test(keeps_open_objects_as_text),
    };
    return cmocka_run_group_tests_name("rowschema", tests, NULL, NULL);
}
