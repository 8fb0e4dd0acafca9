/*
 * test_parquet_shred: rows into definition and repetition levels, and what does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/parquet_shred.h"
#include "schema_text.h"

/* A shredder over a schema, without a sink. */
struct bench {
    struct rowschema rows;
    struct parquet_schema schema;
    struct parquet_pages pages;
    struct parquet_shred shred;
};

static void bench_open(struct bench *bench, const char *schema)
{
    assert_true(schema_text_read(&bench->rows, schema, strlen(schema)));
    assert_int_equal(parquet_pages_open(&bench->pages, 16 << 20, true, -1), FAULT_NONE);
    assert_int_equal(parquet_schema_open(&bench->schema, &bench->rows), FAULT_NONE);
    assert_int_equal(parquet_shred_open(&bench->shred, &bench->schema, &bench->pages), FAULT_NONE);
}

static void bench_close(struct bench *bench)
{
    parquet_shred_close(&bench->shred);
    parquet_schema_close(&bench->schema, &bench->pages);
    parquet_pages_close(&bench->pages);
    schema_text_free(&bench->rows);
    assert_int_equal(bench->pages.memory.held, 0);
    assert_int_equal(bench->pages.shared.held, 0);
}

static enum fault profile(struct bench *bench, const char *text)
{
    return parquet_shred_profile(&bench->shred, text, strlen(text));
}

static void row(struct bench *bench, const char *text)
{
    assert_int_equal(profile(bench, text), FAULT_NONE);
    parquet_shred_end(&bench->shred);
}

/* Appends the numbers of the hybrid as digits. */
static void unpack(const struct parquet_levels *levels, uint32_t count, char *out)
{
    uint32_t done = 0;
    size_t at = 0;
    const unsigned char *bytes = (const unsigned char *)levels->out.data;
    if (levels->width == 0)
        memset(out, '0', done = count);
    while (done < count) {
        assert_true(at < levels->out.length);
        unsigned header = bytes[at++];
        assert_true(header < 0x80);
        for (unsigned i = 0; i < (header & 1 ? header / 2 * 8 : header / 2) && done < count; i++) {
            unsigned bit = header & 1 ? i * levels->width : 0;
            unsigned pair = bytes[at + bit / 8] | (bit / 8 + 1 + at < levels->out.length ? bytes[at + bit / 8 + 1] : 0u) << 8;
            out[done++] = (char)('0' + (pair >> bit % 8 & ((1u << levels->width) - 1)));
        }
        at += header & 1 ? header / 2 * levels->width : 1;
    }
    out[count] = '\0';
}

/* Compares a column's levels with strings of digits, one an entry. */
static void assert_levels(struct bench *bench, uint32_t column, const char *repetitions, const char *definitions)
{
    struct parquet_column *c = &bench->schema.column[column];
    char digits[256];
    parquet_levels_end(&c->repetitions, &bench->pages.memory);
    parquet_levels_end(&c->definitions, &bench->pages.memory);
    assert_int_equal(c->entries, strlen(definitions));
    unpack(&c->repetitions, c->entries, digits);
    assert_string_equal(digits, repetitions);
    unpack(&c->definitions, c->entries, digits);
    assert_string_equal(digits, definitions);
}

/* The example of the Dremel paper in our form, where everything is optional: Links.Backward, Name.Language.Code. */
static void knows_the_levels_of_lists(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "{\"links\":{\"object\":{\"back\":{\"array\":\"integer\"},\"on\":{\"array\":\"integer\"}}},"
                   "\"name\":{\"array\":{\"object\":{\"lang\":{\"array\":\"string\"},\"url\":\"string\"}}}}");
    row(&b, "{\"links\":{\"on\":[20,40,60]},\"name\":[{\"lang\":[\"en-us\",\"en\"],\"url\":\"a\"},{\"url\":\"b\"},"
            "{\"lang\":[\"en-gb\"]}]}");
    row(&b, "{\"links\":{\"back\":[10,30],\"on\":[80]},\"name\":[{\"url\":\"c\"}]}");
    parquet_shred_settle(&b.shred);
    assert_levels(&b, 0, "001", "144");
    assert_levels(&b, 1, "0110", "4444");
    assert_levels(&b, 2, "02110", "66363");
    assert_levels(&b, 3, "0110", "4434");
    bench_close(&b);
}

