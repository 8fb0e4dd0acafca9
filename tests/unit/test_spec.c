/*
 * test_spec: every member of an export request (contract.md section 5) with right and wrong values,
 * and the pointer to the one at fault.
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
#include "export/projection.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define ID "5b020a27e7040801dedba61b"
#define DEST "\"destination\":{\"datasetId\":\"" ID "\"}"
#define SCHEMA "\"schema\":{\"name\":\"_xdm.context.profile\"}"
#define WITH(members) "{" members "," DEST "," SCHEMA "}"
#define TO(destination) "{\"destination\":" destination "," SCHEMA "}"
#define EVENTS(members) WITH("\"additionalFields\":{\"eventList\":{" members "}}")
#define EVENT_FILTER(members) EVENTS("\"filter\":{" members "}")
#define LIST "/additionalFields/eventList"
#define POLICY "timestampOrdered-none-mp"

static struct arena *arena;
static struct spec_request request;
static struct spec_refusal refusal;
static struct spec_orders orders;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(4u * 1024 * 1024);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static enum fault parse(const char *body)
{
    arena_reset(arena);
    refusal = (struct spec_refusal){NULL, NULL};
    return spec_parse_request(arena, body, strlen(body), &request, &refusal);
}

static const char *const GOOD[] = {
    "{" DEST "," SCHEMA "}",
    " \t\r\n{ " SCHEMA " ,\n " DEST " } ",
    TO("{\"dataSetId\":\"" ID "\"}"),
    TO("{\"datasetId\":\"" ID "\",\"dataSetId\":\"" ID "\"}"),
    TO("{\"datasetId\":\"" ID "\",\"segmentPerBatch\":false}"),
    TO("{\"datasetId\":\"" ID "\",\"other\":[1,null]}"),
    "{" DEST ",\"schema\":{\"name\":\"_xdm.context.profile\",\"other\":{}}}",
    "{" DEST ",\"schema\":{\"name\":\"_xdm\\u002econtext.profile\"}}",
    WITH("\"fields\":\"\""), WITH("\"fields\":\" \\t\""), WITH("\"fields\":\"a\""), WITH("\"fields\":\" a.b ,\\tc \""),
    WITH("\"fields\":\"a b.c d,\\u00e9.\xc3\xa9,_tenant.x-y\""),
    WITH("\"mergePolicy\":{}"), WITH("\"mergePolicy\":{\"id\":\"" POLICY "\"}"), WITH("\"mergePolicy\":{\"version\":1}"),
    WITH("\"mergePolicy\":{\"version\":1.0}"), WITH("\"mergePolicy\":{\"id\":\"" POLICY "\",\"version\":1e0,\"x\":2}"),
    WITH("\"filter\":{}"), WITH("\"filter\":{\"emptyProfiles\":false}"), WITH("\"filter\":{\"emptyProfiles\":true}"),
    WITH("\"filter\":{\"other\":null}"),
    WITH("\"additionalFields\":{}"), WITH("\"additionalFields\":{\"other\":{\"eventList\":1}}"), EVENTS(""),
    EVENTS("\"fields\":\"\""), EVENTS("\"fields\":\"a.b, c\""), EVENTS("\"other\":1"), EVENT_FILTER(""),
    EVENT_FILTER("\"fromIngestTimestamp\":\"2018-10-25T13:22:04-07:00\""),
    EVENT_FILTER("\"toIngestTimestamp\":\"2018-10-25T13:22:04.5Z\",\"fromIngestTimestamp\":\"2018-10-25T13:22:04Z\""),
    EVENT_FILTER("\"other\":7"),
    /* tolerated, whatever it is */
    WITH("\"evaluationInfo\":{\"segmentation\":true}"), WITH("\"evaluationInfo\":null"), WITH("\"properties\":7"),
    WITH("\"Fields\":1,\"FILTER\":2,\"segments\":[1]"), WITH("\"\":null"),
};

static void accepts_every_member(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++) {
        if (parse(GOOD[i]) != FAULT_NONE)
            fail_msg("refused at '%s' (%s): %s", refusal.pointer, refusal.detail, GOOD[i]);
        assert_string_equal(request.dataset, ID);
        assert_string_equal(request.policy, POLICY);
        assert_int_equal(request.policy_version, 1);
    }
}

