/*
 * test_entities_names: cursors, orders, numbers and names of look-ups, good and hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* the responder is no part of the archive */
#include "responder/entities_names.c"
#include "responder/query.c"

#define N(array) (sizeof(array) / sizeof(array)[0])

static struct call call;

struct str *entity_buffer(struct call *c, size_t bound)
{
    struct str *buffer = arena_alloc(c->arena, sizeof *buffer);
    *buffer = STR_INIT(bound);
    assert_true(arena_own(c->arena, buffer, (void (*)(void *))str_free));
    return buffer;
}

static int set_up(void **state)
{
    (void)state;
    call.arena = arena_new(1024 * 1024);
    return call.arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(call.arena);
    return 0;
}

static void cursors_come_back_as_they_were(void **state)
{
    static const struct {
        int64_t time_ms, skip;
        const char *event;
    } CURSORS[] = {{0, 0, "a"}, {1704067200000, 12, "e_1"}, {-5, 1, "tab\t\x01"}, {-((INT64_C(1) << 53) - 1), INT32_MAX, "\xc3\xa9\xf0\x9f\x98\x80"}};
    char longest[RECORD_VALUE_MAX + 1];
    (void)state;
    for (size_t i = 0; i <= N(CURSORS); i++) {
        struct entity_cursor got = {NULL, 9, NULL, 9};
        memset(longest, 'x', sizeof longest - 1);
        longest[sizeof longest - 1] = '\0';
        const char *event = i < N(CURSORS) ? CURSORS[i].event : longest;
        int64_t time_ms = i < N(CURSORS) ? CURSORS[i].time_ms : 3, skip = i < N(CURSORS) ? CURSORS[i].skip : 4;
        const char *text = entity_cursor_print(&call, time_ms, skip, event);
        assert_int_equal(strspn(text, "-0123456789abcdef_"), strlen(text));
        assert_true(entity_cursor_read(&call, text, &got));
        assert_string_equal(got.text, text);
        assert_string_equal(got.event, event);
        assert_int_equal(got.time_ms, time_ms);
        assert_int_equal(got.skip, skip);
    }
}

static void anything_else_is_no_cursor(void **state)
{
    static const char *const BAD[] = {
        "", "_", "__", "1", "1_1", "1_1_", "1_1_6", "1_1_6g", "1_1_6A", "1_1_00", "1_1_6100", "1_1_ff", "1_1_c080", "1_1_eda080", "1_1_f4908080",
        "_1_61", "1__61", "x_1_61", "1_x_61", "1_-1_61", "+1_1_61", "--1_1_61", "-_1_61", "1 _1_61", "1_1_61 ", "1_1_61_", "1_2147483648_61",
        "9007199254740992_0_61", "-9007199254740992_0_61", "11111111111111111111111_1_61", "1_11111111111111111111111_61"};
    struct entity_cursor got;
    char longer[2 * RECORD_VALUE_MAX + 8] = "1_1_";
    (void)state;
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(entity_cursor_read(&call, BAD[i], &got));
    memset(longer + 4, '6', 2 * (RECORD_VALUE_MAX + 1));
    longer[4 + 2 * (RECORD_VALUE_MAX + 1)] = '\0';
    assert_false(entity_cursor_read(&call, longer, &got));
}

static void orders_are_of_the_time_alone(void **state)
{
    static const char *const UP[] = {"timestamp", "+timestamp", " timestamp"};
    static const char *const BAD[] = {"", "-", "+", "time", "timestamp ", "--timestamp", "+-timestamp", "-Timestamp"};
    bool descending;
    (void)state;
    for (size_t i = 0; i < N(UP); i++)
        assert_true(entity_read_order(UP[i], &descending) && !descending);
    assert_true(entity_read_order("-timestamp", &descending) && descending);
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(entity_read_order(BAD[i], &descending));
}

static void names_are_one_json_text(void **state)
{
    struct entity_name names[] = {{"Email", "a@x"}, {"n\"", "back\\slash\n\x01'{}"}};
    struct entity_request r = {.name = names, .names = 2};
    (void)state;
    assert_string_equal(entity_names_text(&call, &r), "[[\"Email\",\"a@x\"],[\"n\\\"\",\"back\\\\slash\\n\\u0001'{}\"]]");
    assert_null(entity_id_rule("x"));
    assert_non_null(entity_id_rule(""));
    assert_non_null(entity_ns_rule(""));
}

static void fields_are_compiled_or_refused(void **state)
{
    struct entity_request r = {.fields = "a.b,c"};
    const char *rule = "";
    (void)state;
    assert_int_equal(entity_compile(&call, &r, &rule), FAULT_NONE);
    assert_false(projection_is_all(r.projection));
    r.fields = "";
    assert_int_equal(entity_compile(&call, &r, &rule), FAULT_NONE);
    assert_true(projection_is_all(r.projection));
    r.fields = "a,,b";
    assert_int_equal(entity_compile(&call, &r, &rule), FAULT_MALFORMED);
    assert_non_null(strstr(rule, "at byte 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursors_come_back_as_they_were), cmocka_unit_test(anything_else_is_no_cursor),
        cmocka_unit_test(orders_are_of_the_time_alone),   cmocka_unit_test(names_are_one_json_text),
        cmocka_unit_test(fields_are_compiled_or_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
