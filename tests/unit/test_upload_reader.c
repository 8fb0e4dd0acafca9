/*
 * upload: how a file is cut into records. Every case is read in pieces of one byte, of seven and of
 * everything at once: the answer must not depend on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/upload.h"

#define MOST_BYTES 64u

/* A file in memory that is handed out in pieces, and breaks at `fail_at`. */
struct source {
    const char *text;
    size_t length;
    size_t at;
    size_t piece;
    size_t fail_at;
};

static ssize_t source_read(void *arg, char *out, size_t room)
{
    struct source *s = arg;
    size_t n = s->length - s->at;
    assert_true(room > 0);
    if (s->at >= s->fail_at)
        return -1;
    if (n > s->piece)
        n = s->piece;
    if (n > room)
        n = room;
    memcpy(out, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static const size_t PIECES[] = {1, 7, 1u << 20};
#define PIECE_COUNT (sizeof PIECES / sizeof *PIECES)

/* What a file is cut into: results as letters, then each record as line:offset:text|. */
static void cut(const char *text, size_t length, size_t piece, size_t fail_at, char *out, size_t size)
{
    static const char LETTERS[] = {[UPLOAD_RECORD] = 'R', [UPLOAD_OVERSIZED] = 'O', [UPLOAD_END] = 'E',
                                   [UPLOAD_BROKEN] = 'B', [UPLOAD_FAILED] = 'F'};
    struct source source = {.text = text, .length = length, .piece = piece, .fail_at = fail_at};
    struct upload upload;
    struct upload_record at;
    enum upload_result result;
    size_t used = 0;
    assert_true(upload_init(&upload, MOST_BYTES));
    upload_open(&upload, source_read, &source);
    do {
        result = upload_next(&upload, &at);
        used += (size_t)snprintf(out + used, size - used, "%c", LETTERS[result]);
        if (result == UPLOAD_RECORD)
            used += (size_t)snprintf(out + used, size - used, "%lld:%lld:%.*s|", (long long)at.line,
                                     (long long)at.offset, (int)at.length, at.text);
        if (result == UPLOAD_OVERSIZED || result == UPLOAD_BROKEN)
            used += (size_t)snprintf(out + used, size - used, "%lld:%lld|", (long long)at.line, (long long)at.offset);
        if (result == UPLOAD_BROKEN)
            assert_non_null(at.reason);
        assert_true(used < size);
    } while (result == UPLOAD_RECORD || result == UPLOAD_OVERSIZED);
    upload_free(&upload);
}

static void assert_cut(const char *text, const char *wanted)
{
    char got[4096];
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        cut(text, strlen(text), PIECES[i], SIZE_MAX, got, sizeof got);
        assert_string_equal(got, wanted);
    }
}

static void nothing_is_no_record(void **state)
{
    (void)state;
    static const char *TEXTS[] = {"", "\n", "\n\n \t\r\n", "[]", " [ ] ", "\n[\n]\n"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        assert_cut(TEXTS[i], "E");
}

static void lines_are_records(void **state)
{
    (void)state;
    assert_cut("{\"a\":1}\n{\"b\":2}\n", "R1:0:{\"a\":1}|R2:8:{\"b\":2}|E");
    assert_cut("{}\n{}", "R1:0:{}|R2:3:{}|E");
    assert_cut("{}\r\n{}\r\n", "R1:0:{}|R2:4:{}|E");
}

static void blank_lines_count_but_are_no_records(void **state)
{
    (void)state;
    assert_cut("\n\n{}\n \t\n\r\n  {} \t\n\n", "R3:2:{}|R6:12:{}|E");
}

static void a_line_need_not_be_json(void **state)
{
    (void)state;
    assert_cut("nope\n[1]\n\"\n{\n}\n", "R1:0:nope|R2:5:[1]|R3:9:\"|R4:11:{|R5:13:}|E");
    assert_cut("\xef\xbb\xbf[]\n", "R1:0:\xef\xbb\xbf[]|E");
}

static void elements_are_records(void **state)
{
    (void)state;
    assert_cut("[{\"a\":1},{\"b\":2}]", "R1:1:{\"a\":1}|R1:9:{\"b\":2}|E");
    assert_cut(" \n[\n  {\"a\":\n1},\r\n  {}\n]\n", "R3:6:{\"a\":\n1}|R5:19:{}|E");
    assert_cut("[1, \"x\" ,null,[[]] , true]", "R1:1:1|R1:4:\"x\"|R1:9:null|R1:14:[[]]|R1:21:true|E");
}

static void brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    assert_cut("[{\"a\":\"]}\\\"[{\",\"\\\\\":\"\\\\\"},5]", "R1:1:{\"a\":\"]}\\\"[{\",\"\\\\\":\"\\\\\"}|R1:26:5|E");
}

static void a_bad_element_does_not_cost_the_others(void **state)
{
    (void)state;
    assert_cut("[{\"a\":NaN},{nope},{\"a\" 1},{}]", "R1:1:{\"a\":NaN}|R1:11:{nope}|R1:18:{\"a\" 1}|R1:26:{}|E");
}

static void an_array_that_does_not_fit_is_broken(void **state)
{
    (void)state;
    assert_cut("[", "B1:1|");
    assert_cut("[{}", "R1:1:{}|B1:3|");
    assert_cut("[{},", "R1:1:{}|B1:4|");
    assert_cut("[{},\n{\"a\"", "R1:1:{}|B2:9|");
    assert_cut("[{}{}]", "R1:1:{}|B1:3|");
    assert_cut("[{},]", "R1:1:{}|B1:4|");
    assert_cut("[,{}]", "B1:1|");
    assert_cut("[{\"a\":[1}]", "B1:9|");
    assert_cut("[}]", "B1:1|");
    assert_cut("[{}] x", "R1:1:{}|B1:5|");
    assert_cut("[{}]{}", "R1:1:{}|B1:4|");
    assert_cut("[]\n[]", "B2:3|");
    assert_cut("[\"open", "B1:6|");
}

/* `before`, a string record of `letters` letters, `after`. */
static void assert_cut_with(const char *before, size_t letters, const char *after, const char *wanted)
{
    size_t size = strlen(before) + letters + strlen(after) + 3;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s\"", before);
    memset(at, 'x', letters);
    sprintf(at + letters, "\"%s", after);
    assert_cut(text, wanted);
    free(text);
}

