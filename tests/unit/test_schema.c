/*
 * schema: which documents are schemas, and what a compiled one takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/record.h"
#include "profile/schema.h"

static struct arena *arena;
static struct jscan scan;
static const struct schema *schema;
static struct spec_refusal refusal;
static uint32_t at[SCHEMA_IDENTITIES_MAX];
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

static enum fault compile(const char *document, const char *identities)
{
    refusal = (struct spec_refusal){NULL, NULL};
    return schema_read(arena, document, strlen(document), identities, &schema, &refusal);
}

/* A schema whose one property `a` has this definition. */
static enum fault compile_a(const char *definition)
{
    char document[4096];
    snprintf(document, sizeof document, "{\"type\":\"object\",\"properties\":{\"a\":%s}}", definition);
    return compile(document, NULL);
}

static bool takes(const char *record)
{
    assert_int_equal(jscan_document(&scan, record, strlen(record), (struct jscan_limits){.depth = 64, .bytes = 1u << 20}),
                     JSCAN_OK);
    reason[0] = '\0';
    return schema_check(schema, &scan, at, reason, sizeof reason);
}

/* What the schema says of a record whose member `a` has this value: NULL when it is taken. */
static const char *says(const char *value)
{
    char record[4096];
    snprintf(record, sizeof record, "{\"a\":%s}", value);
    return takes(record) ? NULL : reason;
}

static void is_no_schema(const char *document, const char *pointer)
{
    assert_int_equal(compile(document, NULL), FAULT_MALFORMED);
    assert_null(schema);
    assert_string_equal(refusal.pointer, pointer);
    assert_true(refusal.detail[0] != '\0');
}

/* Values, each followed by whether the definition takes it. */
struct value {
    const char *text;
    bool good;
};

static void assert_values(const char *definition, const struct value *value)
{
    assert_int_equal(compile_a(definition), FAULT_NONE);
    for (; value->text != NULL; value++) {
        bool good = says(value->text) == NULL;
        if (good != value->good)
            fail_msg("%s: %s is %s: %s", definition, value->text, good ? "taken" : "refused", reason);
    }
}

#define VALUES(definition, ...) assert_values(definition, (const struct value[]){__VA_ARGS__, {NULL, false}})

static void every_type_takes_its_values_and_no_other(void **state)
{
    (void)state;
    VALUES("{\"type\":\"string\"}", {"\"x\"", true}, {"\"\"", true}, {"5", false}, {"true", false}, {"{}", false},
           {"[]", false}, {"null", true});
    VALUES("{\"type\":\"integer\"}", {"5", true}, {"-0", true}, {"5.0", true}, {"1e3", true}, {"5.5", false},
           {"1e-1", false}, {"\"5\"", false}, {"9e18", true}, {"1e19", false}, {"null", true});
    VALUES("{\"type\":\"number\"}", {"5", true}, {"5.5", true}, {"1e300", true}, {"\"5\"", false}, {"false", false});
    VALUES("{\"type\":\"boolean\"}", {"true", true}, {"false", true}, {"0", false}, {"\"true\"", false});
    VALUES("{\"type\":\"object\"}", {"{}", true}, {"{\"x\":[]}", true}, {"[]", false}, {"\"\"", false});
    VALUES("{\"type\":\"array\"}", {"[]", true}, {"[1,\"x\",null]", true}, {"{}", false}, {"1", false});
    VALUES("{\"type\":[\"string\",\"integer\"]}", {"\"x\"", true}, {"5", true}, {"5.5", false}, {"true", false});
    VALUES("{}", {"\"x\"", true}, {"5", true}, {"{}", true}, {"[]", true}, {"true", true}, {"null", true});
}

