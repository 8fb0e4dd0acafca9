/*
 * schema: what a schema may cost: memory while it is read, time while records are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "profile/record.h"
#include "profile/schema.h"

static struct arena *arena;
static struct jscan scan;
static const struct schema *schema;
static struct spec_refusal refusal;
static char reason[RECORD_REASON_MAX];

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(SCHEMA_ARENA_BYTES);
    scan = JSCAN_INIT;
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    jscan_free(&scan);
    return 0;
}

static enum fault compile(const char *document)
{
    refusal = (struct spec_refusal){NULL, NULL};
    return schema_read(arena, document, strlen(document), NULL, &schema, &refusal);
}

static bool takes(const char *record)
{
    uint32_t at[SCHEMA_IDENTITIES_MAX];
    assert_int_equal(jscan_document(&scan, record, strlen(record), (struct jscan_limits){.depth = 64, .bytes = 1u << 20}),
                     JSCAN_OK);
    return schema_check(schema, &scan, at, reason, sizeof reason);
}

/* A document of `enums` enums of 1000 values, filled up with a long description. */
static enum fault compile_enums(unsigned enums)
{
    static char document[SCHEMA_DOCUMENT_MAX + 1];
    size_t n = (size_t)snprintf(document, sizeof document, "{\"properties\":{\"p\":{}");
    for (unsigned i = 0; i < enums; i++) {
        n += (size_t)snprintf(document + n, sizeof document - n, ",\"e%u\":{\"enum\":[\"", i);
        for (unsigned k = 1; k < SCHEMA_ENUM_MAX; k++)
            n += (size_t)snprintf(document + n, sizeof document - n, "%u\",\"", k);
        n += (size_t)snprintf(document + n, sizeof document - n, "\"]}");
    }
    for (unsigned i = 1; i + enums < SCHEMA_NODES_MAX; i++)
        n += (size_t)snprintf(document + n, sizeof document - n, ",\"%0100u\":{}", i);
    n += (size_t)snprintf(document + n, sizeof document - n, "},\"description\":\"");
    while (n < SCHEMA_DOCUMENT_MAX - 2)
        document[n++] = 'd';
    snprintf(document + n, sizeof document - n, "\"}");
    return compile(document);
}

/* Else a small document could need more memory than a schema may have. */
static void all_enums_together_have_a_bound(void **state)
{
    (void)state;
    assert_int_equal(compile_enums(SCHEMA_VALUES_MAX / SCHEMA_ENUM_MAX), FAULT_NONE);
    arena_reset(arena);
    assert_int_equal(compile_enums(SCHEMA_VALUES_MAX / SCHEMA_ENUM_MAX + 1), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/properties/e9/enum"); /* members are read by name */
}

/* What a record of 1 MiB costs at most: a hundred times less than a look at all values for each element. */
#define SECONDS_MOST 1.0

static void a_long_enum_costs_no_more_than_a_short_one(void **state)
{
    (void)state;
    static char record[1u << 20];
    size_t n = (size_t)snprintf(record, sizeof record, "{\"a\":[999");
    while (n < sizeof record - 8)
        n += (size_t)snprintf(record + n, sizeof record - n, ",%u", n % 5 == 0 ? 1u : 999u);
    snprintf(record + n, sizeof record - n, "]}");
    char definition[16384];
    size_t d = (size_t)snprintf(definition, sizeof definition, "{\"properties\":{\"a\":{\"items\":{\"enum\":[0");
    for (unsigned i = 1; i < SCHEMA_ENUM_MAX; i++)
        d += (size_t)snprintf(definition + d, sizeof definition - d, ",%u", i);
    snprintf(definition + d, sizeof definition - d, "]}}}}");
    assert_int_equal(compile(definition), FAULT_NONE);
    clock_t begin = clock();
    assert_true(takes(record));
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < SECONDS_MOST);
}

static void a_missing_member_is_found_among_many(void **state)
{
    (void)state;
    static char record[1u << 20], definition[200000];
    size_t d = (size_t)snprintf(definition, sizeof definition, "{\"required\":[\"last\"");
    for (unsigned i = 0; i < SCHEMA_NODES_MAX - 1; i++)
        d += (size_t)snprintf(definition + d, sizeof definition - d, ",\"a%u\"", i);
    snprintf(definition + d, sizeof definition - d, "]}");
    size_t n = (size_t)snprintf(record, sizeof record, "{\"last\":null");
    for (unsigned i = 0; n < 1000000; i++)
        n += (size_t)snprintf(record + n, sizeof record - n, ",\"b%u\":0", i);
    for (unsigned i = 0; i < SCHEMA_NODES_MAX - 1; i++)
        if (n < sizeof record - 16)
            n += (size_t)snprintf(record + n, sizeof record - n, ",\"a%u\":0", i);
    snprintf(record + n, sizeof record - n, "}");
    assert_int_equal(compile(definition), FAULT_NONE);
    clock_t begin = clock();
    assert_false(takes(record));
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < SECONDS_MOST);
    assert_string_equal(reason + strlen(reason) - strlen(" is required"), " is required");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_enums_together_have_a_bound),
        CASE(a_long_enum_costs_no_more_than_a_short_one),
        CASE(a_missing_member_is_found_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