static const struct {
    const char *body;
    const char *pointer;
    const char *detail; /* part of it */
} BAD[] = {
    /* the body */
    {"", "", "at byte 0"}, {" ", "", "at byte"}, {"x", "", "at byte 0"}, {"[]", "", "object"}, {"null", "", "object"},
    {"1", "", "object"}, {"\"x\"", "", "object"}, {"true", "", "object"}, {"[{" DEST "," SCHEMA "}]", "", "object"},
    {"{" DEST "," SCHEMA, "", "at byte"}, {"{" DEST "," SCHEMA ",}", "", "at byte"}, {"{" DEST "," SCHEMA "}x", "", "at byte"},
    {"\xef\xbb\xbf{" DEST "," SCHEMA "}", "", "at byte 0"}, {WITH("\"x\":NaN"), "", "at byte 5"}, {WITH("\"x\":01"), "", "at byte"},
    {WITH("\"x\":9007199254740992"), "", "at byte 5"}, {WITH("\"x\":\"\\u0000\""), "", "at byte"}, {WITH("'x':1"), "", "at byte 1"},
    {WITH("\"x\":\"\\ud800\""), "", "at byte"}, {WITH("\"x\":\"\xff\""), "", "at byte 6"}, {WITH("\"x\":1/**/"), "", "at byte 6"},
    {WITH("\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), "", "at byte"},
    /* members twice, anywhere */
    {WITH("\"fields\":\"a\",\"fields\":\"a\""), "", "at byte 14"}, {WITH(DEST), "", "at byte"}, {WITH("\"x\":1,\"x\":2"), "", "at byte"},
    {WITH("\"fields\":\"a\",\"f\\u0069elds\":\"b\""), "", "at byte"}, {EVENTS("\"fields\":\"a\",\"fields\":\"b\""), "", "at byte"},
    {TO("{\"datasetId\":\"" ID "\",\"datasetId\":\"" ID "\"}"), "", "at byte"},
    /* destination */
    {"{" SCHEMA "}", "/destination", "required"}, {TO("null"), "/destination", "object"}, {TO("\"" ID "\""), "/destination", "object"},
    {TO("[]"), "/destination", "object"}, {TO("{}"), "/destination/datasetId", "required"},
    {TO("{\"datasetid\":\"" ID "\"}"), "/destination/datasetId", "required"},
    {TO("{\"datasetId\":null}"), "/destination/datasetId", "string"}, {TO("{\"datasetId\":1}"), "/destination/datasetId", "string"},
    {TO("{\"datasetId\":[\"" ID "\"]}"), "/destination/datasetId", "string"},
    {TO("{\"dataSetId\":null}"), "/destination/dataSetId", "string"}, {TO("{\"dataSetId\":{}}"), "/destination/dataSetId", "string"},
    {TO("{\"datasetId\":\"" ID "\",\"dataSetId\":null}"), "/destination/dataSetId", "string"},
    {TO("{\"datasetId\":\"" ID "\",\"dataSetId\":\"6b020a27e7040801dedba61b\"}"), "/destination/dataSetId", "differs"},
    {TO("{\"datasetId\":\"\"}"), "/destination/datasetId", "id of a dataset"},
    {TO("{\"datasetId\":\"" ID "0\"}"), "/destination/datasetId", "id of a dataset"},
    {TO("{\"datasetId\":\"5B020A27E7040801DEDBA61B\"}"), "/destination/datasetId", "id of a dataset"},
    {TO("{\"datasetId\":\"../../etc/passwd\"}"), "/destination/datasetId", "id of a dataset"},
    {TO("{\"dataSetId\":\"" ID " \"}"), "/destination/dataSetId", "id of a dataset"},
    {TO("{\"datasetId\":\"" ID "\",\"segmentPerBatch\":true}"), "/destination/segmentPerBatch", "filter.segments"},
    {TO("{\"datasetId\":\"" ID "\",\"segmentPerBatch\":null}"), "/destination/segmentPerBatch", "boolean"},
    {TO("{\"datasetId\":\"" ID "\",\"segmentPerBatch\":\"false\"}"), "/destination/segmentPerBatch", "boolean"},
    {TO("{\"datasetId\":\"" ID "\",\"segmentPerBatch\":0}"), "/destination/segmentPerBatch", "boolean"},
    /* schema */
    {"{" DEST "}", "/schema", "required"}, {"{" DEST ",\"schema\":null}", "/schema", "object"},
    {"{" DEST ",\"schema\":\"_xdm.context.profile\"}", "/schema", "object"}, {"{" DEST ",\"schema\":{}}", "/schema/name", "required"},
    {"{" DEST ",\"schema\":{\"name\":null}}", "/schema/name", "string"}, {"{" DEST ",\"schema\":{\"name\":1}}", "/schema/name", "string"},
    {"{" DEST ",\"schema\":{\"name\":\"\"}}", "/schema/name", "_xdm.context.profile"},
    {"{" DEST ",\"schema\":{\"name\":\"_xdm.context.experienceevent\"}}", "/schema/name", "_xdm.context.profile"},
    {"{" DEST ",\"schema\":{\"name\":\"_XDM.context.profile\"}}", "/schema/name", "_xdm.context.profile"},
    {"{" DEST ",\"schema\":{\"name\":\"_xdm.context.profile \"}}", "/schema/name", "_xdm.context.profile"},
    /* fields */
    {WITH("\"fields\":null"), "/fields", "string"}, {WITH("\"fields\":[\"a\"]"), "/fields", "string"},
    {WITH("\"fields\":1"), "/fields", "string"}, {WITH("\"fields\":{}"), "/fields", "string"}, {WITH("\"fields\":\",\""), "/fields", "paths"},
    {WITH("\"fields\":\"a,\""), "/fields", "paths"}, {WITH("\"fields\":\",a\""), "/fields", "paths"}, {WITH("\"fields\":\"a,,b\""), "/fields", "paths"},
    {WITH("\"fields\":\"a, ,b\""), "/fields", "paths"}, {WITH("\"fields\":\".\""), "/fields", "paths"}, {WITH("\"fields\":\"a.\""), "/fields", "paths"},
    {WITH("\"fields\":\".a\""), "/fields", "paths"}, {WITH("\"fields\":\"a..b\""), "/fields", "paths"}, {WITH("\"fields\":\"a,b.\""), "/fields", "paths"},
    {WITH("\"fields\":\"a\\nb\""), "/fields", "paths"}, {WITH("\"fields\":\"a,\\nb\""), "/fields", "paths"}, {WITH("\"fields\":\"\\n\""), "/fields", "paths"},
    {WITH("\"fields\":\"a\\u007f\""), "/fields", "paths"}, {WITH("\"fields\":\"a\\u001fb\""), "/fields", "paths"},
    /* mergePolicy */
    {WITH("\"mergePolicy\":null"), "/mergePolicy", "object"}, {WITH("\"mergePolicy\":\"" POLICY "\""), "/mergePolicy", "object"},
    {WITH("\"mergePolicy\":[]"), "/mergePolicy", "object"}, {WITH("\"mergePolicy\":{\"id\":null}"), "/mergePolicy/id", "string"},
    {WITH("\"mergePolicy\":{\"id\":1}"), "/mergePolicy/id", "string"}, {WITH("\"mergePolicy\":{\"id\":\"\"}"), "/mergePolicy/id", "no merge policy"},
    {WITH("\"mergePolicy\":{\"id\":\"e5bc94de-cd14-4cdf-a2bc-88b6e8cbfac2\"}"), "/mergePolicy/id", "no merge policy"},
    {WITH("\"mergePolicy\":{\"id\":\"timestampordered-none-mp\"}"), "/mergePolicy/id", "no merge policy"},
    {WITH("\"mergePolicy\":{\"version\":2}"), "/mergePolicy/version", "no version"}, {WITH("\"mergePolicy\":{\"version\":0}"), "/mergePolicy/version", "no version"},
    {WITH("\"mergePolicy\":{\"version\":-1}"), "/mergePolicy/version", "no version"}, {WITH("\"mergePolicy\":{\"version\":1.5}"), "/mergePolicy/version", "no version"},
    {WITH("\"mergePolicy\":{\"version\":\"1\"}"), "/mergePolicy/version", "number"}, {WITH("\"mergePolicy\":{\"version\":null}"), "/mergePolicy/version", "number"},
    {WITH("\"mergePolicy\":{\"version\":true}"), "/mergePolicy/version", "number"}, {WITH("\"mergePolicy\":{\"version\":[1]}"), "/mergePolicy/version", "number"},
    /* filter */
    {WITH("\"filter\":null"), "/filter", "object"}, {WITH("\"filter\":[]"), "/filter", "object"}, {WITH("\"filter\":\"\""), "/filter", "object"},
    {WITH("\"filter\":{\"emptyProfiles\":null}"), "/filter/emptyProfiles", "boolean"}, {WITH("\"filter\":{\"emptyProfiles\":1}"), "/filter/emptyProfiles", "boolean"},
    {WITH("\"filter\":{\"emptyProfiles\":\"true\"}"), "/filter/emptyProfiles", "boolean"}, {WITH("\"filter\":{\"segments\":null}"), "/filter/segments", "array"},
    {WITH("\"filter\":{\"segments\":{}}"), "/filter/segments", "array"}, {WITH("\"filter\":{\"segmentQualificationTime\":[]}"), "/filter/segmentQualificationTime", "object"},
    {WITH("\"filter\":{\"segmentQualificationTime\":null}"), "/filter/segmentQualificationTime", "object"},
    {WITH("\"filter\":{\"fromIngestTimestamp\":1}"), "/filter/fromIngestTimestamp", "string"}, {WITH("\"filter\":{\"fromIngestTimestamp\":null}"), "/filter/fromIngestTimestamp", "string"},
    {WITH("\"filter\":{\"fromIngestTimestamp\":\"yesterday\"}"), "/filter/fromIngestTimestamp", "RFC 3339"},
    /* additionalFields */
    {WITH("\"additionalFields\":null"), "/additionalFields", "object"}, {WITH("\"additionalFields\":\"eventList\""), "/additionalFields", "object"},
    {WITH("\"additionalFields\":[]"), "/additionalFields", "object"}, {WITH("\"additionalFields\":{\"eventList\":null}"), LIST, "object"},
    {WITH("\"additionalFields\":{\"eventList\":[]}"), LIST, "object"}, {WITH("\"additionalFields\":{\"eventList\":true}"), LIST, "object"},
    {EVENTS("\"fields\":null"), LIST "/fields", "string"}, {EVENTS("\"fields\":[]"), LIST "/fields", "string"}, {EVENTS("\"fields\":\"a..b\""), LIST "/fields", "paths"},
    {EVENTS("\"filter\":null"), LIST "/filter", "object"}, {EVENTS("\"filter\":\"\""), LIST "/filter", "object"},
    {EVENT_FILTER("\"fromIngestTimestamp\":null"), LIST "/filter/fromIngestTimestamp", "string"},
    {EVENT_FILTER("\"fromIngestTimestamp\":1540498924000"), LIST "/filter/fromIngestTimestamp", "string"},
    {EVENT_FILTER("\"fromIngestTimestamp\":\"\""), LIST "/filter/fromIngestTimestamp", "RFC 3339"},
    {EVENT_FILTER("\"fromIngestTimestamp\":\"2018-10-25\""), LIST "/filter/fromIngestTimestamp", "RFC 3339"},
    {EVENT_FILTER("\"fromIngestTimestamp\":\"2018-10-25T13:22:04\""), LIST "/filter/fromIngestTimestamp", "RFC 3339"},
    {EVENT_FILTER("\"toIngestTimestamp\":{}"), LIST "/filter/toIngestTimestamp", "string"},
    {EVENT_FILTER("\"toIngestTimestamp\":\"2018-02-29T00:00:00Z\""), LIST "/filter/toIngestTimestamp", "RFC 3339"},
};

static void refuses_with_the_pointer(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        enum fault fault = parse(BAD[i].body);
        if (fault != FAULT_MALFORMED || refusal.pointer == NULL || strcmp(refusal.pointer, BAD[i].pointer) != 0 ||
            strstr(refusal.detail, BAD[i].detail) == NULL)
            fail_msg("fault %d at '%s' (%s): %s", fault, refusal.pointer, refusal.detail, BAD[i].body);
    }
}

/* Refused until it works, never accepted and ignored. */
static void refuses_what_a_later_version_does(void **state)
{
    static const struct {
        const char *body, *pointer;
    } row[] = {
        {WITH("\"filter\":{\"segments\":[]}"), "/filter/segments"},
        {WITH("\"filter\":{\"segments\":[{\"segmentId\":\"7a93d2ff-a220-4bae-9a4e-5f3c35032be3\"}]}"), "/filter/segments"},
        {WITH("\"filter\":{\"emptyProfiles\":true,\"segments\":[7]}"), "/filter/segments"},
        {WITH("\"filter\":{\"segmentQualificationTime\":{}}"), "/filter/segmentQualificationTime"},
        {WITH("\"filter\":{\"segmentQualificationTime\":{\"startTime\":\"2018-10-25T13:22:04Z\"}}"), "/filter/segmentQualificationTime"},
        {WITH("\"filter\":{\"fromIngestTimestamp\":\"2018-10-25T13:22:04-07:00\"}"), "/filter/fromIngestTimestamp"},
        {"{\"filter\":{\"segments\":[{}]},\"destination\":{\"datasetId\":\"" ID "\",\"segmentPerBatch\":true}," SCHEMA "}", "/filter/segments"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        assert_int_equal(parse(row[i].body), FAULT_NOT_SUPPORTED);
        assert_string_equal(refusal.pointer, row[i].pointer);
        assert_non_null(strstr(refusal.detail, "not offered by this version"));
    }
}

/* The reference document's request, and the copy of it that lacks a comma after additionalFields. */
#define REFERENCE(policy, comma)                                                                                       \
    "{\n    \"fields\": \"identities.id,personalEmail.address\",\n    \"mergePolicy\": {\n      \"id\": \"" policy     \
    "\",\n      \"version\": 1\n    },\n    \"additionalFields\": {\n      \"eventList\": {\n        \"fields\": "      \
    "\"environment.browserDetails.name,environment.browserDetails.version\",\n        \"filter\": {\n          "        \
    "\"fromIngestTimestamp\": \"2018-10-25T13:22:04-07:00\"\n        }\n      }\n    }" comma "\n    "                   \
    "\"destination\": {\n      \"datasetId\": \"" ID "\",\n      \"segmentPerBatch\": false\n    },\n    \"schema\": {\n" \
    "      \"name\": \"_xdm.context.profile\"\n    }\n  }"

static void reference_request_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(parse(REFERENCE(POLICY, ",")), FAULT_NONE);
    assert_string_equal(request.dataset, ID);
    assert_string_equal(request.fields, "identities.id,personalEmail.address");
    assert_null(request.filter);
    assert_int_equal(spec_read_orders(arena, request.fields, request.filter, request.additional, &orders), FAULT_NONE);
    assert_string_equal(orders.fields, "identities.id,personalEmail.address");
    assert_string_equal(orders.event_fields, "environment.browserDetails.name,environment.browserDetails.version");
    assert_true(orders.events && !orders.empty_profiles);
    assert_true(orders.events_after_ms == INT64_C(1540498924000) && orders.events_before_ms == INT64_MAX);
    /* its own policy id is no policy here */
    assert_int_equal(parse(REFERENCE("e5bc94de-cd14-4cdf-a2bc-88b6e8cbfac2", ",")), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/mergePolicy/id");
}

static void reference_request_without_its_comma_is_refused(void **state)
{
    static const char BODY[] = REFERENCE(POLICY, "");
    char wanted[64];
    (void)state;
    assert_int_equal(parse(BODY), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "");
    snprintf(wanted, sizeof wanted, " at byte %d", (int)(strstr(BODY, "\"destination\"") - BODY));
    const char *at = strstr(refusal.detail, " at byte ");
    assert_non_null(at);
    assert_string_equal(at, wanted);
}

static void keeps_members_as_given(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"fields\":\" a ,b\",\"filter\":{\"z\":1.50,\"a\":[null,\"\\u00e9/\"]},\"additionalFields\":"
                           "{\"eventList\":{}}," DEST "," SCHEMA "}"),
                     FAULT_NONE);
    assert_string_equal(request.fields, " a ,b");
    assert_string_equal(request.filter, "{\"z\":1.50,\"a\":[null,\"\xc3\xa9/\"]}");
    assert_string_equal(request.additional, "{\"eventList\":{}}");
    assert_int_equal(parse("{" DEST "," SCHEMA "}"), FAULT_NONE);
    assert_null(request.fields);
    assert_null(request.filter);
    assert_null(request.additional);
}

