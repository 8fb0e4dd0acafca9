/*
 * record: which records the store takes, and what it takes them for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/record.h"

#define MOST_BYTES (64u * 1024u)

#define ONE "\"identityMap\":{\"Email\":[{\"id\":\"a@x\",\"primary\":true}]}"

static struct record record;

static int set_up(void **state)
{
    (void)state;
    record = RECORD_INIT(MOST_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    record_free(&record);
    return 0;
}

static bool reads(const char *text, bool event)
{
    record.event = event;
    return record_read(&record, text, strlen(text));
}

static void assert_bytes(const char *got, size_t length, const char *wanted)
{
    assert_int_equal(length, strlen(wanted));
    assert_memory_equal(got, wanted, length);
}

static void assert_identity(uint32_t i, const char *ns, const char *id)
{
    const struct record_identity *one = &record.identity[i];
    assert_bytes(one->ns, one->ns_length, ns);
    assert_bytes(one->id, one->id_length, id);
}

static void assert_primary(const char *ns, const char *id)
{
    assert_true(record.primary < record.identities);
    assert_identity(record.primary, ns, id);
}

/* `members` in an object are refused with this code. */
static void refuses(const char *text, bool event, const char *code)
{
    assert_false(reads(text, event));
    assert_string_equal(record.code, code);
    assert_true(record.reason[0] != '\0');
}

static void the_only_identity_is_the_primary_one(void **state)
{
    (void)state;
    assert_true(reads("{\"identityMap\":{\"Email\":[{\"id\":\"a@x\"}]}}", false));
    assert_primary("Email", "a@x");
    assert_true(reads("{\"identityMap\":{\"A\":[],\"B\":[{\"id\":\"b\",\"primary\":false}],\"C\":[]}}", false));
    assert_primary("B", "b");
}

static void the_marked_identity_is_the_primary_one_wherever_it_stands(void **state)
{
    (void)state;
    static const char *TEXTS[] = {
        "{\"identityMap\":{\"N\":[{\"id\":\"p\",\"primary\":true},{\"id\":\"x\"}],\"M\":[{\"id\":\"y\"}]}}",
        "{\"identityMap\":{\"M\":[{\"id\":\"x\"}],\"N\":[{\"id\":\"y\"},{\"primary\":true,\"id\":\"p\"}]}}",
        "{\"identityMap\":{\"M\":[{\"id\":\"x\"}],\"N\":[{\"id\":\"p\",\"primary\":true}],\"O\":[{\"id\":\"z\"}]}}",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        assert_true(reads(TEXTS[i], false));
        assert_primary("N", "p");
    }
}

