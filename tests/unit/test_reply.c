/*
 * Tests of the answers: what a client gets when the arena of its request has no room left.
 */
#include "responder/reply.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_internal(const char *text, size_t length, bool head_only)
{
    assert_non_null(text);
    assert_int_equal(strncmp(text, "Status: 500 ", 12), 0);
    assert_non_null(strstr(text, "X-Request-Id: req-1\r\n"));
    assert_non_null(strstr(text, "Content-Type: application/problem+json\r\n"));
    const char *body = strstr(text, "\r\n\r\n") + 4;
    size_t shown = length - (size_t)(body - text);
    if (head_only) {
        assert_int_equal(shown, 0);
        return;
    }
    char body_text[512];
    assert_true(shown < sizeof body_text);
    memcpy(body_text, body, shown);
    body_text[shown] = '\0';
    struct json_object *tree = json_tokener_parse(body_text);
    assert_non_null(tree);
    assert_string_equal(jsonio_member_text(tree, "type"), "/problems/internal");
    assert_string_equal(jsonio_member_text(tree, "requestId"), "req-1");
    json_object_put(tree);
}

static void an_exhausted_arena_answers_internal(void **state)
{
    (void)state;
    struct arena *a = arena_new(4096);
    struct reply reply = {0};
    size_t length = 0;
    assert_null(arena_alloc(a, 8192));
    reply_problem(&reply, a, FAULT_MEMORY, NULL, NULL, "req-1");
    assert_int_equal(reply.status, 500);
    const char *text = reply_print(&reply, a, "req-1", false, &length);
    check_internal(text, length, false);
    text = reply_print(&reply, a, "req-1", true, &length);
    check_internal(text, length, true);
    arena_free(a);
}

static void an_answer_that_does_not_fit_becomes_internal(void **state)
{
    (void)state;
    static const char LARGE[4000] = "[]";
    struct arena *a = arena_new(2048);
    struct reply reply = {.status = 200, .content_type = REPLY_JSON, .body = LARGE, .length = sizeof LARGE};
    size_t length = 0;
    reply_header(&reply, "Location", "/elsewhere");
    const char *text = reply_print(&reply, a, "req-1", false, &length);
    check_internal(text, length, false);
    assert_null(strstr(text, "/elsewhere"));
    arena_free(a);
}

/* RFC 9112 section 4: a status line ends with a blank and the reason; nginx makes one without the blank of an empty reason. */
static void every_status_has_its_reason(void **state)
{
    (void)state;
    struct arena *a = arena_new(4096);
    for (int f = FAULT_NONE; f < FAULT_COUNT; f++) {
        if (*reply_reason(fault_row((enum fault)f)->status) == '\0')
            fail_msg("%d has no reason", fault_row((enum fault)f)->status);
    }
    struct reply reply = {0};
    size_t length = 0;
    reply_problem(&reply, a, FAULT_GONE, NULL, NULL, "req-1");
    assert_int_equal(strncmp(reply_print(&reply, a, "req-1", false, &length), "Status: 410 Gone\r\n", 18), 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exhausted_arena_answers_internal),
        cmocka_unit_test(an_answer_that_does_not_fit_becomes_internal),
        cmocka_unit_test(every_status_has_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
