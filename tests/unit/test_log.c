/*
 * test_log: one event is one line, whatever the values hold.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "lib/log.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static char heard[8192];

/* Whether what was heard is exactly one line of printable ASCII. */
static bool one_plain_line(size_t length)
{
    if (length < 1 || length >= sizeof heard || heard[length - 1] != '\n')
        return false;
    for (size_t i = 0; i < length - 1; i++) {
        if (heard[i] < 0x20 || heard[i] > 0x7e)
            return false;
    }
    return true;
}

static const struct {
    const char *value;
    const char *quoted;
} QUOTES[] = {
    {"", "\"\""},
    {"plain text", "\"plain text\""},
    {"a=b c", "\"a=b c\""},
    {"x\nlevel=error event=forged", "\"x\\x0alevel=error event=forged\""},
    {"x\r\ny", "\"x\\x0d\\x0ay\""},
    {"\" event=forged \"", "\"\\x22 event=forged \\x22\""},
    {"\\", "\"\\x5c\""},
    {"\\\"", "\"\\x5c\\x22\""},
    {"\x1b[2J", "\"\\x1b[2J\""},
    {"\x7f\t", "\"\\x7f\\x09\""},
    {"\xc3\xa9\xff", "\"\\xc3\\xa9\\xff\""},
    {"\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""}, /* U+2028, a line for some readers */
    {"%s%n", "\"%s%n\""},
};

static void quotes_what_comes_from_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(QUOTES); i++) {
        assert_string_equal(log_quote(QUOTES[i].value), QUOTES[i].quoted);
        int saved = scratch_listen();
        log_event(LOG_ERROR, "test", "value=%s", log_quote(QUOTES[i].value));
        size_t length = scratch_heard(saved, heard, sizeof heard);
        assert_true(one_plain_line(length));
        assert_non_null(strstr(heard, QUOTES[i].quoted));
    }
}

static void no_control_byte_reaches_the_log(void **state)
{
    char raw[32];
    (void)state;
    for (int c = 1; c < 0x20; c++)
        raw[c - 1] = (char)c;
    raw[31] = '\0';
    int saved = scratch_listen();
    log_context("request=%s", raw);
    log_event(LOG_ERROR, "te\nst", "value=%s", raw);
    size_t length = scratch_heard(saved, heard, sizeof heard);
    log_context("%s", "");
    assert_true(one_plain_line(length));
    assert_non_null(strstr(heard, "event=te?st value=?????"));
}

static void long_values_are_cut(void **state)
{
    char value[6000];
    (void)state;
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_int_equal(strlen(log_quote(value)), 202);
    value[200] = '\0';
    assert_int_equal(strlen(log_quote(value)), 202);
    value[199] = '\0';
    assert_int_equal(strlen(log_quote(value)), 201);
    memset(value, '\n', sizeof value - 1);
    assert_int_equal(strlen(log_quote(value)), 802);
}

/* Lines of every length around the bound: always one, with its end, and never more than 2 KiB. */
static void long_lines_are_cut_and_ended(void **state)
{
    char value[6000], context[300];
    (void)state;
    memset(context, 'c', sizeof context - 1);
    context[sizeof context - 1] = '\0';
    for (size_t size = 0; size < sizeof value; size += size < 1500 ? 500 : size < 2100 ? 1 : 1300) {
        memset(value, '\n', sizeof value);
        value[size] = '\0';
        int saved = scratch_listen();
        log_context("%s", size % 2 ? context : "");
        log_event(LOG_ERROR, "test", "value=%s", value);
        log_event(LOG_ERROR, "next", "%s", "");
        size_t length = scratch_heard(saved, heard, sizeof heard);
        log_context("%s", "");
        char *end = memchr(heard, '\n', length);
        assert_non_null(end);
        assert_in_range(end + 1 - heard, 40, 2048);
        assert_int_equal(strncmp(end + 1, "time=", 5), 0);
        assert_ptr_equal(memchr(end + 1, '\n', length), heard + length - 1);
    }
    assert_null(strstr(heard, "cccccccccc"));
}