/* A body with one kept member of `size` bytes and the rest small. */
static enum fault parse_sized(const char *before, size_t size, const char *after)
{
    char *filler = malloc(size + 1), *body = malloc(size + 1000);
    memset(filler, 'a', size);
    filler[size] = '\0';
    sprintf(body, "{%s%s%s," DEST "," SCHEMA "}", before, filler, after);
    enum fault fault = parse(body);
    free(filler);
    free(body);
    return fault;
}

static void kept_members_are_bounded_together(void **state)
{
    static const struct {
        const char *before, *after;
        size_t others; /* bytes kept besides the filler */
    } row[] = {
        {"\"fields\":\"", "\"", 0},
        {"\"filter\":{\"x\":\"", "\"}", 8},
        {"\"additionalFields\":{\"x\":\"", "\"}", 8},
        {"\"fields\":\"ab\",\"filter\":{},\"additionalFields\":{\"x\":\"", "\"}", 12},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        assert_int_equal(parse_sized(row[i].before, 65536 - row[i].others, row[i].after), FAULT_NONE);
        assert_int_equal(parse_sized(row[i].before, 65537 - row[i].others, row[i].after), FAULT_MALFORMED);
        assert_string_equal(refusal.pointer, "");
        assert_non_null(strstr(refusal.detail, "64 KiB"));
    }
    assert_int_equal(parse_sized("\"properties\":\"", 500000, "\""), FAULT_NONE); /* not kept */
    assert_int_equal(parse_sized("\"properties\":\"", 1024 * 1024, "\""), FAULT_MALFORMED);
}