static void xdm_type_decides(void **state)
{
    (void)state;
    VALUES("{\"type\":\"integer\",\"meta:xdmType\":\"byte\"}", {"127", true}, {"128", false}, {"-128", true}, {"-129", false});
    VALUES("{\"type\":\"integer\",\"meta:xdmType\":\"short\"}", {"32767", true}, {"32768", false}, {"-32768", true},
           {"-32769", false}, {"3.2768e4", false});
    VALUES("{\"type\":\"integer\",\"meta:xdmType\":\"int\"}", {"2147483647", true}, {"2147483648", false}, {"-2147483648", true},
           {"-2147483649", false});
    VALUES("{\"type\":\"integer\",\"meta:xdmType\":\"long\"}", {"9007199254740991", true}, {"9223372036854775807.5", false},
           {"9.3e18", false}, {"-9.3e18", false});
    VALUES("{\"type\":\"string\",\"meta:xdmType\":\"number\"}", {"5.5", true}, {"\"5.5\"", false});
    VALUES("{\"type\":\"string\",\"meta:xdmType\":\"date\"}", {"\"2024-02-29\"", true}, {"\"2024-02-29T00:00:00Z\"", false});
    VALUES("{\"type\":\"string\",\"format\":\"date\",\"meta:xdmType\":\"string\"}", {"\"x\"", true});
    VALUES("{\"meta:xdmType\":\"map\"}", {"{\"x\":1}", true}, {"[]", false});
}

static void dates_must_exist(void **state)
{
    (void)state;
    VALUES("{\"type\":\"string\",\"format\":\"date\"}", {"\"2024-02-29\"", true}, {"\"2023-02-29\"", false}, {"\"2024-2-9\"", false},
           {"\"2024-02-29Z\"", false}, {"\"\"", false}, {"20240229", false}, {"\"2024-02-\\u0032\\u0039\"", true});
    VALUES("{\"type\":\"string\",\"format\":\"date-time\"}", {"\"2024-02-29T01:02:03Z\"", true}, {"\"2024-02-29T01:02:03\"", false},
           {"\"2024-02-29T01:02:03.123456+01:00\"", true}, {"\"2024-02-29\"", false}, {"\"2023-02-29T01:02:03Z\"", false});
    VALUES("{\"type\":\"string\",\"format\":\"email\"}", {"\"x\"", true});
    VALUES("{\"type\":[\"integer\",\"string\"],\"format\":\"date\"}", {"5", true}, {"\"2024-01-01\"", true}, {"\"x\"", false});
}

static void bounds_hold(void **state)
{
    (void)state;
    VALUES("{\"type\":\"number\",\"minimum\":-1.5,\"maximum\":1e2}", {"-1.5", true}, {"-1.50000", true}, {"-1.500001", false},
           {"100", true}, {"100.0000000000000000000001", false}, {"0", true}, {"-0.0", true}, {"-2", false}, {"101", false});
    VALUES("{\"type\":\"integer\",\"minimum\":0}", {"0", true}, {"-0", true}, {"-1", false}, {"0e5", true});
    VALUES("{\"minimum\":5}", {"5", true}, {"4", false}, {"\"x\"", true});
    VALUES("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", {"\"a\"", false}, {"\"ab\"", true}, {"\"abc\"", true},
           {"\"abcd\"", false}, {"\"\xc3\xa9\xc3\xa9\xc3\xa9\"", true}, {"\"\\u00e9\"", false},
           {"\"\\ud83d\\ude00\"", false}, {"\"\\ud83d\\ude00\\n\\ud83d\\ude00\"", true}, {"\"\\n\\n\\n\\\\\"", false});
    VALUES("{\"maxLength\":1}", {"12345", true}, {"\"ab\"", false});
}

static void an_enum_lists_all_values(void **state)
{
    (void)state;
    VALUES("{\"enum\":[\"gold\",\"silv\\u0065r\",5,true]}", {"\"gold\"", true}, {"\"g\\u006fld\"", true}, {"\"silver\"", true},
           {"\"Gold\"", false}, {"5", true}, {"5.0", true}, {"50e-1", true}, {"6", false}, {"true", true}, {"false", false},
           {"\"5\"", false}, {"{}", false}, {"null", true});
    VALUES("{\"enum\":[\"b\",false,2.5,\"ab\",null,\"a\",-3,0,\"\"]}", {"\"\"", true}, {"\"a\"", true}, {"\"ab\"", true},
           {"\"b\"", true}, {"\"c\"", false}, {"\"aa\"", false}, {"-3.0", true}, {"-0", true}, {"25e-1", true}, {"3", false},
           {"1e-300", false}, {"false", true}, {"true", false}, {"[]", false});
}