static void four_quoted_values_fit_one_line(void **state)
{
    (void)state;
    int saved = scratch_listen();
    log_event(LOG_ERROR, "test", "a=%s b=%s c=%s d=%s", log_quote("1"), log_quote("2"), log_quote("3"), log_quote("4"));
    scratch_heard(saved, heard, sizeof heard);
    assert_non_null(strstr(heard, "event=test a=\"1\" b=\"2\" c=\"3\" d=\"4\"\n"));
}

static void lines_begin_with_process_and_context(void **state)
{
    char expected[128];
    (void)state;
    log_open("consign-test", LOG_INFO);
    int saved = scratch_listen();
    log_context("request=%s org=%d", "r1", 7);
    log_event(LOG_WARN, "one", "n=%d", 1);
    log_context("%s", "");
    log_event(LOG_ERROR, "two", "%s", "");
    scratch_heard(saved, heard, sizeof heard);
    log_open("consign", LOG_INFO);
    snprintf(expected, sizeof expected, " level=warn process=consign-test pid=%d request=r1 org=7 event=one n=1\ntime=",
             (int)getpid());
    assert_int_equal(strncmp(heard, "time=", 5), 0);
    assert_non_null(strstr(heard, expected));
    snprintf(expected, sizeof expected, " level=error process=consign-test pid=%d event=two \n", (int)getpid());
    assert_non_null(strstr(heard, expected));
}

static void context_is_bounded(void **state)
{
    char value[2000];
    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    int saved = scratch_listen();
    log_context("job=%s", value);
    log_event(LOG_ERROR, "test", "n=%d", 1);
    size_t length = scratch_heard(saved, heard, sizeof heard);
    log_context("%s", "");
    assert_true(one_plain_line(length));
    assert_non_null(strstr(heard, "xxx event=test n=1\n"));
    assert_true(length < 511 + 120);
}

static void quiet_levels_are_left_out(void **state)
{
    static const struct {
        const char *name;
        enum log_level level;
    } row[] = {{"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO},   {"debug", LOG_DEBUG}, {"", LOG_INFO},
               {"ERROR", LOG_INFO},  {"loud", LOG_INFO}, {"error ", LOG_INFO}, {"errors", LOG_INFO}};
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_int_equal(log_level_parse(row[i].name), row[i].level);
    for (int most = LOG_ERROR; most <= LOG_DEBUG; most++) {
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            log_open("consign", (enum log_level)most);
            int saved = scratch_listen();
            log_event((enum log_level)level, "test", "%s", "");
            size_t length = scratch_heard(saved, heard, sizeof heard);
            assert_int_equal(length > 0, level <= most);
        }
    }
    log_open("consign", LOG_INFO);
}

/* The caller logs a failure and then still looks at errno; a log that cannot be written is no failure. */
static void no_level_silences_the_audit(void **state)
{
    (void)state;
    log_open("consign", LOG_ERROR);
    int saved = scratch_listen();
    log_audit("action=%s", "job_create");
    size_t length = scratch_heard(saved, heard, sizeof heard);
    log_open("consign", LOG_INFO);
    assert_true(one_plain_line(length));
    assert_non_null(strstr(heard, " event=audit action=job_create\n"));
}

static void errno_is_kept(void **state)
{
    (void)state;
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDERR_FILENO);
    errno = ENOSPC;
    log_event(LOG_ERROR, "test", "%s", "");
    int kept = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(kept, ENOSPC);
}

