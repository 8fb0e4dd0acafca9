/*
 * test_collection: what is around the records of a streaming request, with everything that must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responder/collection_envelope.c" /* the responder is no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])
#define DATASET "0123456789abcdef01234567"
#define ENTITY "{\"identityMap\":{\"Email\":[{\"id\":\"a\\u0040x\"}]}, \"n\" : 1.50}"

static const struct collection_expected EXPECTED = {.dataset = DATASET, .ims_org_id = "One@AdobeOrg", .record_bytes = 200};
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(4u * 1024u * 1024u);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Reads one message; the answer is "pointer reason" of a refusal, else "". */
static const char *read_one(const char *body, struct collection_message *m)
{
    struct collection_refusal refusal = {NULL, NULL};
    *m = (struct collection_message){0};
    enum fault fault = collection_read_one(arena, body, strlen(body), &EXPECTED, m, &refusal);
    if (fault == FAULT_NONE)
        return "";
    assert_int_equal(fault, FAULT_MALFORMED);
    return arena_printf(arena, "%s|%s", refusal.pointer, refusal.reason);
}

static void assert_record(const struct collection_message *m, const char *record, const char *pointer)
{
    assert_int_equal(m->length, strlen(record));
    assert_memory_equal(m->record, record, m->length);
    assert_string_equal(m->record_pointer, pointer);
}

