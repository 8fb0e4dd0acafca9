/*
 * observed: what is told of the records of a dataset, and that it comes back from its text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/observed.h"

#define TEXT_MAX (16u * 1024u * 1024u)
#define RECORD_LIMITS ((struct jscan_limits){.depth = 64, .bytes = TEXT_MAX})

static struct jscan scan;
static struct str text;

static void add(struct observed *o, const char *record)
{
    assert_int_equal(jscan_document(&scan, record, strlen(record), RECORD_LIMITS), JSCAN_OK);
    assert_true(observed_add(o, &scan));
}

static const char *written(const struct observed *o)
{
    str_reset(&text);
    observed_write(o, &text);
    assert_false(text.overflow);
    return text.data;
}

static void merge(struct observed *o, const char *stored)
{
    assert_int_equal(observed_merge_text(o, stored, strlen(stored)), FAULT_NONE);
}

static struct observed *fresh(void)
{
    struct observed *o = observed_new();
    assert_non_null(o);
    return o;
}

/* The schema of these records is `wanted`, and reads back as what it is. */
static void assert_schema(const char *wanted, size_t count, const char *const records[])
{
    struct observed *o = fresh(), *again = fresh();
    for (size_t i = 0; i < count; i++)
        add(o, records[i]);
    assert_string_equal(written(o), wanted);
    merge(again, wanted);
    assert_string_equal(written(again), wanted);
    observed_free(again);
    observed_free(o);
}