/* Without that, a worker, its watchdog and the supervisor all stood still behind a stalled reader. */
static void a_reader_that_stands_still_stops_nobody(void **state)
{
    (void)state;
    int ends[2];
    int saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    alarm(10); /* a write that waits ends the test */
    for (int i = 0; i < 10000; i++)
        log_event(LOG_ERROR, "test", "number=%d", i);
    alarm(0);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

static const struct {
    const char *line, *json;
} FORMS[] = {
    {"event=test \n", "{\"event\":\"test\"}\n"},
    {"time=1795520855.408 level=info pid=7 n=-3 big=123456789012345\n",
     "{\"time\":1795520855.408,\"level\":\"info\",\"pid\":7,\"n\":-3,\"big\":123456789012345}\n"},
    {"org=- client=-\n", "{\"org\":null,\"client\":null}\n"},
    /* what JSON does not know as a number, or a double does not hold */
    {"a=007 b=1. c=.5 d=1.2.3 e=1e3 f=+1 g=- h=-- i=1234567890123456 j=0 k=0.5 l=\n",
     "{\"a\":\"007\",\"b\":\"1.\",\"c\":\".5\",\"d\":\"1.2.3\",\"e\":\"1e3\",\"f\":\"+1\",\"g\":null,\"h\":\"--\","
     "\"i\":\"1234567890123456\",\"j\":0,\"k\":0.5,\"l\":\"\"}\n"},
    /* ids that happen to be digits */
    {"req=12 job=34 token=56 sqlstate=25006\n", "{\"req\":\"12\",\"job\":\"34\",\"token\":\"56\",\"sqlstate\":\"25006\"}\n"},
    {"a=\"b c\" d=\"\" e=\"12\" f=\"x=y\"\n", "{\"a\":\"b c\",\"d\":\"\",\"e\":\"12\",\"f\":\"x=y\"}\n"},
    {"a=\"say \"yes\".\" b=1\n", "{\"a\":\"say \\\"yes\\\".\",\"b\":1}\n"},
    {"a=\"x\\x0alevel=error\" b=\\\n", "{\"a\":\"x\\\\x0alevel=error\",\"b\":\"\\\\\"}\n"},
    {"a=\"never ends\n", "{\"a\":\"\\\"never ends\"}\n"},
    {"word =x a=1\n", "{\"word\":\"\",\"a\":1}\n"},
    {"a=\xff\x01\n", "{\"a\":\"??\"}\n"},
    {"\n", "{}\n"},
};

static void the_same_as_json(void **state)
{
    (void)state;
    log_as_json(true);
    for (size_t i = 0; i < N(FORMS); i++) {
        int saved = scratch_listen();
        log_line(FORMS[i].line, strlen(FORMS[i].line));
        scratch_heard(saved, heard, sizeof heard);
        assert_string_equal(heard, FORMS[i].json);
    }
    int saved = scratch_listen();
    log_context("req=%s org=%d", "r1", 7);
    log_event(LOG_WARN, "one", "value=%s", log_quote("a\"b"));
    log_context("%s", "");
    scratch_heard(saved, heard, sizeof heard);
    log_as_json(false);
    assert_non_null(strstr(heard, ",\"req\":\"r1\",\"org\":7,\"event\":\"one\",\"value\":\"a\\\\x22b\"}\n"));
}

/* Whatever a line holds, and however long it is: one object that a strict reader takes. */
static void any_line_is_one_object(void **state)
{
    static const char BYTES[] = "ab=== \"\"\\-019.\t\x7f\xc3\r";
    char line[2048];
    (void)state;
    srandom(7);
    log_as_json(true);
    for (int round = 0; round < 20000; round++) {
        size_t length = round < 100 ? sizeof line - 1 : (size_t)random() % 60;
        for (size_t i = 0; i < length; i++)
            line[i] = round < 20 ? "a "[i % 2] : round < 40 ? '"' : BYTES[(size_t)random() % (sizeof BYTES - 1)];
        line[length++] = '\n';
        int saved = scratch_listen();
        log_line(line, length);
        length = scratch_heard(saved, heard, sizeof heard);
        assert_true(one_plain_line(length));
        struct json_tokener *strict = json_tokener_new();
        json_tokener_set_flags(strict, JSON_TOKENER_STRICT);
        struct json_object *tree = json_tokener_parse_ex(strict, heard, (int)length - 1);
        assert_true(json_object_is_type(tree, json_type_object));
        assert_int_equal(json_tokener_get_parse_end(strict), length - 1);
        json_object_put(tree);
        json_tokener_free(strict);
    }
    log_as_json(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_what_comes_from_outside),       cmocka_unit_test(no_control_byte_reaches_the_log),
        cmocka_unit_test(long_values_are_cut),                  cmocka_unit_test(long_lines_are_cut_and_ended),
        cmocka_unit_test(four_quoted_values_fit_one_line),      cmocka_unit_test(lines_begin_with_process_and_context),
        cmocka_unit_test(context_is_bounded),                   cmocka_unit_test(quiet_levels_are_left_out),
        cmocka_unit_test(errno_is_kept),                        cmocka_unit_test(no_level_silences_the_audit),
        cmocka_unit_test(a_reader_that_stands_still_stops_nobody),
        cmocka_unit_test(the_same_as_json),
        cmocka_unit_test(any_line_is_one_object),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, scratch_end);
}