static void takes_messages(void **state)
{
    static const struct {
        const char *body, *schema, *schema_pointer;
    } row[] = {
        {"{\"body\":{\"xdmEntity\": " ENTITY " }}", NULL, NULL},
        {" {\"header\":{},\"body\":{\"xdmEntity\":" ENTITY "}} \n", NULL, NULL},
        {"{\"header\":{\"datasetId\":\"" DATASET "\",\"imsOrgId\":\"One\\u0040AdobeOrg\",\"source\":{\"name\":\"x\"}},"
         "\"body\":{\"xdmMeta\":{},\"xdmEntity\":" ENTITY "}}", NULL, NULL},
        {"{\"header\":{\"datasetId\":null,\"schemaRef\":null},\"body\":{\"xdmMeta\":null,\"xdmEntity\":" ENTITY "}}", NULL, NULL},
        {"{\"header\":{\"schemaRef\":{\"id\":\"s\\\"\",\"contentType\":\"c\"}},\"body\":{\"xdmEntity\":" ENTITY "}}", "s\"",
         "/header/schemaRef/id"},
        {"{\"body\":{\"xdmEntity\":" ENTITY ",\"xdmMeta\":{\"schemaRef\":{\"id\":\"t\"}}}}", "t", "/body/xdmMeta/schemaRef/id"},
        {"{\"header\":{\"schemaRef\":{\"id\":\"u\"}},\"body\":{\"xdmEntity\":" ENTITY ",\"xdmMeta\":{\"schemaRef\":{\"id\":\"\\u0075\"}}}}",
         "u", "/header/schemaRef/id"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct collection_message m;
        assert_string_equal(read_one(row[i].body, &m), "");
        assert_record(&m, ENTITY, "/body/xdmEntity");
        if (row[i].schema == NULL) {
            assert_null(m.schema);
            continue;
        }
        assert_string_equal(m.schema, row[i].schema);
        assert_string_equal(m.schema_pointer, row[i].schema_pointer);
    }
}

/* Whatever is no message is a record, with the white space around it left out and that inside kept. */
static void takes_bare_records(void **state)
{
    static const char *const row[] = {ENTITY, "{}", "{\"body\":\"text\"}", "{\"body\":{\"weight\":1}}",
                                      "{\"header\":{\"datasetId\":\"other\"}}", "{\"header\":1,\"body\":{\"weight\":1}}"};
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct collection_message m;
        assert_string_equal(read_one(arena_printf(arena, "\n %s\t ", row[i]), &m), "");
        assert_record(&m, row[i], "");
        assert_null(m.schema);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *body, *why;
    } row[] = {
        {"", "|no JSON value at byte 0"},
        {"{\"a\":1", "|the text ends too early at byte 6"},
        {"{\"a\":1,\"a\":2}", "|duplicate member name at byte 7"},
        {"{\"a\":\"\\u0000\"}", "|U+0000 in a string at byte 6"},
        {"{\"a\":\"\xff\"}", "|not well-formed UTF-8 at byte 6"},
        {"{} {}", "|more text after the value at byte 3"},
        {"[]", "|must be an object"},
        {"\"text\"", "|must be an object"},
        {"{\"header\":{},\"body\":{}}", "/body/xdmEntity|is required"},
        {"{\"header\":{},\"body\":{\"xdmMeta\":{}}}", "/body/xdmEntity|is required"},
        {"{\"body\":{\"xdmEntity\":null}}", "/body/xdmEntity|must be an object"},
        {"{\"body\":{\"xdmEntity\":[{}]}}", "/body/xdmEntity|must be an object"},
        {"{\"header\":7,\"body\":{\"xdmEntity\":{}}}", "/header|must be an object"},
        {"{\"body\":{\"xdmMeta\":7,\"xdmEntity\":{}}}", "/body/xdmMeta|must be an object"},
        {"{\"header\":{\"datasetId\":7},\"body\":{\"xdmEntity\":{}}}", "/header/datasetId|must be a string"},
        {"{\"header\":{\"datasetId\":\"" DATASET "0\"},\"body\":{\"xdmEntity\":{}}}",
         "/header/datasetId|must be the dataset of the path"},
        {"{\"header\":{\"imsOrgId\":\"Two@AdobeOrg\"},\"body\":{\"xdmEntity\":{}}}",
         "/header/imsOrgId|must be the organization of the call"},
        {"{\"header\":{\"schemaRef\":\"s\"},\"body\":{\"xdmEntity\":{}}}", "/header/schemaRef|must be an object"},
        {"{\"header\":{\"schemaRef\":{\"id\":1}},\"body\":{\"xdmEntity\":{}}}", "/header/schemaRef/id|must be a string"},
        {"{\"body\":{\"xdmMeta\":{\"schemaRef\":[]},\"xdmEntity\":{}}}", "/body/xdmMeta/schemaRef|must be an object"},
        {"{\"body\":{\"xdmMeta\":{\"schemaRef\":{\"id\":{}}},\"xdmEntity\":{}}}",
         "/body/xdmMeta/schemaRef/id|must be a string"},
        {"{\"header\":{\"schemaRef\":{\"id\":\"a\"}},\"body\":{\"xdmMeta\":{\"schemaRef\":{\"id\":\"b\"}},\"xdmEntity\":{}}}",
         "/body/xdmMeta/schemaRef/id|must be the schema that the header names"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        struct collection_message m;
        assert_string_equal(read_one(row[i].body, &m), row[i].why);
    }
}

/* At the bound a record is taken, a byte more is refused where the record stands. */
static void bounds_records(void **state)
{
    char text[300];
    struct collection_message m;
    (void)state;
    memset(text, 'x', sizeof text);
    char *record = arena_printf(arena, "{\"a\":\"%.*s\"}", (int)EXPECTED.record_bytes - 8, text);
    assert_int_equal(strlen(record), EXPECTED.record_bytes);
    assert_string_equal(read_one(record, &m), "");
    record = arena_printf(arena, "{\"a\":\"%.*s\"}", (int)EXPECTED.record_bytes - 7, text);
    assert_string_equal(read_one(record, &m), "|is longer than the largest record that is taken");
    assert_string_equal(read_one(arena_printf(arena, "{\"body\":{\"xdmEntity\":%s}}", record), &m),
                        "/body/xdmEntity|is longer than the largest record that is taken");
}

/* A record may be as deep as in a file, whatever is around it. */
static void takes_deep_records(void **state)
{
    struct collection_message *list;
    uint32_t count;
    struct collection_refusal refusal = {NULL, NULL};
    char open[RECORD_DEPTH + 1] = "", close[RECORD_DEPTH + 1] = "";
    (void)state;
    memset(open, '[', RECORD_DEPTH - 1);
    memset(close, ']', RECORD_DEPTH - 1);
    char *body = arena_printf(arena, "{\"messages\":[{\"body\":{\"xdmEntity\":{\"a\":%s%s}}}]}", open, close);
    assert_int_equal(collection_read_many(arena, body, strlen(body), &EXPECTED, &list, &count, &refusal), FAULT_NONE);
    assert_null(list[0].refusal.pointer);
    body = arena_printf(arena, "{\"messages\":[{\"body\":{\"xdmEntity\":{\"a\":[%s%s]}}}]}", open, close);
    assert_int_equal(collection_read_many(arena, body, strlen(body), &EXPECTED, &list, &count, &refusal), FAULT_MALFORMED);
}

static void reads_lists(void **state)
{
    static const char BODY[] = "{\"more\":1,\"messages\":[" ENTITY ",7,{\"body\":{\"xdmEntity\":{\"b\":[1,{}]}}},"
                               "{\"header\":{},\"body\":{}},{\"last\":true} ]}";
    struct collection_message *list;
    uint32_t count;
    struct collection_refusal refusal = {NULL, NULL};
    (void)state;
    assert_int_equal(collection_read_many(arena, BODY, strlen(BODY), &EXPECTED, &list, &count, &refusal), FAULT_NONE);
    assert_int_equal(count, 5);
    assert_record(&list[0], ENTITY, "");
    assert_string_equal(list[1].refusal.pointer, "");
    assert_string_equal(list[1].refusal.reason, "must be an object");
    assert_record(&list[2], "{\"b\":[1,{}]}", "/body/xdmEntity");
    assert_string_equal(list[3].refusal.pointer, "/body/xdmEntity");
    assert_record(&list[4], "{\"last\":true}", "");
    assert_null(list[0].refusal.pointer);
    assert_null(list[4].refusal.pointer);
}

static const char *read_many(const char *body)
{
    struct collection_message *list;
    uint32_t count;
    struct collection_refusal refusal = {NULL, NULL};
    enum fault fault = collection_read_many(arena, body, strlen(body), &EXPECTED, &list, &count, &refusal);
    return fault == FAULT_NONE ? "" : arena_printf(arena, "%s|%s", refusal.pointer, refusal.reason);
}

static void refuses_lists(void **state)
{
    char *many = calloc(1, 3 * COLLECTION_MESSAGES_MAX + 64);
    (void)state;
    assert_string_equal(read_many("[]"), "|must be an object");
    assert_string_equal(read_many("{}"), "/messages|is required");
    assert_string_equal(read_many("{\"messages\":{}}"), "/messages|must be an array");
    assert_string_equal(read_many("{\"messages\":[]}"), "/messages|must hold 1 to 5000 messages");
    assert_string_equal(read_many("{\"messages\":[{}}"), "|unexpected character at byte 15");
    assert_non_null(many);
    for (unsigned extra = 0; extra < 2; extra++) {
        char *at = stpcpy(many, "{\"messages\":[{}");
        for (unsigned i = 1; i < COLLECTION_MESSAGES_MAX + extra; i++)
            at = stpcpy(at, ",{}");
        strcpy(at, "]}");
        assert_string_equal(read_many(many), extra == 0 ? "" : "/messages|must hold 1 to 5000 messages");
    }
    free(many);
}

/* Without memory for what is read, nothing is taken for read. */
static void runs_out_of_memory(void **state)
{
    static const char BODY[] = "{\"header\":{\"schemaRef\":{\"id\":\"0123456789012345678901234567890123456789\"}},\"body\":{\"xdmEntity\":{}}}";
    struct arena *small = arena_new(32);
    struct collection_message m;
    struct collection_refusal refusal = {NULL, NULL};
    (void)state;
    assert_non_null(small);
    assert_int_equal(collection_read_one(small, BODY, strlen(BODY), &EXPECTED, &m, &refusal), FAULT_MEMORY);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_bare_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_deep_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(runs_out_of_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
