/*
 * test_spec: every member of an export request (contract.md section 5) with right and wrong values,
 * and the pointer to the one at fault. What the accepted ones ask for is in test_spec_orders.c.
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
#define FILTER(members) WITH("\"filter\":{" members "}")
#define SEGMENT(id) "{\"segmentId\":\"" id "\"}"
#define SEGMENTS(list) FILTER("\"segments\":[" list "]")
#define TIMES(members) FILTER("\"segmentQualificationTime\":{" members "}")
#define PER_SEGMENT(list)                                                                                              \
    "{\"filter\":{\"segments\":[" list "]},\"destination\":{\"datasetId\":\"" ID "\",\"segmentPerBatch\":true}," SCHEMA "}"
#define QUALIFIED "/filter/segmentQualificationTime"

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
    SEGMENTS(""), SEGMENTS(SEGMENT("a")), SEGMENTS(SEGMENT("a") "," SEGMENT("b") "," SEGMENT("A")), PER_SEGMENT(SEGMENT("a")),
    SEGMENTS("{\"segmentId\":\"\\u00e9 /\",\"segmentNs\":\"own\",\"status\":[],\"other\":1}"),
    SEGMENTS(SEGMENT("a") ",{\"segmentId\":\"a\",\"segmentNs\":\"own\"}"),
    SEGMENTS("{\"segmentId\":\"a\",\"status\":[\"exited\",\"realized\",\"existing\",\"realized\"]}"),
    TIMES(""), TIMES("\"startTime\":\"2018-10-25T13:22:04-07:00\""), TIMES("\"endTime\":\"2018-10-25T13:22:04Z\",\"other\":[]"),
    TIMES("\"startTime\":\"2018-10-25T13:22:04Z\",\"endTime\":\"2018-10-25T15:22:04+02:00\""),
    FILTER("\"fromIngestTimestamp\":\"2018-10-25T13:22:04-07:00\""),
    WITH("\"mergePolicy\":{\"id\":\"e5bc94de-cd14-4cdf-a2bc-88b6e8cbfac2\",\"version\":2147483647}"), WITH("\"mergePolicy\":{\"id\":\"x\"}"),
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
    }
}

/* Which policies there are is the database's to say. */
static void policy_is_taken_as_given(void **state)
{
    static const struct {
        const char *body, *policy;
        int version;
    } row[] = {
        {WITH("\"fields\":\"\""), NULL, 0},
        {WITH("\"mergePolicy\":{}"), NULL, 0},
        {WITH("\"mergePolicy\":{\"version\":1}"), NULL, 1},
        {WITH("\"mergePolicy\":{\"id\":\"" POLICY "\"}"), POLICY, 0},
        {WITH("\"mergePolicy\":{\"id\":\"any \\u00e9\",\"version\":7}"), "any \xc3\xa9", 7},
        {WITH("\"mergePolicy\":{\"id\":\"x\",\"version\":1.0}"), "x", 1},
        {WITH("\"mergePolicy\":{\"id\":\"x\",\"version\":2147483647.0}"), "x", INT32_MAX},
        {WITH("\"mergePolicy\":{\"id\":\"x\",\"version\":12e0}"), "x", 12},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        assert_int_equal(parse(row[i].body), FAULT_NONE);
        assert_int_equal(request.policy == NULL, row[i].policy == NULL);
        if (row[i].policy != NULL)
            assert_string_equal(request.policy, row[i].policy);
        assert_int_equal(request.policy_version, row[i].version);
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
    {WITH("\"mergePolicy\":{\"id\":1}"), "/mergePolicy/id", "string"}, {WITH("\"mergePolicy\":{\"id\":\"\"}"), "/mergePolicy/id", "1 to 255"},
    {WITH("\"mergePolicy\":{\"id\":\"a\\nb\"}"), "/mergePolicy/id", "control"}, {WITH("\"mergePolicy\":{\"id\":\"\\u007f\"}"), "/mergePolicy/id", "control"},
    {WITH("\"mergePolicy\":{\"version\":0}"), "/mergePolicy/version", "whole number"}, {WITH("\"mergePolicy\":{\"version\":-1}"), "/mergePolicy/version", "whole number"},
    {WITH("\"mergePolicy\":{\"version\":1.5}"), "/mergePolicy/version", "whole number"}, {WITH("\"mergePolicy\":{\"version\":0.0}"), "/mergePolicy/version", "whole number"},
    {WITH("\"mergePolicy\":{\"version\":2147483648}"), "/mergePolicy/version", "whole number"}, {WITH("\"mergePolicy\":{\"version\":1e300}"), "/mergePolicy/version", "whole number"},
    {WITH("\"mergePolicy\":{\"version\":4294967297}"), "/mergePolicy/version", "whole number"},
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
    {SEGMENTS("1"), "/filter/segments/0", "object"}, {SEGMENTS("null"), "/filter/segments/0", "object"}, {SEGMENTS("\"a\""), "/filter/segments/0", "object"},
    {SEGMENTS(SEGMENT("a") ",[]"), "/filter/segments/1", "object"}, {SEGMENTS("{}"), "/filter/segments/0/segmentId", "required"},
    {SEGMENTS("{\"segmentid\":\"a\"}"), "/filter/segments/0/segmentId", "required"}, {SEGMENTS("{\"segmentId\":null}"), "/filter/segments/0/segmentId", "string"},
    {SEGMENTS("{\"segmentId\":7}"), "/filter/segments/0/segmentId", "string"}, {SEGMENTS("{\"segmentId\":\"\"}"), "/filter/segments/0/segmentId", "1 to 255"},
    {SEGMENTS(SEGMENT("a") "," SEGMENT("a\\tb")), "/filter/segments/1/segmentId", "control"},
    {SEGMENTS("{\"segmentId\":\"a\",\"segmentNs\":null}"), "/filter/segments/0/segmentNs", "string"},
    {SEGMENTS("{\"segmentId\":\"a\",\"segmentNs\":\"\"}"), "/filter/segments/0/segmentNs", "1 to 255"},
    {SEGMENTS("{\"segmentId\":\"a\",\"status\":\"realized\"}"), "/filter/segments/0/status", "array"},
    {SEGMENTS("{\"segmentId\":\"a\",\"status\":null}"), "/filter/segments/0/status", "array"}, {SEGMENTS("{\"segmentId\":\"a\",\"status\":{}}"), "/filter/segments/0/status", "array"},
    {SEGMENTS("{\"segmentId\":\"a\",\"status\":[\"realized\",\"Existing\"]}"), "/filter/segments/0/status/1", "realized, existing or exited"},
    {SEGMENTS("{\"segmentId\":\"a\",\"status\":[null]}"), "/filter/segments/0/status/0", "realized"}, {SEGMENTS("{\"segmentId\":\"a\",\"status\":[1]}"), "/filter/segments/0/status/0", "realized"},
    {SEGMENTS(SEGMENT("a") "," SEGMENT("a")), "/filter/segments/1", "once more"},
    {SEGMENTS(SEGMENT("a") "," SEGMENT("b") ",{\"segmentId\":\"\\u0061\",\"segmentNs\":\"ups\",\"status\":[\"exited\"]}"), "/filter/segments/2", "once more"},
    {PER_SEGMENT(""), "/destination/segmentPerBatch", "filter.segments"}, {PER_SEGMENT(SEGMENT("")), "/filter/segments/0/segmentId", "1 to 255"},
    {TIMES("\"startTime\":null"), QUALIFIED "/startTime", "string"}, {TIMES("\"startTime\":1540498924000"), QUALIFIED "/startTime", "string"},
    {TIMES("\"endTime\":\"2018-10-25\""), QUALIFIED "/endTime", "RFC 3339"}, {TIMES("\"startTime\":\"\""), QUALIFIED "/startTime", "RFC 3339"},
    {TIMES("\"startTime\":\"2018-10-25T13:22:04.001Z\",\"endTime\":\"2018-10-25T13:22:04Z\""), QUALIFIED, "after"},
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
    assert_string_equal(request.policy, POLICY);
    assert_int_equal(request.policy_version, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_member),
        cmocka_unit_test(refuses_with_the_pointer),
        cmocka_unit_test(policy_is_taken_as_given),
        cmocka_unit_test(reference_request_is_accepted),
        cmocka_unit_test(reference_request_without_its_comma_is_refused),
        cmocka_unit_test(keeps_members_as_given),
        cmocka_unit_test(kept_members_are_bounded_together),
        cmocka_unit_test(without_memory_nothing_is_accepted),
    };
    return cmocka_run_group_tests_name("spec", tests, set_up, tear_down);
}