static void arrays_and_maps_have_elements(void **state)
{
    (void)state;
    VALUES("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", {"[]", true}, {"[1,2]", true}, {"[1,\"2\"]", false},
           {"[null]", false});
    VALUES("{\"type\":\"array\",\"items\":{\"type\":[\"integer\",\"null\"]}}", {"[1,null]", true});
    VALUES("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", {"{\"x\":\"y\"}", true}, {"{\"x\":1}", false},
           {"{\"x\":null}", true});
    VALUES("{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"additionalProperties\":{\"type\":\"string\"}}",
           {"{\"n\":1,\"x\":\"y\"}", true}, {"{\"n\":\"1\"}", false});
    VALUES("{\"type\":\"object\",\"additionalProperties\":false}", {"{\"x\":\"y\"}", true});
    VALUES("{\"type\":\"array\",\"items\":{\"properties\":{\"p\":{\"type\":\"boolean\"}}}}", {"[{\"p\":true},{\"q\":1}]", true},
           {"[{\"p\":true},{\"p\":1}]", false});
}

static void required_members_must_be_there(void **state)
{
    (void)state;
    assert_int_equal(compile("{\"properties\":{\"b\":{},\"a\":{}},\"required\":[\"b\",\"x/y~\"]}", NULL), FAULT_NONE);
    assert_true(takes("{\"b\":1,\"x/y~\":2}"));
    assert_true(takes("{\"\\u0062\":1,\"x/y~\":2,\"c\":3}"));
    assert_false(takes("{\"b\":1}"));
    assert_string_equal(reason, "/x~1y~0 is required");
    assert_false(takes("{\"b\":null,\"x/y~\":2}"));
    assert_string_equal(reason, "/b is required");
    VALUES("{\"required\":[\"p\"]}", {"{\"p\":1}", true}, {"{}", false}, {"5", true});
    assert_true(takes("{}")); /* what is not there requires nothing */
}

static void a_reason_tells_place_and_rule(void **state)
{
    (void)state;
    assert_int_equal(compile_a("{\"properties\":{\"b\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}"), FAULT_NONE);
    assert_string_equal(says("{\"z\":[{}],\"b\":[1,2,[3]]}"), "/a/b/2 must be an integer");
    assert_int_equal(compile_a("{\"meta:xdmType\":\"short\"}"), FAULT_NONE);
    assert_string_equal(says("99999"), "/a must be an integer of 16 bits");
    assert_int_equal(compile_a("{\"type\":\"string\",\"maxLength\":2}"), FAULT_NONE);
    assert_string_equal(says("\"abc\""), "/a must have at most 2 characters");
}

static void a_long_place_is_cut_at_a_character(void **state)
{
    (void)state;
    char document[2048], record[2048], name[256] = "a";
    for (int i = 0; i < 60; i++)
        strcat(name, "\xe2\x82\xac"); /* 181 bytes */
    snprintf(document, sizeof document, "{\"properties\":{\"%s\":{\"type\":\"string\"}}}", name);
    snprintf(record, sizeof record, "{\"%s\":5}", name);
    assert_int_equal(compile(document, NULL), FAULT_NONE);
    assert_false(takes(record));
    assert_int_equal(strcspn(reason, " "), 98); /* two of one byte and 32 of 3 bytes: one more is above 100 */
    assert_string_equal(reason + 98, " must be a string");
}