static void tells_null_from_empty(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "{\"a\":{\"array\":{\"array\":\"string\"}},\"m\":{\"map\":\"integer\"},\"s\":\"string\"}");
    row(&b, "{}");                                                        /* null list, null map */
    row(&b, "{\"a\":null,\"m\":null,\"s\":null}");                        /* the same */
    row(&b, "{\"a\":[],\"m\":{},\"s\":\"\"}");                            /* empty */
    row(&b, "{\"a\":[null],\"m\":{\"k\":null}}");                         /* one null */
    row(&b, "{\"a\":[[]]}");                                              /* one empty */
    row(&b, "{\"a\":[[null,\"x\"],[\"y\"]],\"m\":{\"k\":1,\"l\":null}}"); /* values */
    parquet_shred_settle(&b.shred);
    assert_int_equal(b.schema.columns, 4);
    assert_levels(&b, 0, "00000021", "00123455");
    assert_levels(&b, 1, "0000001", "0012022"); /* keys */
    assert_levels(&b, 2, "0000001", "0012032"); /* values */
    assert_levels(&b, 3, "000000", "001000");
    assert_int_equal(b.schema.column[0].values, 2);
    bench_close(&b);
}

static void events_are_a_list(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "{\"z\":\"integer\",\"eventList\":{\"array\":{\"object\":{\"n\":\"integer\"}}}}");
    row(&b, "{\"z\":1}");
    assert_int_equal(profile(&b, "{}"), FAULT_NONE);
    assert_int_equal(parquet_shred_event(&b.shred, "{\"n\":1}", 7), FAULT_NONE);
    assert_int_equal(parquet_shred_event(&b.shred, "{}", 2), FAULT_NONE);
    assert_int_equal(parquet_shred_event(&b.shred, "{\"n\":3}", 7), FAULT_NONE);
    parquet_shred_end(&b.shred);
    row(&b, "{\"z\":2,\"eventList\":[]}");
    row(&b, "{}");
    parquet_shred_settle(&b.shred);
    assert_levels(&b, 0, "0000", "1010");
    assert_levels(&b, 1, "001100", "043410");

    /* events beside a member of that name, or without a column, are a mistake of ours */
    assert_int_equal(profile(&b, "{\"eventList\":[{\"n\":1}]}"), FAULT_NONE);
    assert_int_equal(parquet_shred_event(&b.shred, "{}", 2), FAULT_INTERNAL);
    bench_close(&b);
    bench_open(&b, "{\"a\":\"integer\"}");
    assert_int_equal(profile(&b, "{}"), FAULT_NONE);
    assert_int_equal(parquet_shred_event(&b.shred, "{}", 2), FAULT_INTERNAL);
    bench_close(&b);
}

static void keeps_values_as_they_are(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "{\"j\":\"json\",\"n\":\"number\",\"s\":\"string\",\"t\":\"date-time\"}");
    row(&b, "{\"j\":{\"a\": [1, \"\\u00e9\"]},\"n\":-0,\"s\":\"\\u00e9\\n\",\"t\":\"1970-01-01T00:00:01.5Z\"}");
    row(&b, "{\"j\":\"x\\\"\",\"n\":2,\"s\":\"\",\"t\":\"1969-12-31T23:59:59Z\"}");
    static const char json[] = "\x14\0\0\0{\"a\": [1, \"\\u00e9\"]}\x05\0\0\0\"x\\\"\"";
    static const char texts[] = "\x03\0\0\0\xc3\xa9\n\0\0\0\0";
    static const char numbers[] = "\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\x40";
    static const char moments[] = "\xdc\x05\0\0\0\0\0\0\x18\xfc\xff\xff\xff\xff\xff\xff";
    assert_memory_equal(b.schema.column[0].dictionary.bytes.data, json, sizeof json - 1);
    assert_memory_equal(b.schema.column[1].dictionary.bytes.data, numbers, sizeof numbers - 1);
    assert_memory_equal(b.schema.column[2].dictionary.bytes.data, texts, sizeof texts - 1);
    assert_memory_equal(b.schema.column[3].dictionary.bytes.data, moments, sizeof moments - 1);
    bench_close(&b);
}