static void identities_are_unescaped(void **state)
{
    (void)state;
    assert_true(
        reads("{\"identity\\u004dap\":{\"E\\u006dail\":[{\"\\u0069d\":\"\\u00e9\\n\\ud83d\\ude00\"}]}}", false));
    assert_primary("Email", "\xc3\xa9\n\xf0\x9f\x98\x80");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *TEXTS[] = {
        "",
        "[]",
        "5",
        "null",
        "\"x\"",
        "nope",
        ("{" ONE "} {}"),
        ("{" ONE ",}"),
        ("{\"a\":NaN," ONE "}"),
        ("{\"a\":1,\"a\":2," ONE "}"),
        ("\xef\xbb\xbf{" ONE "}"),
        ("{\"a\":\"\\u0000\"," ONE "}"),
        ("{\"a\":\"\xff\"," ONE "}"),
        ("{\"a\":\"\\udc00\"," ONE "}"),
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        refuses(TEXTS[i], false, "json");
}

static void a_refusal_tells_the_offset(void **state)
{
    (void)state;
    refuses("{\"a\":01," ONE "}", false, "json");
    assert_non_null(strstr(record.reason, "offset 5"));
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[512];
    for (unsigned depth = RECORD_DEPTH; depth <= RECORD_DEPTH + 1; depth++) {
        size_t at = (size_t)snprintf(text, sizeof text, "{" ONE ",\"a\":");
        for (unsigned i = 1; i < depth; i++)
            text[at++] = '[';
        for (unsigned i = 1; i < depth; i++)
            text[at++] = ']';
        text[at++] = '}';
        text[at] = '\0';
        assert_int_equal(reads(text, false), depth == RECORD_DEPTH);
    }
    assert_string_equal(record.code, "json");
}

static void length_has_a_limit(void **state)
{
    (void)state;
    static char text[MOST_BYTES + 2];
    memset(text, ' ', sizeof text - 1);
    memcpy(text, "{" ONE "}", strlen("{" ONE "}"));
    assert_true(record_read(&record, text, MOST_BYTES));
    assert_false(record_read(&record, text, MOST_BYTES + 1));
    assert_string_equal(record.code, "size");
    assert_non_null(strstr(record.reason, "65536 bytes"));
}

static void bad_identities_are_refused(void **state)
{
    (void)state;
    static const char *MAPS[] = {
        "[]",
        "{}",
        "5",
        "null",
        "{\"E\":[]}",
        "{\"E\":{}}",
        "{\"E\":\"a\"}",
        "{\"E\":[\"a\"]}",
        "{\"E\":[[]]}",
        "{\"E\":[{}]}",
        "{\"E\":[{\"id\":5}]}",
        "{\"E\":[{\"id\":null}]}",
        "{\"E\":[{\"id\":\"\"}]}",
        "{\"\":[{\"id\":\"a\"}]}",
        "{\"E\":[{\"id\":\"a\"},{\"id\":\"b\"}]}",
        "{\"E\":[{\"id\":\"a\"}],\"F\":[{\"id\":\"a\"}]}",
        "{\"E\":[{\"id\":\"a\",\"primary\":true},{\"id\":\"b\",\"primary\":true}]}",
        "{\"E\":[{\"id\":\"a\",\"primary\":1}]}",
        "{\"E\":[{\"id\":\"a\",\"primary\":\"true\"}]}",
        "{\"E\":[{\"id\":\"a\",\"primary\":null}]}",
        "{\"E\":[{\"id\":\"a\",\"authenticatedState\":1}]}",
        "{\"E\":[{\"id\":\"a\",\"primary\":true},{\"id\":\"\"}]}",
    };
    char text[256];
    for (size_t i = 0; i < sizeof MAPS / sizeof *MAPS; i++) {
        snprintf(text, sizeof text, "{\"identityMap\":%s}", MAPS[i]);
        refuses(text, false, "identity");
    }
    refuses("{}", false, "identity");
    refuses("{\"a\":{" ONE "}}", false, "identity");
}

/* A record whose identity has `ns` times the letter n and `id` times the letter i. */
static bool reads_identity_of(size_t ns, size_t id)
{
    static char text[MOST_BYTES];
    size_t at = (size_t)snprintf(text, sizeof text, "{\"identityMap\":{\"");
    memset(text + at, 'n', ns);
    at += ns;
    at += (size_t)snprintf(text + at, sizeof text - at, "\":[{\"id\":\"");
    memset(text + at, 'i', id);
    at += id;
    at += (size_t)snprintf(text + at, sizeof text - at, "\"}]}}");
    return record_read(&record, text, at);
}

static void identities_have_limits(void **state)
{
    (void)state;
    assert_true(reads_identity_of(RECORD_NAMESPACE_MAX, RECORD_VALUE_MAX));
    assert_int_equal(record.identity[0].ns_length, RECORD_NAMESPACE_MAX);
    assert_int_equal(record.identity[0].id_length, RECORD_VALUE_MAX);
    assert_false(reads_identity_of(RECORD_NAMESPACE_MAX + 1, 1));
    assert_false(reads_identity_of(1, RECORD_VALUE_MAX + 1));
    assert_false(reads_identity_of(1, 7 * RECORD_VALUE_MAX));
}

static void all_identities_are_told(void **state)
{
    (void)state;
    assert_true(reads("{\"identityMap\":{\"N\":[{\"id\":\"x\"},{\"id\":\"p\",\"primary\":true}],\"O\":[],\"M\":[{\"id\":\"\\u0079\"}]}}", false));
    assert_int_equal(record.identities, 3);
    assert_int_equal(record.primary, 1);
    assert_identity(0, "N", "x");
    assert_identity(1, "N", "p");
    assert_identity(2, "M", "y");
    assert_true(reads("{" ONE "}", false));
    assert_int_equal(record.identities, 1);
    assert_int_equal(record.primary, 0);
}

/* A record with this many identities, the last of them the primary one. */
static bool reads_identities(unsigned count)
{
    static char text[MOST_BYTES];
    size_t at = (size_t)snprintf(text, sizeof text, "{\"identityMap\":{\"E\":[");
    for (unsigned i = 1; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "{\"id\":\"%u\"},", i);
    at += (size_t)snprintf(text + at, sizeof text - at, "{\"id\":\"p\",\"primary\":true}]}}");
    return record_read(&record, text, at);
}

static void the_number_of_identities_has_a_limit(void **state)
{
    (void)state;
    assert_true(reads_identities(RECORD_IDENTITIES_MAX));
    assert_int_equal(record.identities, RECORD_IDENTITIES_MAX);
    assert_primary("E", "p");
    assert_false(reads_identities(RECORD_IDENTITIES_MAX + 1));
    assert_string_equal(record.code, "identity");
    assert_non_null(strstr(record.reason, "1000"));
}

static void segment_membership_has_its_form(void **state)
{
    (void)state;
    static const char *GOOD[] = {"{}", "{\"ups\":{}}", "{\"ups\":{\"s\":{}},\"aam\":{\"s\":{\"status\":5,\"x\":[]}}}"};
    static const char *BAD[] = {"null", "[]", "5", "{\"ups\":[]}", "{\"ups\":null}", "{\"ups\":{\"s\":5}}",
                                "{\"ups\":{\"s\":{},\"t\":[]}}", "{\"aam\":{},\"ups\":\"s\"}"};
    char text[256];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        snprintf(text, sizeof text, "{" ONE ",\"segmentMembership\":%s}", GOOD[i]);
        assert_true(reads(text, false));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        snprintf(text, sizeof text, "{\"segmentMembershi\\u0070\":%s," ONE "}", BAD[i]);
        refuses(text, false, "segment");
    }
    assert_true(reads("{" ONE ",\"_id\":\"e\",\"timestamp\":\"2024-01-01T00:00:00Z\",\"segmentMembership\":5}", true));
    assert_true(reads("{" ONE ",\"a\":{\"segmentMembership\":5}}", false));
}