#define SCHEMA(wanted, ...) \
    assert_schema(wanted, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void types_are_counted(void **state)
{
    (void)state;
    SCHEMA("{\"t\":{\"object\":2},\"m\":{\"a\":{\"t\":{\"integer\":1,\"string\":1}},\"b\":{\"t\":{\"null\":1}},"
           "\"c\":{\"t\":{\"boolean\":2}},\"d\":{\"t\":{\"number\":1}},\"e\":{\"t\":{\"datetime\":1}}}}",
           "{\"b\":null,\"a\":1,\"c\":true,\"d\":1.5}", "{\"e\":\"2024-01-01T00:00:00Z\",\"c\":false,\"a\":\"x\"}");
}

static void nothing_observed_is_a_schema_too(void **state)
{
    (void)state;
    assert_schema("{\"t\":{}}", 0, NULL);
    SCHEMA("{\"t\":{\"object\":1}}", "{}");
}

static void objects_and_arrays_nest(void **state)
{
    (void)state;
    SCHEMA("{\"t\":{\"object\":1},\"m\":{\"a\":{\"t\":{\"array\":1},\"i\":{\"t\":{\"integer\":1,\"object\":2,\"array\":1},"
           "\"m\":{\"x\":{\"t\":{\"integer\":2}},\"y\":{\"t\":{\"object\":1}}},\"i\":{\"t\":{\"string\":2}}}}}}",
           "{\"a\":[{\"x\":1},5,{\"y\":{},\"x\":2},[\"p\",\"q\"]]}");
    SCHEMA("{\"t\":{\"object\":2},\"m\":{\"a\":{\"t\":{\"object\":1,\"array\":1},\"m\":{\"b\":{\"t\":{\"null\":1}}}}}}",
           "{\"a\":{\"b\":null}}", "{\"a\":[]}");
}

static void names_are_unescaped_and_in_order(void **state)
{
    (void)state;
    SCHEMA("{\"t\":{\"object\":2},\"m\":{\"\":{\"t\":{\"null\":1}},\"\\n\\\"\":{\"t\":{\"null\":1}},\"a\":{\"t\":{\"integer\":2}},"
           "\"ab\":{\"t\":{\"null\":1}},\"b\":{\"t\":{\"null\":1}},\"\xc3\xa9\":{\"t\":{\"null\":1}}}}",
           "{\"\\u00e9\":null,\"b\":null,\"\\u0061\":1,\"ab\":null,\"\":null,\"\\n\\u0022\":null}", "{\"a\":2}");
}

static void maps_keep_their_values_together(void **state)
{
    (void)state;
    SCHEMA("{\"t\":{\"object\":1},\"m\":{\"identityMap\":{\"t\":{\"object\":1},\"v\":{\"t\":{\"array\":2},\"i\":{\"t\":{\"object\":2},"
           "\"m\":{\"id\":{\"t\":{\"string\":2}}}}}},\"segmentMembership\":{\"t\":{\"object\":1},\"v\":{\"t\":{\"object\":2},"
           "\"v\":{\"t\":{\"object\":3},\"m\":{\"status\":{\"t\":{\"string\":3}}}}}}}}",
           "{\"identityMap\":{\"E\":[{\"id\":\"a\"}],\"F\":[{\"id\":\"b\"}]},\"segmentMembership\":{\"ups\":{\"s1\":{\"status\":"
           "\"realized\"},\"s2\":{\"status\":\"exited\"}},\"aam\":{\"s1\":{\"status\":\"exited\"}}}}");
    SCHEMA("{\"t\":{\"object\":1},\"m\":{\"identityMap\":{\"t\":{\"array\":1},\"i\":{\"t\":{\"object\":1},\"m\":{\"a\":{\"t\":{\"null\":1}}}}},"
           "\"segmentMembership\":{\"t\":{\"integer\":1}},\"x\":{\"t\":{\"object\":1},\"m\":{\"identityMap\":{\"t\":{\"object\":1},"
           "\"m\":{\"a\":{\"t\":{\"null\":1}}}}}}}}",
           "{\"identityMap\":[{\"a\":null}],\"segmentMembership\":5,\"x\":{\"identityMap\":{\"a\":null}}}");
}

static void only_what_keeps_its_meaning_is_a_date_time(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        bool datetime;
        int64_t ms;
    } CASES[] = {
        {"\"2024-01-01T01:00:00.5+01:00\"", true, INT64_C(1704067200500)},
        {"\"2024-01-01T00:00:00Z\"", true, INT64_C(1704067200000)},
        {"\"2024-01-01t00:00:00.123z\"", true, INT64_C(1704067200123)},
        {"\"2024-01-01T00:00:00.123-00:00\"", true, INT64_C(1704067200123)},
        {"\"2024-\\u00301-01T00:00:00Z\"", true, INT64_C(1704067200000)},
        {"\"1969-12-31T23:59:59.999Z\"", true, -1},
        {"\"2024-01-01T00:00:00.1230Z\"", false, 0},
        {"\"2024-01-01T00:00:00.123456Z\"", false, 0},
        {"\"2016-12-31T23:59:60Z\"", false, 0},
        {"\"2024-02-30T00:00:00Z\"", false, 0},
        {"\"2024-01-01T00:00:00\"", false, 0},
        {"\"2024-01-01 00:00:00Z\"", false, 0},
        {"\"2024-01-01T00:00:00Z \"", false, 0},
        {"\"2024-01-01T00:00:00.Z\"", false, 0},
        {"\"2024-01-01\"", false, 0},
        {"\"\"", false, 0},
        {"\"\\n\"", false, 0},
        {"\"an ordinary text of 24 b\"", false, 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int64_t ms = 0;
        assert_int_equal(jscan_document(&scan, CASES[i].record, strlen(CASES[i].record), RECORD_LIMITS), JSCAN_OK);
        assert_int_equal(observed_datetime(&scan, 0, &ms), CASES[i].datetime);
        assert_int_equal(observed_datetime(&scan, 0, NULL), CASES[i].datetime);
        if (CASES[i].datetime)
            assert_int_equal(ms, CASES[i].ms);
    }
}

/* {"w":{"m0":null,"m1":null,...}}: members first to last of w. */
static char *wide(unsigned first, unsigned last)
{
    static char record[1u << 20];
    size_t at = (size_t)snprintf(record, sizeof record, "{\"w\":{");
    for (unsigned i = first; i <= last; i++)
        at += (size_t)snprintf(record + at, sizeof record - at, "%s\"m%u\":null", i == first ? "" : ",", i);
    snprintf(record + at, sizeof record - at, "}}");
    return record;
}

static void too_many_members_open_an_object(void **state)
{
    (void)state;
    struct observed *o = fresh();
    add(o, wide(1, OBSERVED_MEMBERS_MAX));
    assert_null(strstr(written(o), "\"o\":true"));
    add(o, wide(2, OBSERVED_MEMBERS_MAX));
    assert_null(strstr(written(o), "\"o\":true"));
    add(o, wide(OBSERVED_MEMBERS_MAX, OBSERVED_MEMBERS_MAX + 1));
    add(o, "{\"w\":{\"x\":1},\"v\":1}");
    add(o, "{\"w\":[1]}");
    assert_string_equal(written(o), "{\"t\":{\"object\":5},\"m\":{\"v\":{\"t\":{\"integer\":1}},\"w\":{\"t\":{\"object\":4,\"array\":1},\"o\":true}}}");
    observed_free(o);
}

static void a_long_name_opens_its_object(void **state)
{
    (void)state;
    char record[2048];
    for (size_t length = OBSERVED_NAME_MAX; length <= OBSERVED_NAME_MAX + 1; length++) {
        for (int escaped = 0; escaped <= 1; escaped++) {
            struct observed *o = fresh();
            size_t at = (size_t)snprintf(record, sizeof record, "{\"w\":{\"a\":1,\"");
            for (size_t i = 0; i < length; i++)
                at += (size_t)snprintf(record + at, sizeof record - at, escaped ? "\\u006e" : "n");
            snprintf(record + at, sizeof record - at, "\":2,\"b\":3}}");
            add(o, record);
            assert_int_equal(strstr(written(o), "\"w\":{\"t\":{\"object\":1},\"o\":true}") != NULL, length > OBSERVED_NAME_MAX);
            observed_free(o);
        }
    }
}

static void too_many_nodes_open_the_widest_object(void **state)
{
    (void)state;
    char record[128];
    struct observed *o = fresh();
    add(o, wide(1, 400));
    for (unsigned i = 0; i < OBSERVED_NODES_MAX; i++) { /* 100 members of the document have 50 each */
        snprintf(record, sizeof record, "{\"p%u\":{\"q%u\":true}}", i % 100, i / 100);
        add(o, record);
    }
    add(o, "{\"late\":{\"a\":[{\"b\":1}]}}");
    const char *now = written(o);
    assert_non_null(strstr(now, "\"w\":{\"t\":{\"object\":1},\"o\":true}"));
    assert_non_null(strstr(now, "\"late\":{\"t\":{\"object\":1},\"m\":{\"a\":{\"t\":{\"array\":1},\"i\":{\"t\":{\"object\":1},\"m\":{\"b\""));
    struct observed *again = fresh();
    merge(again, now);
    char *first = strdup(now);
    assert_non_null(first);
    assert_string_equal(written(again), first);
    free(first);
    observed_free(again);
    observed_free(o);
}

static void hostile_records_stay_within_the_bounds(void **state)
{
    (void)state;
    static char record[1u << 20];
    struct observed *o = fresh();
    srand(4);
    for (unsigned round = 0; round < 300; round++) {
        size_t at = 0;
        record[at++] = '{';
        for (unsigned i = 0; i < 40; i++) {
            at += (size_t)snprintf(record + at, sizeof record - at, "%s\"k%u_%d\":", i == 0 ? "" : ",", i, rand() % 12);
            for (unsigned depth = 0; depth < 20; depth++)
                at += (size_t)snprintf(record + at, sizeof record - at, rand() % 4 == 0 ? "[[{\"k%d\":" : "[[{\"l%d\":", rand() % 9);
            at += (size_t)snprintf(record + at, sizeof record - at, "1");
            for (unsigned depth = 0; depth < 20; depth++)
                at += (size_t)snprintf(record + at, sizeof record - at, "}]]");
        }
        snprintf(record + at, sizeof record - at, "}");
        add(o, record);
        assert_true(o->count <= OBSERVED_NODES_MAX);
    }
    struct observed *again = fresh();
    char *first = strdup(written(o));
    assert_non_null(first);
    merge(again, first);
    assert_string_equal(written(again), first);
    free(first);
    observed_free(again);
    observed_free(o);
}

static void merging_is_the_same_in_any_order(void **state)
{
    (void)state;
    static const char *RECORDS[] = {
        "{\"a\":1,\"w\":{\"x\":[1,2.5]}}", "{\"w\":\"2024-01-01T00:00:00Z\",\"b\":{\"c\":null}}", "{\"identityMap\":{\"E\":[]},\"a\":\"1\"}", NULL};
    struct observed *all = fresh(), *forward = fresh(), *back = fresh();
    char *part[4];
    for (size_t i = 0; i < 4; i++) {
        const char *record = RECORDS[i] != NULL ? RECORDS[i] : wide(0, OBSERVED_MEMBERS_MAX);
        struct observed *one = fresh();
        add(all, record);
        add(one, record);
        part[i] = strdup(written(one));
        assert_non_null(part[i]);
        observed_free(one);
    }
    for (size_t i = 0; i < 4; i++) {
        merge(forward, part[i]);
        merge(back, part[3 - i]);
    }
    char *wanted = strdup(written(all));
    assert_non_null(wanted);
    assert_non_null(strstr(wanted, "\"o\":true"));
    assert_string_equal(written(forward), wanted);
    assert_string_equal(written(back), wanted);
    for (size_t i = 0; i < 4; i++)
        free(part[i]);
    free(wanted);
    observed_free(all);
    observed_free(forward);
    observed_free(back);
}

static void counts_do_not_overflow(void **state)
{
    (void)state;
    struct observed *o = fresh();
    merge(o, "{\"t\":{\"object\":9007199254740990}}");
    merge(o, "{\"t\":{\"object\":9007199254740990}}");
    add(o, "{}");
    assert_string_equal(written(o), "{\"t\":{\"object\":9007199254740991}}");
    merge(o, "{\"t\":{\"object\":1}}");
    assert_string_equal(written(o), "{\"t\":{\"object\":9007199254740991}}");
    observed_free(o);
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    static const char *TEXTS[] = {
        "",
        "[]",
        "{}",
        "{\"t\":{}",
        "{\"t\":5}",
        "{\"t\":{\"objekt\":1}}",
        "{\"t\":{\"object\":0}}",
        "{\"t\":{\"object\":-1}}",
        "{\"t\":{\"object\":1.5}}",
        "{\"t\":{\"object\":\"1\"}}",
        "{\"t\":{},\"x\":{}}",
        "{\"t\":{},\"o\":false}",
        "{\"t\":{},\"m\":[]}",
        "{\"t\":{},\"m\":{\"a\":1}}",
        "{\"t\":{},\"m\":{\"a\":{}}}",
        "{\"t\":{},\"i\":{}}",
        "{\"t\":{},\"o\":true,\"m\":{}}",
        "{\"t\":{},\"v\":{\"t\":{}}}",
        "{\"t\":{},\"m\":{\"identityMap\":{\"t\":{},\"m\":{\"a\":{\"t\":{}}}}}}",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct observed *o = fresh();
        assert_int_equal(observed_merge_text(o, TEXTS[i], strlen(TEXTS[i])), FAULT_INTERNAL);
        observed_free(o);
    }
}

static int set_up(void **state)
{
    (void)state;
    scan = JSCAN_INIT;
    text = STR_INIT(TEXT_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jscan_free(&scan);
    str_free(&text);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(types_are_counted),
        CASE(nothing_observed_is_a_schema_too),
        CASE(objects_and_arrays_nest),
        CASE(names_are_unescaped_and_in_order),
        CASE(maps_keep_their_values_together),
        CASE(only_what_keeps_its_meaning_is_a_date_time),
        CASE(too_many_members_open_an_object),
        CASE(a_long_name_opens_its_object),
        CASE(too_many_nodes_open_the_widest_object),
        CASE(hostile_records_stay_within_the_bounds),
        CASE(merging_is_the_same_in_any_order),
        CASE(counts_do_not_overflow),
        CASE(what_is_no_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