static void without_memory_nothing_is_accepted(void **state)
{
    static const char BODY[] = "{\"fields\":\"a.b\"," DEST "," SCHEMA "}";
    (void)state;
    for (size_t size = 16; size <= 4096; size *= 16) {
        struct arena *small = arena_new(size);
        enum fault fault = spec_parse_request(small, BODY, sizeof BODY - 1, &request, &refusal);
        assert_int_equal(fault, size == 16 ? FAULT_MEMORY : FAULT_NONE);
        arena_free(small);
    }
}

static void orders_are_what_was_stored(void **state)
{
    static const struct {
        const char *fields, *filter, *additional;
        struct spec_orders orders;
    } row[] = {
        {NULL, NULL, NULL, {"", false, false, "", INT64_MIN, INT64_MAX}},
        {"", "{}", "{}", {"", false, false, "", INT64_MIN, INT64_MAX}},
        {" a , b", "{\"emptyProfiles\":true}", NULL, {" a , b", true, false, "", INT64_MIN, INT64_MAX}},
        {NULL, "{\"emptyProfiles\":false}", "{\"eventList\":{}}", {"", false, true, "", INT64_MIN, INT64_MAX}},
        {NULL, NULL, "{\"eventList\":{\"fields\":\"x.y\"}}", {"", false, true, "x.y", INT64_MIN, INT64_MAX}},
        {NULL, NULL, "{\"eventList\":{\"filter\":{\"fromIngestTimestamp\":\"1970-01-01T00:00:01.5Z\"}}}", {"", false, true, "", 1500, INT64_MAX}},
        {NULL, NULL, "{\"eventList\":{\"filter\":{\"toIngestTimestamp\":\"1970-01-01T00:00:02Z\"}}}", {"", false, true, "", INT64_MIN, 2000}},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        assert_int_equal(spec_read_orders(arena, row[i].fields, row[i].filter, row[i].additional, &orders), FAULT_NONE);
        assert_string_equal(orders.fields, row[i].orders.fields);
        assert_string_equal(orders.event_fields, row[i].orders.event_fields);
        assert_int_equal(orders.empty_profiles, row[i].orders.empty_profiles);
        assert_int_equal(orders.events, row[i].orders.events);
        assert_true(orders.events_after_ms == row[i].orders.events_after_ms);
        assert_true(orders.events_before_ms == row[i].orders.events_before_ms);
    }
}