static void members_that_are_not_named_are_taken(void **state)
{
    (void)state;
    assert_int_equal(compile("{\"title\":\"x\",\"properties\":{}}", NULL), FAULT_NONE);
    assert_true(takes("{\"x\":{\"y\":[1]}}"));
    assert_int_equal(compile("{}", NULL), FAULT_NONE);
    assert_true(takes("{\"x\":{\"y\":[1]}}"));
}

static void what_is_no_schema_is_refused_with_its_place(void **state)
{
    (void)state;
    is_no_schema("[]", "");
    is_no_schema("{", "");
    is_no_schema("{\"type\":\"string\"}", "/type");
    is_no_schema("{\"properties\":[]}", "/properties");
    is_no_schema("{\"properties\":{\"\":{}}}", "/properties/");
    is_no_schema("{\"required\":\"a\"}", "/required");
    is_no_schema("{\"required\":[5]}", "/required/0");
    is_no_schema("{\"required\":[\"a\",\"a\"]}", "/required");
    is_no_schema("{\"properties\":{\"a\":{}},\"required\":[\"a\",\"a\"]}", "/required/1");
    static const struct {
        const char *definition, *pointer;
    } BAD[] = {
        {"5", ""},
        {"true", ""},
        {"{\"type\":\"text\"}", "/type"},
        {"{\"type\":[]}", "/type"},
        {"{\"type\":[\"string\",5]}", "/type/1"},
        {"{\"type\":null}", "/type"},
        {"{\"format\":5}", "/format"},
        {"{\"meta:xdmType\":\"text\"}", "/meta:xdmType"},
        {"{\"meta:xdmType\":[\"string\"]}", "/meta:xdmType"},
        {"{\"minimum\":\"5\"}", "/minimum"},
        {"{\"maximum\":null}", "/maximum"},
        {"{\"minLength\":-1}", "/minLength"},
        {"{\"maxLength\":1.5}", "/maxLength"},
        {"{\"enum\":[]}", "/enum"},
        {"{\"enum\":\"x\"}", "/enum"},
        {"{\"enum\":[1,{}]}", "/enum/1"},
        {"{\"items\":[]}", "/items"},
        {"{\"items\":{\"type\":5}}", "/items/type"},
        {"{\"additionalProperties\":5}", "/additionalProperties"},
        {"{\"properties\":{\"x/~\":{\"type\":1}}}", "/properties/x~1~0/type"},
        {"{\"$ref\":\"https://example.org/x\"}", "/$ref"},
        {"{\"$ref\":5}", "/$ref"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/properties/a%s", BAD[i].pointer);
        assert_int_equal(compile_a(BAD[i].definition), FAULT_MALFORMED);
        assert_string_equal(refusal.pointer, pointer);
    }
    VALUES("{\"$ref\":\"https://ns.adobe.com/xdm/common/address\"}", {"{\"x\":1}", true}, {"5", true});
}

static enum fault compile_depth(unsigned depth)
{
    char document[8192];
    size_t n = 0;
    for (unsigned i = 0; i < depth; i++)
        n += (size_t)snprintf(document + n, sizeof document - n, "{\"properties\":{\"a\":");
    n += (size_t)snprintf(document + n, sizeof document - n, "{}");
    for (unsigned i = 0; i < depth; i++)
        n += (size_t)snprintf(document + n, sizeof document - n, "}}");
    return compile(document, NULL);
}

static enum fault compile_width(unsigned properties, unsigned values)
{
    static char document[200000];
    size_t n = (size_t)snprintf(document, sizeof document, "{\"properties\":{\"e\":{\"enum\":[0");
    for (unsigned i = 1; i < values; i++)
        n += (size_t)snprintf(document + n, sizeof document - n, ",%u", i);
    n += (size_t)snprintf(document + n, sizeof document - n, "]}");
    for (unsigned i = 1; i < properties; i++)
        n += (size_t)snprintf(document + n, sizeof document - n, ",\"p%u\":{}", i);
    snprintf(document + n, sizeof document - n, "}}");
    return compile(document, NULL);
}

static void a_schema_has_bounds(void **state)
{
    (void)state;
    assert_int_equal(compile_depth(SCHEMA_DEPTH_MAX), FAULT_NONE);
    assert_int_equal(compile_depth(SCHEMA_DEPTH_MAX + 1), FAULT_MALFORMED);
    assert_int_equal(compile_width(1, SCHEMA_ENUM_MAX), FAULT_NONE);
    assert_int_equal(compile_width(1, SCHEMA_ENUM_MAX + 1), FAULT_MALFORMED);
    assert_int_equal(compile_width(SCHEMA_NODES_MAX, 1), FAULT_NONE);
    assert_int_equal(schema_types_at(schema, "p77", 3), 0);
    arena_reset(arena);
    assert_int_equal(compile_width(SCHEMA_NODES_MAX + 1, 1), FAULT_MALFORMED);
}

static void an_arena_that_is_too_small_is_told(void **state)
{
    (void)state;
    struct arena *small = arena_new(1024);
    assert_int_equal(schema_read(small, "{\"properties\":{}}", 17, NULL, &schema, &refusal), FAULT_MEMORY);
    arena_free(small);
}

static void types_are_told_by_path(void **state)
{
    (void)state;
    assert_int_equal(compile("{\"properties\":{\"person\":{\"properties\":{\"age\":{\"type\":\"integer\"},\"born\":{\"type\":"
                             "[\"string\",\"null\"],\"format\":\"date\"}}},\"points\":{\"type\":\"object\",\"additionalProperties\":"
                             "{\"type\":\"number\"}},\"b\":{\"type\":\"boolean\"}}}",
                             NULL),
                     FAULT_NONE);
    assert_int_equal(schema_types_at(schema, "person.age", 10), SCHEMA_INTEGER);
    assert_int_equal(schema_types_at(schema, "person.born", 11), SCHEMA_DATE | SCHEMA_NULL);
    assert_int_equal(schema_types_at(schema, "points.any", 10), SCHEMA_NUMBER);
    assert_int_equal(schema_types_at(schema, "b", 1), SCHEMA_BOOLEAN);
    assert_int_equal(schema_types_at(schema, "b.c", 3), 0);
    assert_int_equal(schema_types_at(schema, "person", 6), 0);
    assert_int_equal(schema_types_at(schema, "person.", 7), 0);
    assert_int_equal(schema_types_at(schema, "", 0), 0);
    assert_int_equal(schema_types_at(NULL, "b", 1), 0);
}

#define TENANT                                                                                                         \
    "{\"properties\":{\"_t\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"}," \
    "\"a/b\":{\"type\":\"string\"},\"s\":{\"type\":\"string\",\"properties\":{\"x\":{\"type\":\"string\"}}},\"o\":{\"type\":\"object\"},\"any\":{},\"flag\":{\"type\":\"boolean\"},\"list\":{\"type\":\"array\"," \
    "\"items\":{\"properties\":{\"id\":{\"type\":\"string\"}}}}}}}}"

