/*
 * test_client_text: what a server says before it touches a terminal, a path or a disk; and the line of a refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consignctl/client_problem.c" /* the tools are no part of the archive */
#include "consignctl/client_text.c"

#define N(array) (sizeof(array) / sizeof(array)[0])

static void control_characters_do_not_reach_a_terminal(void **state)
{
    char out[32];
    (void)state;
    assert_string_equal(client_text_safe(out, sizeof out, "plain Zo\xc3\xab \xe2\x82\xac"), "plain Zo\xc3\xab \xe2\x82\xac");
    assert_string_equal(client_text_safe(out, sizeof out, "a\033[2Jb\r\nc\td\x7f"), "a?[2Jb??c?d?");
    assert_string_equal(client_text_safe(out, sizeof out, "\xc2\x9b" "2J\xc2\x80\xc2\x9f\xc2\xa0"), "?2J??\xc2\xa0");
    assert_string_equal(client_text_safe(out, 4, "abcdef"), "abc");
    assert_string_equal(client_text_safe(out, 4, "ab\xc2"), "ab\xc2");
    assert_string_equal(client_text_safe(out, 1, "abc"), "");
}

static void names_of_files_are_of_one_form(void **state)
{
    static const char *const GOOD[] = {"part-00000-5d0c6f2e.zstd.parquet", "part-0.json", "part-..", "part-"};
    static const char *const BAD[] = {"", ".", "..", "../a", "a/b", "/etc/passwd", ".bashrc", "-rf", "_a", "a b", "a\nb", "a\\b",
                                      "a:b", "\xc3\xab", "manifest.json", "part.partial", ".partial", "a%2fb", "~a", "Makefile",
                                      "part..json", "Part-0", "xpart-0", "part-0.partial", "part-/a", "part-\xc3\xab"};
    char name[202];
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++)
        assert_true(client_text_is_file_name(GOOD[i]));
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(client_text_is_file_name(BAD[i]));
    memset(name, 'a', sizeof name);
    memcpy(name, "part-", 5);
    name[201] = '\0';
    assert_false(client_text_is_file_name(name));
    name[200] = '\0';
    assert_true(client_text_is_file_name(name));
}

static void ids_numbers_headers_and_digests_are_looked_at(void **state)
{
    (void)state;
    assert_true(client_text_is_id("5b020a27e7040801dedba61b") && client_text_is_id("aB-0"));
    assert_false(client_text_is_id("") || client_text_is_id("..") || client_text_is_id("a/b") || client_text_is_id("a?b"));
    assert_true(client_text_is_number("7") && client_text_is_number("1234567890123456"));
    assert_false(client_text_is_number("") || client_text_is_number("-1") || client_text_is_number("12345678901234567") ||
                 client_text_is_number("1a"));
    assert_true(client_text_is_header("ACME@AdobeOrg", 256));
    assert_false(client_text_is_header("", 9) || client_text_is_header("a\r\nb: c", 99) || client_text_is_header("a b", 9) ||
                 client_text_is_header("\xc3\xab", 9) || client_text_is_header("abc", 2));
    assert_true(client_text_is_sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_false(client_text_is_sha256("E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") ||
                 client_text_is_sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"));
}

static void a_range_is_the_rest_or_none(void **state)
{
    (void)state;
    assert_true(client_text_is_rest("bytes 10-99/100", 10, 100) && client_text_is_rest("Bytes 0-0/1", 0, 1));
    assert_false(client_text_is_rest("bytes 0-99/100", 10, 100) || client_text_is_rest("bytes 10-98/100", 10, 100) ||
                 client_text_is_rest("bytes 10-99/*", 10, 100) || client_text_is_rest("bytes 10-99/101", 10, 100) ||
                 client_text_is_rest("", 10, 100));
}

/* The line of a body. */
static const char *line(long status, const char *body)
{
    static char out[2048];
    return client_problem_text(out, sizeof out, status, body, body == NULL ? 0 : strlen(body));
}

static void refusals_are_one_line(void **state)
{
    (void)state;
    assert_string_equal(line(400, "{\"type\":\"/problems/malformed\",\"title\":\"T\",\"status\":400,\"detail\":\"D\","
                                  "\"requestId\":\"R\",\"pointer\":\"/a/b\"}"),
                        "status 400: T: D; pointer /a/b; request R");
    assert_string_equal(line(401, "{\"error_code\":\"401013\",\"message\":\"no\"}"), "status 401: no; error code 401013");
    assert_string_equal(line(401, "{\"error\":\"invalid_client\",\"error_description\":\"wrong\"}"),
                        "status 401: invalid_client: wrong");
    assert_string_equal(line(500, "<html>"), "status 500");
    assert_string_equal(line(500, NULL), "status 500");
    assert_string_equal(line(404, "[1]"), "status 404");
    assert_string_equal(line(404, "{\"title\":7}"), "status 404");
    assert_non_null(strstr(line(302, "{\"title\":\"T\"}"), "elsewhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_do_not_reach_a_terminal),
        cmocka_unit_test(names_of_files_are_of_one_form),
        cmocka_unit_test(ids_numbers_headers_and_digests_are_looked_at),
        cmocka_unit_test(a_range_is_the_rest_or_none),
        cmocka_unit_test(refusals_are_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
