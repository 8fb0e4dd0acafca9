/*
 * test_http: names are looked up, kept, and kept longer while the resolver is down. With a clock and a resolver of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define getaddrinfo resolver_ask
#define freeaddrinfo resolver_free
#define clock_monotonic_ms clock_told
#include "lib/http.c" /* NOLINT(bugprone-suspicious-include) */

#include <arpa/inet.h>
#include <netinet/in.h>

#include "scratch.h"

#define URL "https://store.test/x"

static int64_t now_ms = 1000000;
static int asked;
static bool down;
static const char *address;

int64_t clock_told(void)
{
    return now_ms;
}

int resolver_ask(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                 struct addrinfo **restrict found)
{
    static struct sockaddr_in at = {.sin_family = AF_INET};
    static struct addrinfo one = {.ai_addr = (struct sockaddr *)&at, .ai_addrlen = sizeof at};
    (void)service;
    (void)hints;
    asked++;
    assert_string_equal(name, "store.test");
    inet_pton(AF_INET, address, &at.sin_addr);
    *found = &one;
    return down ? EAI_AGAIN : 0;
}

void resolver_free(struct addrinfo *found)
{
    (void)found;
}

static void check_pin(struct http *h, bool good, int times, const char *entry)
{
    char said[1024];
    asked = 0;
    int saved = scratch_listen();
    assert_true(http_pin(h, URL) == good);
    scratch_heard(saved, said, sizeof said);
    assert_int_equal(asked, times);
    assert_true((strstr(said, "what=resolve") != NULL) == (down && times > 0));
    assert_true(entry == NULL ? h->pin == NULL : strcmp(h->pin->data, entry) == 0);
}

static void a_resolver_that_is_down_is_not_asked_for_each_request(void **state)
{
    struct http *h = http_new();
    (void)state;
    assert_non_null(h);
    address = "192.0.2.1";
    down = true;
    check_pin(h, false, 1, NULL);
    check_pin(h, false, 1, NULL); /* there is nothing to go by */
    down = false;
    check_pin(h, true, 1, "store.test:443:192.0.2.1");
    check_pin(h, true, 0, "store.test:443:192.0.2.1");
    down = true;
    now_ms += HTTP_RESOLVED_MS;
    check_pin(h, true, 1, "store.test:443:192.0.2.1");
    check_pin(h, true, 0, "store.test:443:192.0.2.1");
    now_ms += HTTP_RESOLVED_MS;
    down = false;
    address = "192.0.2.2";
    check_pin(h, true, 1, "store.test:443:192.0.2.2");
    http_free(h);
}

static void a_request_that_goes_nowhere_is_logged(void **state)
{
    static const char *const BAD[] = {"", "store", "ftp://", "https://", "https://a b/"};
    struct http *h = http_new();
    (void)state;
    assert_non_null(h);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct http_request request = {.method = "GET", .url = BAD[i], .ca_file = "", .silence_ms = 1000};
        struct http_answer answer;
        char said[1024];
        address = "192.0.2.1";
        int saved = scratch_listen();
        enum http_outcome outcome = http_call(h, &request, &answer);
        scratch_heard(saved, said, sizeof said);
        str_free(&answer.body);
        if (outcome != HTTP_CUT || strstr(said, "event=http ") == NULL)
            fail_msg("%s: %s", BAD[i], said);
    }
    http_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_resolver_that_is_down_is_not_asked_for_each_request),
                                       cmocka_unit_test(a_request_that_goes_nowhere_is_logged)};
    return !http_prepare() || cmocka_run_group_tests_name("http", tests, NULL, scratch_end);
}