static void refuses_identity(const char *identities, const char *pointer)
{
    assert_int_equal(compile(TENANT, identities), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, pointer);
}

static void identities_name_members(void **state)
{
    (void)state;
    assert_int_equal(compile(TENANT, "[{\"property\":\"/_t/id\",\"namespace\":\"CRMID\",\"primary\":true},{\"property\":\"/_t/n\","
                                     "\"namespace\":\"N\",\"primary\":false},{\"property\":\"/_t/a~1b\",\"namespace\":\"N\"}]"),
                     FAULT_NONE);
    assert_int_equal(schema->identities, 3);
    assert_int_equal(schema->primary, 1);
    assert_true(takes("{\"_t\":{\"n\":5,\"a/b\":null,\"id\":[]}}"));
    assert_int_equal(scan.node[at[0]].type, JSCAN_ARRAY); /* for the record to refuse */
    assert_int_equal(scan.node[at[1]].type, JSCAN_INTEGER);
    assert_int_equal(at[2], 0);
    assert_false(takes("{\"_t\":{\"n\":\"5\"}}"));
    assert_int_equal(compile(TENANT, "[]"), FAULT_NONE);
    assert_int_equal(schema->identities, 0);
}

static void bad_identities_are_refused(void **state)
{
    (void)state;
    static const char *PATHS[] = {"_t/id",      "/_t",       "/_t/x",    "/_t/o", "/_t/any", "/_t/flag", "/_t/list/id", "/_t/list/0/id",
                                  "/_t/list/items/id", "/_t/id/x", "/_t/s/x", "/_t/a~b", "/",     "/_t/",    "",         "/_t//id"};
    char text[256];
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        snprintf(text, sizeof text, "[{\"property\":\"%s\",\"namespace\":\"N\"}]", PATHS[i]);
        refuses_identity(text, "/xdm:sourceProperty");
    }
    refuses_identity("[{\"property\":\"/_t/id\",\"namespace\":\"\"}]", "/xdm:namespace");
    refuses_identity("[{\"property\":\"/_t/id\",\"namespace\":\"N\"},{\"property\":\"/_t/id\",\"namespace\":\"M\"}]",
                     "/xdm:sourceProperty");
    refuses_identity("[{\"property\":\"/_t/id\",\"namespace\":\"N\",\"primary\":true},{\"property\":\"/_t/n\",\"namespace\":\"N\","
                     "\"primary\":true}]",
                     "/xdm:isPrimary");
    assert_int_equal(compile(TENANT, "[5]"), FAULT_INTERNAL);
    assert_int_equal(compile(TENANT, "{}"), FAULT_INTERNAL);
    assert_int_equal(compile(TENANT, "["), FAULT_INTERNAL);
}

