/*
 * test_spec_orders: what an accepted export request asks for: its segments, and the orders that the spooler
 * makes of the stored members (contract.md section 5).
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
#include "profile/projection.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define REQUEST(per_batch, list)                                                                                       \
    "{\"destination\":{\"datasetId\":\"5b020a27e7040801dedba61b\",\"segmentPerBatch\":" per_batch                       \
    "},\"schema\":{\"name\":\"_xdm.context.profile\"},\"filter\":{\"segments\":[" list "]}}"

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

static void segments_are_taken_in_their_order(void **state)
{
    static const char BODY[] =
        REQUEST("true", "{\"segmentId\":\"b\"},{\"segmentNs\":\"own\",\"segmentId\":\"a\",\"status\":[\"exited\"]},"
                    "{\"segmentId\":\"a\",\"status\":[\"existing\",\"existing\"]},{\"segmentId\":\"c\",\"status\":[]}");
    static const struct spec_segment WANTED[] = {{"ups", "b", SPEC_REALIZED | SPEC_EXISTING}, {"own", "a", SPEC_EXITED},
                                                 {"ups", "a", SPEC_EXISTING}, {"ups", "c", SPEC_REALIZED | SPEC_EXISTING}};
    (void)state;
    assert_int_equal(parse(BODY), FAULT_NONE);
    assert_true(request.segment_per_batch);
    assert_int_equal(spec_read_orders(arena, NULL, request.filter, NULL, &orders), FAULT_NONE);
    assert_true(orders.qualified);
    assert_int_equal(request.segments, N(WANTED));
    assert_int_equal(orders.segments, N(WANTED));
    for (size_t i = 0; i < N(WANTED); i++) {
        const struct spec_segment *both[] = {&request.segment[i], &orders.segment[i]};
        for (size_t k = 0; k < 2; k++) {
            assert_string_equal(both[k]->ns, WANTED[i].ns);
            assert_string_equal(both[k]->id, WANTED[i].id);
            assert_int_equal(both[k]->statuses, WANTED[i].statuses);
        }
    }
    assert_int_equal(parse(REQUEST("false", "")), FAULT_NONE);
    assert_false(request.segment_per_batch);
    assert_int_equal(request.segments, 0);
}

/* A request with `count` segments whose ids have `length` bytes. */
static enum fault parse_segments(size_t count, int length, const char *per_batch)
{
    char *body = malloc(count * ((size_t)length + 20) + 300), *at = body;
    at += sprintf(at, REQUEST("%s", ""), per_batch) - 3;
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s{\"segmentId\":\"%0*zu\"}", i == 0 ? "" : ",", length, i);
    strcpy(at, "]}}");
    enum fault fault = parse(body);
    free(body);
    return fault;
}