/* Nothing is dropped in silence. */
static void refuses_what_does_not_fit(void **state)
{
    static const char schema[] =
        "{\"b\":\"boolean\",\"g\":{\"object\":{\"i\":\"integer\"}},\"i\":\"integer\",\"l\":{\"array\":\"integer\"},"
        "\"m\":{\"map\":\"integer\"},\"n\":\"number\",\"s\":\"string\",\"t\":\"date-time\"}";
    static const char *const wrong[] = {
        "{\"b\":1}",   "{\"b\":\"true\"}",  "{\"g\":[]}",       "{\"g\":1}",         "{\"g\":{\"i\":1.5}}", "{\"i\":1e2}",
        "{\"i\":{}}",  "{\"i\":\"1\"}",     "{\"l\":{}}",       "{\"l\":1}",         "{\"l\":[[]]}",        "{\"l\":[true]}",
        "{\"m\":[]}",  "{\"m\":{\"k\":{}}}", "{\"n\":\"1\"}",    "{\"n\":false}",     "{\"s\":1}",           "{\"s\":[]}",
        "{\"t\":0}",   "{\"t\":\"soon\"}",   "{\"x\":1}",        "{\"g\":{\"x\":{}}}", "{\"x\":[]}",          "[]",
        "{\"i\":1",    "1",
    };
    static const char *const right[] = {"{\"x\":null,\"i\":1}", "{\"g\":{\"x\":null}}", "{\"n\":1}", "{\"l\":[null]}"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bench b;
        bench_open(&b, schema);
        assert_int_equal(profile(&b, wrong[i]), FAULT_INTERNAL);
        bench_close(&b);
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct bench b;
        bench_open(&b, schema);
        row(&b, right[i]);
        bench_close(&b);
    }
}

/* What is absent costs nothing until something comes: levels stay in their order all the same. */
static void counts_what_is_absent(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "{\"g\":{\"object\":{\"h\":{\"object\":{\"i\":\"integer\",\"j\":\"integer\"}},\"k\":\"integer\"}}}");
    for (int i = 0; i < 3; i++)
        row(&b, "{}");
    assert_int_equal(b.schema.column[0].entries, 0);
    row(&b, "{\"g\":{}}");
    row(&b, "{\"g\":{\"h\":{\"j\":1}}}");
    row(&b, "{\"g\":{\"k\":1}}");
    row(&b, "{}");
    parquet_shred_settle(&b.shred);
    assert_levels(&b, 0, "0000000", "0001210");
    assert_levels(&b, 1, "0000000", "0001310");
    assert_levels(&b, 2, "0000000", "0001120");
    bench_close(&b);
}

static void refuses_schemas_that_are_none(void **state)
{
    struct rowschema_node node[2] = {{.kind = ROWSCHEMA_GROUP, .name = "", .child = 1, .children = 1},
                                     {.kind = ROWSCHEMA_GROUP, .name = "empty"}};
    struct rowschema rows = {.node = node, .count = 2, .leaves = 0};
    struct parquet_schema schema;
    struct parquet_pages pages = {0};
    (void)state;
    assert_int_equal(parquet_schema_open(&schema, &rows), FAULT_INTERNAL);
    parquet_schema_close(&schema, &pages);
    node[1].kind = ROWSCHEMA_LIST;
    assert_int_equal(parquet_schema_open(&schema, &rows), FAULT_INTERNAL);
    parquet_schema_close(&schema, &pages);
    node[1].kind = ROWSCHEMA_STRING;
    assert_int_equal(parquet_schema_open(&schema, &rows), FAULT_INTERNAL); /* leaves is wrong */
    parquet_schema_close(&schema, &pages);
    rows.leaves = 1;
    assert_int_equal(parquet_schema_open(&schema, &rows), FAULT_NONE);
    parquet_schema_close(&schema, &pages);
    node[0].child = 0;
    assert_int_equal(parquet_schema_open(&schema, &rows), FAULT_INTERNAL);
    parquet_schema_close(&schema, &pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_levels_of_lists), cmocka_unit_test(tells_null_from_empty),
        cmocka_unit_test(events_are_a_list),         cmocka_unit_test(keeps_values_as_they_are),
        cmocka_unit_test(refuses_what_does_not_fit), cmocka_unit_test(counts_what_is_absent),
        cmocka_unit_test(refuses_schemas_that_are_none),
    };
    return cmocka_run_group_tests_name("parquet_shred", tests, NULL, NULL);
}