static void a_record_over_the_limit_is_passed_over(void **state)
{
    (void)state;
    assert_cut_with("{}\n", 1000, "\n{}", "R1:0:{}|O2:3|R3:1006:{}|E");
    assert_cut_with("[{},\n", 1000, ",{}]", "R1:1:{}|O2:5|R2:1008:{}|E");
    assert_cut_with("{}\n", 200000, "\n{}", "R1:0:{}|O2:3|R3:200006:{}|E");
    assert_cut_with("[{},", 200000, "\n,{}]", "R1:1:{}|O1:4|R2:200008:{}|E");
    assert_cut_with("[{},", 200000, "", "R1:1:{}|O1:4|B1:200006|");
}

static void a_record_at_the_limit_is_kept(void **state)
{
    (void)state;
    char got[4096];
    char text[MOST_BYTES + 3];
    memset(text, 'x', MOST_BYTES);
    memcpy(text + MOST_BYTES, "\r\n", 3);
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        cut(text, strlen(text), PIECES[i], SIZE_MAX, got, sizeof got);
        assert_memory_equal(got, "R1:0:x", 6);
    }
}

static void an_oversized_record_shows_its_beginning(void **state)
{
    (void)state;
    struct upload upload;
    struct upload_record at;
    static char text[5000];
    memset(text, 'x', sizeof text);
    struct source source = {.text = text, .length = sizeof text, .piece = 1u << 20, .fail_at = SIZE_MAX};
    assert_true(upload_init(&upload, MOST_BYTES));
    upload_open(&upload, source_read, &source);
    assert_int_equal(upload_next(&upload, &at), UPLOAD_OVERSIZED);
    assert_int_equal(at.length, UPLOAD_HEAD_BYTES);
    assert_memory_equal(at.text, text, at.length);
    upload_free(&upload);
}

static void a_failing_file_is_told_from_a_short_one(void **state)
{
    (void)state;
    static const char *TEXTS[] = {"{}\n{}\n", "[{},{}]", "[{}", "   ", "{}", "[{}]  "};
    char got[256];
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        for (size_t at = 0; at <= strlen(TEXTS[i]); at++) {
            cut(TEXTS[i], strlen(TEXTS[i]), 1, at, got, sizeof got);
            assert_int_equal(got[strlen(got) - 1], 'F');
        }
    }
}

static void one_reader_serves_many_files(void **state)
{
    (void)state;
    struct upload upload;
    struct upload_record at;
    assert_true(upload_init(&upload, MOST_BYTES));
    for (int i = 0; i < 3; i++) {
        struct source source = {.text = "[{}", .length = 3, .piece = 1, .fail_at = SIZE_MAX};
        upload_open(&upload, source_read, &source);
        assert_int_equal(upload_next(&upload, &at), UPLOAD_RECORD);
        assert_int_equal(at.offset, 1);
        assert_int_equal(upload_next(&upload, &at), UPLOAD_BROKEN);
    }
    upload_free(&upload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_record),
        cmocka_unit_test(lines_are_records),
        cmocka_unit_test(blank_lines_count_but_are_no_records),
        cmocka_unit_test(a_line_need_not_be_json),
        cmocka_unit_test(elements_are_records),
        cmocka_unit_test(brackets_in_strings_do_not_count),
        cmocka_unit_test(a_bad_element_does_not_cost_the_others),
        cmocka_unit_test(an_array_that_does_not_fit_is_broken),
        cmocka_unit_test(a_record_over_the_limit_is_passed_over),
        cmocka_unit_test(a_record_at_the_limit_is_kept),
        cmocka_unit_test(an_oversized_record_shows_its_beginning),
        cmocka_unit_test(a_failing_file_is_told_from_a_short_one),
        cmocka_unit_test(one_reader_serves_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