static void escapes_do_not_count_against_the_limit(void **state)
{
    (void)state;
    static char text[MOST_BYTES];
    size_t at = (size_t)snprintf(text, sizeof text, "{\"identityMap\":{\"E\":[{\"id\":\"");
    for (unsigned i = 0; i < RECORD_VALUE_MAX; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "\\u0041");
    at += (size_t)snprintf(text + at, sizeof text - at, "\"}]}}");
    assert_true(record_read(&record, text, at));
    assert_int_equal(record.identity[0].id_length, RECORD_VALUE_MAX);
}

static void an_event_has_an_id_and_a_time(void **state)
{
    (void)state;
    assert_true(reads("{" ONE ",\"_id\":\"e\\u0031\",\"timestamp\":\"2024-01-01T01:00:00.5+01:00\"}", true));
    assert_bytes(record.event_id.bytes, record.event_id.length, "e1");
    assert_int_equal(record.time_ms, INT64_C(1704067200500));
}

static void bad_events_are_refused(void **state)
{
    (void)state;
#define WHEN ",\"timestamp\":\"2024-01-01T00:00:00Z\""
    refuses("{" ONE WHEN "}", true, "event_id");
    refuses("{" ONE WHEN ",\"_id\":5}", true, "event_id");
    refuses("{" ONE WHEN ",\"_id\":\"\"}", true, "event_id");
    refuses("{" ONE ",\"_id\":\"1\"}", true, "timestamp");
    refuses("{" ONE ",\"_id\":\"1\",\"timestamp\":1704067200000}", true, "timestamp");
    refuses("{" ONE ",\"_id\":\"1\",\"timestamp\":\"yesterday\"}", true, "timestamp");
    refuses("{" ONE ",\"_id\":\"1\",\"timestamp\":\"2024-02-30T00:00:00Z\"}", true, "timestamp");
    refuses("{\"_id\":\"1\"" WHEN "}", true, "identity");
}

static void a_profile_needs_neither_event_id_nor_time(void **state)
{
    (void)state;
    assert_true(reads("{" ONE ",\"_id\":5,\"timestamp\":\"never\"}", false));
    assert_int_equal(record.event_id.length, 0);
}

static void what_the_export_makes_is_reserved_in_a_profile(void **state)
{
    (void)state;
    static const char *TEXTS[] = {
        ("{\"eventList\":[]," ONE "}"),
        ("{" ONE ",\"\\u0065ventList\":null}"),
        ("{\"identities\":5," ONE "}"),
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        refuses(TEXTS[i], false, "reserved");
    assert_true(reads("{" ONE ",\"a\":{\"eventList\":[],\"identities\":[]}}", false));
    assert_true(reads("{" ONE ",\"_id\":\"e\",\"timestamp\":\"2024-01-01T00:00:00Z\",\"eventList\":[],\"identities\":1}", true));
}

static void a_refusal_leaves_nothing_behind(void **state)
{
    (void)state;
    refuses("{\"identityMap\":{\"E\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}", false, "identity");
    assert_true(reads("{" ONE "}", false));
    assert_primary("Email", "a@x");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_only_identity_is_the_primary_one),
        CASE(the_marked_identity_is_the_primary_one_wherever_it_stands),
        CASE(identities_are_unescaped),
        CASE(what_is_no_object_is_refused),
        CASE(a_refusal_tells_the_offset),
        CASE(depth_has_a_limit),
        CASE(length_has_a_limit),
        CASE(bad_identities_are_refused),
        CASE(identities_have_limits),
        CASE(all_identities_are_told),
        CASE(the_number_of_identities_has_a_limit),
        CASE(segment_membership_has_its_form),
        CASE(escapes_do_not_count_against_the_limit),
        CASE(an_event_has_an_id_and_a_time),
        CASE(bad_events_are_refused),
        CASE(a_profile_needs_neither_event_id_nor_time),
        CASE(what_the_export_makes_is_reserved_in_a_profile),
        CASE(a_refusal_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
