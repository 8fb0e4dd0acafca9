/*
 * test_client_place: which URLs a token may go to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consignctl/client_place.c" /* the tools are no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])

static struct client_place place;

static bool taken(const char *url, bool insecure_http)
{
    return client_place_read(url, insecure_http, &place) == NULL;
}

static void https_goes_anywhere(void **state)
{
    (void)state;
    assert_true(taken("https://consign.example.com", false));
    assert_string_equal(place.url, "https://consign.example.com");
    assert_false(place.plain);
    assert_true(taken("https://consign.example.com:8443/base//", false));
    assert_string_equal(place.url, "https://consign.example.com:8443/base");
    assert_true(taken("HTTPS://consign.example.com/", false));
    assert_false(place.plain);
}

static void http_goes_to_this_machine(void **state)
{
    static const char *const HERE[] = {"http://127.0.0.1:21100", "http://localhost/", "http://[::1]:80/a", "http://127.1.2.3"};
    static const char *const ELSEWHERE[] = {
        "http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com",
        "http://128.0.0.1", "http://[::2]", "http://[::ffff:10.0.0.1]", "http://0.0.0.0", "http://2130706434.example.com"};
    (void)state;
    for (size_t i = 0; i < N(HERE); i++)
        assert_true(taken(HERE[i], false) && place.plain);
    for (size_t i = 0; i < N(ELSEWHERE); i++) {
        assert_false(taken(ELSEWHERE[i], false));
        assert_true(taken(ELSEWHERE[i], true));
    }
}

static void what_a_url_may_not_have(void **state)
{
    static const char *const BAD[] = {
        "", "consign.example.com", "ftp://consign.example.com", "file:///etc/passwd", "https://", "https://user@a.example",
        "https://user:word@a.example", "https://a.example/?q=1", "https://a.example/#f", "https://a.example:99999",
        "https://127.0.0.1@evil.example", "https://a example", "//a.example", "https://a.example\r\nx: y"};
    char url[2 * CLIENT_PLACE_URL_MAX];
    (void)state;
    for (size_t i = 0; i < N(BAD); i++)
        assert_false(taken(BAD[i], true));
    memset(url, 'a', sizeof url);
    memcpy(url, "https://a.example/", 18);
    url[sizeof url - 1] = '\0';
    assert_false(taken(url, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(https_goes_anywhere),
        cmocka_unit_test(http_goes_to_this_machine),
        cmocka_unit_test(what_a_url_may_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