/* What no request can have stored is a bug of ours, not an export of something else. */
static void orders_that_nobody_accepted_are_refused(void **state)
{
    static const struct {
        const char *fields, *filter, *additional;
    } row[] = {
        {"a..b", NULL, NULL}, {",", NULL, NULL}, {"a\nb", NULL, NULL}, {NULL, "", NULL}, {NULL, "{", NULL}, {NULL, "[]", NULL},
        {NULL, "null", NULL}, {NULL, "1", NULL}, {NULL, "{\"emptyProfiles\":1}", NULL}, {NULL, "{\"segments\":[]}", NULL},
        {NULL, "{\"fromIngestTimestamp\":\"2018-10-25T13:22:04Z\"}", NULL}, {NULL, "{\"a\":1,\"a\":2}", NULL}, {NULL, NULL, ""},
        {NULL, NULL, "[]"}, {NULL, NULL, "null"}, {NULL, NULL, "\"x\""}, {NULL, NULL, "{\"eventList\":[]}"},
        {NULL, NULL, "{\"eventList\":{\"fields\":\"a.\"}}"}, {NULL, NULL, "{\"eventList\":{\"filter\":{\"toIngestTimestamp\":\"x\"}}}"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        if (spec_read_orders(arena, row[i].fields, row[i].filter, row[i].additional, &orders) != FAULT_INTERNAL)
            fail_msg("row %zu accepted", i);
    }
}

static bool projects(const char *text, size_t length)
{
    struct projection projection;
    struct projection_error error;
    bool good = projection_compile(&projection, text, length, &error) == FAULT_NONE;
    projection_free(&projection);
    return good;
}

/* A list that is accepted never fails in the spooler. The counts show that both answers come up. */
static void accepted_fields_are_projected(void **state)
{
    static const char ALPHABET[] = "aaabb..,, \t\n\x7f\x01";
    int accepted = 0, refused = 0;
    uint32_t seed = 12345;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[16];
        size_t length = 0;
        seed = seed * 1664525u + 1013904223u;
        size_t wanted = seed >> 16 & 15;
        for (; length < wanted && length < sizeof text - 1; length++) {
            seed = seed * 1664525u + 1013904223u;
            text[length] = ALPHABET[(seed >> 16) % (round % 2 ? sizeof ALPHABET - 1 : 11)];
        }
        text[length] = '\0';
        bool valid = spec_fields_valid(text, length);
        if (valid != projects(text, length))
            fail_msg("%s, but the projection thinks otherwise: '%s'", valid ? "accepted" : "refused", text);
        accepted += valid;
        refused += !valid;
    }
    assert_true(accepted > 1000 && refused > 1000);
}