static void numbers_are_written_plainly(void **state)
{
    (void)state;
    static const char *PAIRS[][2] = {
        {"0", "0"},           {"-0", "0"},          {"-0.000e5", "0"},   {"12.0", "12"},       {"1e3", "1000"},
        {"-1.5e1", "-15"},    {"0.5", "0.5"},       {"1.50", "1.5"},     {"5e-7", "0.0000005"}, {"-12.34e-1", "-1.234"},
        {"100", "100"},       {"1.2345E2", "123.45"}, {"0.001e5", "100"}, {"10.01", "10.01"},  {"9007199254740991", "9007199254740991"},
    };
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        char out[SCHEMA_NUMBER_TEXT_MAX];
        struct schema_number n = schema_number_read(PAIRS[i][0], strlen(PAIRS[i][0]));
        size_t length = schema_number_write(&n, out);
        assert_int_equal(length, strlen(PAIRS[i][1]));
        assert_memory_equal(out, PAIRS[i][1], length);
    }
    static const char *LONG[] = {"1e100", "1e-100", "-1e63", "1e-99999999999999999999"};
    for (size_t i = 0; i < sizeof LONG / sizeof *LONG; i++) {
        char out[SCHEMA_NUMBER_TEXT_MAX];
        struct schema_number n = schema_number_read(LONG[i], strlen(LONG[i]));
        assert_int_equal(schema_number_write(&n, out), 0);
    }
    char out[SCHEMA_NUMBER_TEXT_MAX];
    struct schema_number n = schema_number_read("1e63", 4);
    assert_int_equal(schema_number_write(&n, out), 64);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_type_takes_its_values_and_no_other),
        CASE(xdm_type_decides),
        CASE(dates_must_exist),
        CASE(bounds_hold),
        CASE(an_enum_lists_all_values),
        CASE(arrays_and_maps_have_elements),
        CASE(required_members_must_be_there),
        CASE(a_reason_tells_place_and_rule),
        CASE(a_long_place_is_cut_at_a_character),
        CASE(members_that_are_not_named_are_taken),
        CASE(what_is_no_schema_is_refused_with_its_place),
        CASE(a_schema_has_bounds),
        CASE(an_arena_that_is_too_small_is_told),
        CASE(types_are_told_by_path),
        CASE(identities_name_members),
        CASE(bad_identities_are_refused),
        CASE(numbers_are_written_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