static void segments_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(parse_segments(1000, 4, "false"), FAULT_NONE);
    assert_int_equal(request.segments, 1000);
    assert_int_equal(parse_segments(1001, 4, "false"), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/filter/segments");
    assert_int_equal(parse_segments(50, 255, "true"), FAULT_NONE);
    assert_int_equal(request.segments, 50);
    assert_int_equal(parse_segments(51, 4, "true"), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/filter/segments");
    assert_int_equal(parse_segments(2, 256, "false"), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/filter/segments/0/segmentId");
}

static void orders_are_what_was_stored(void **state)
{
    static const struct {
        const char *fields, *filter, *additional;
        const char *told_fields;
        bool empty_profiles, events;
        const char *event_fields;
        int64_t events_after_ms, events_before_ms;
    } row[] = {
        {NULL, NULL, NULL, "", false, false, "", INT64_MIN, INT64_MAX},
        {"", "{}", "{}", "", false, false, "", INT64_MIN, INT64_MAX},
        {" a , b", "{\"emptyProfiles\":true}", NULL, " a , b", true, false, "", INT64_MIN, INT64_MAX},
        {NULL, "{\"emptyProfiles\":false}", "{\"eventList\":{}}", "", false, true, "", INT64_MIN, INT64_MAX},
        {NULL, NULL, "{\"eventList\":{\"fields\":\"x.y\"}}", "", false, true, "x.y", INT64_MIN, INT64_MAX},
        {NULL, NULL, "{\"eventList\":{\"filter\":{\"fromIngestTimestamp\":\"1970-01-01T00:00:01.5Z\"}}}", "", false, true, "", 1500, INT64_MAX},
        {NULL, NULL, "{\"eventList\":{\"filter\":{\"toIngestTimestamp\":\"1970-01-01T00:00:02Z\"}}}", "", false, true, "", INT64_MIN, 2000},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        assert_int_equal(spec_read_orders(arena, row[i].fields, row[i].filter, row[i].additional, &orders), FAULT_NONE);
        assert_string_equal(orders.fields, row[i].told_fields);
        assert_string_equal(orders.event_fields, row[i].event_fields);
        assert_int_equal(orders.empty_profiles, row[i].empty_profiles);
        assert_int_equal(orders.events, row[i].events);
        assert_true(orders.events_after_ms == row[i].events_after_ms);
        assert_true(orders.events_before_ms == row[i].events_before_ms);
    }
}

/* Which profiles, and with filter.fromIngestTimestamp which events too. */
static void selection_is_what_was_stored(void **state)
{
#define T(name, second) "\"" name "\":\"1970-01-01T00:00:0" #second "Z\""
    static const char *const EVENTS_AFTER_5 = "{\"eventList\":{\"filter\":{" T("fromIngestTimestamp", 5) "}}}";
    static const struct {
        const char *filter, *additional;
        int64_t updated_after_ms, events_after_ms;
        bool qualified;
        int64_t from_ms, to_ms;
        uint32_t segments;
    } row[] = {
        {NULL, NULL, INT64_MIN, INT64_MIN, false, INT64_MIN, INT64_MAX, 0},
        {"{\"segments\":[],\"segmentQualificationTime\":{}}", NULL, INT64_MIN, INT64_MIN, false, INT64_MIN, INT64_MAX, 0},
        {"{" T("fromIngestTimestamp", 2) "}", NULL, 2000, 2000, false, INT64_MIN, INT64_MAX, 0},
        {"{" T("fromIngestTimestamp", 2) "}", EVENTS_AFTER_5, 2000, 5000, false, INT64_MIN, INT64_MAX, 0},
        {"{" T("fromIngestTimestamp", 7) "}", EVENTS_AFTER_5, 7000, 7000, false, INT64_MIN, INT64_MAX, 0},
        {"{}", EVENTS_AFTER_5, INT64_MIN, 5000, false, INT64_MIN, INT64_MAX, 0},
        {"{\"segments\":[{\"segmentId\":\"a\"},{\"segmentId\":\"b\"}]}", NULL, INT64_MIN, INT64_MIN, true, INT64_MIN, INT64_MAX, 2},
        {"{\"segmentQualificationTime\":{" T("startTime", 3) "}}", NULL, INT64_MIN, INT64_MIN, true, 3000, INT64_MAX, 0},
        {"{\"segmentQualificationTime\":{" T("endTime", 3) "}}", NULL, INT64_MIN, INT64_MIN, true, INT64_MIN, 3000, 0},
        {"{\"segmentQualificationTime\":{" T("endTime", 3) "," T("startTime", 3) "}}", NULL, INT64_MIN, INT64_MIN, true, 3000, 3000, 0},
    };
#undef T
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        arena_reset(arena);
        assert_int_equal(spec_read_orders(arena, NULL, row[i].filter, row[i].additional, &orders), FAULT_NONE);
        assert_true(orders.updated_after_ms == row[i].updated_after_ms);
        assert_true(orders.events_after_ms == row[i].events_after_ms);
        assert_int_equal(orders.qualified, row[i].qualified);
        assert_true(orders.qualified_from_ms == row[i].from_ms && orders.qualified_to_ms == row[i].to_ms);
        assert_int_equal(orders.segments, row[i].segments);
    }
}

/* What no request can have stored is a bug of ours, not an export of something else. */
static void orders_that_nobody_accepted_are_refused(void **state)
{
    static const struct {
        const char *fields, *filter, *additional;
    } row[] = {
        {"a..b", NULL, NULL}, {",", NULL, NULL}, {"a\nb", NULL, NULL}, {NULL, "", NULL}, {NULL, "{", NULL}, {NULL, "[]", NULL},
        {NULL, "null", NULL}, {NULL, "1", NULL}, {NULL, "{\"emptyProfiles\":1}", NULL}, {NULL, "{\"segments\":{}}", NULL}, {NULL, "{\"segments\":[{}]}", NULL},
        {NULL, "{\"fromIngestTimestamp\":\"2018-10-25\"}", NULL}, {NULL, "{\"segmentQualificationTime\":{\"endTime\":1}}", NULL},
        {NULL, "{\"a\":1,\"a\":2}", NULL}, {NULL, NULL, ""},
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
        cmocka_unit_test(segments_are_taken_in_their_order),
        cmocka_unit_test(segments_are_bounded),
        cmocka_unit_test(orders_are_what_was_stored),
        cmocka_unit_test(selection_is_what_was_stored),
        cmocka_unit_test(orders_that_nobody_accepted_are_refused),
        cmocka_unit_test(accepted_fields_are_projected),
        cmocka_unit_test(fields_are_bounded),
    };
    return cmocka_run_group_tests_name("spec_orders", tests, set_up, tear_down);
}