static void fields_are_bounded(void **state)
{
    static char text[65536 * 2];
    (void)state;
    for (int paths = 999; paths <= 1001; paths++) {
        memset(text, 0, sizeof text);
        for (int i = 0; i < paths; i++)
            strcat(text, i == 0 ? "a" : ",a");
        assert_int_equal(spec_fields_valid(text, strlen(text)), paths <= 1000);
        assert_int_equal(projects(text, strlen(text)), paths <= 1000);
    }
    for (int segments = 63; segments <= 65; segments++) {
        memset(text, 0, sizeof text);
        for (int i = 0; i < segments; i++)
            strcat(text, i == 0 ? "a" : ".a");
        assert_int_equal(spec_fields_valid(text, strlen(text)), segments <= 64);
    }
    memset(text, 'a', sizeof text);
    text[65536] = '\0';
    assert_true(spec_fields_valid(text, 65536) && projects(text, 65536));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_member),              cmocka_unit_test(refuses_with_the_pointer),
        cmocka_unit_test(refuses_what_a_later_version_does), cmocka_unit_test(reference_request_is_accepted),
        cmocka_unit_test(reference_request_without_its_comma_is_refused), cmocka_unit_test(keeps_members_as_given),
        cmocka_unit_test(kept_members_are_bounded_together), cmocka_unit_test(without_memory_nothing_is_accepted),
        cmocka_unit_test(orders_are_what_was_stored),        cmocka_unit_test(orders_that_nobody_accepted_are_refused),
        cmocka_unit_test(accepted_fields_are_projected),     cmocka_unit_test(fields_are_bounded),
    };
    return cmocka_run_group_tests_name("spec", tests, set_up, tear_down);
}
