/*
 * test_webhook: where webhooks may be sent and where not, what is signed, and how long a failed one waits.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/webhook.h"
#include "core/webhook_place.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static void reads_urls(void **state)
{
    static const struct {
        const char *text;
        bool tls;
        const char *host;
        int port;
    } row[] = {
        {"https://hooks.example.com", true, "hooks.example.com", 443},
        {"https://Hooks.EXAMPLE.com/A/b?c=d@e", true, "hooks.example.com", 443},
        {"https://hooks.example.com:8443/", true, "hooks.example.com", 8443},
        {"https://a?x", true, "a", 443},
        {"https://a-b_c.d1/", true, "a-b_c.d1", 443},
        {"https://192.0.2.7/", true, "192.0.2.7", 443},
        {"https://[2001:DB8:0::1]:1/", true, "2001:db8::1", 1},
        {"http://127.0.0.1:8080/x", false, "127.0.0.1", 8080},
        {"http://127.9.9.9", false, "127.9.9.9", 80},
        {"http://[::1]:65535/", false, "::1", 65535},
    };
    struct webhook_url url;
    const char *rule;
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        if (!webhook_url_read(row[i].text, &url, &rule))
            fail_msg("%s: %s", row[i].text, rule);
        assert_string_equal(url.host, row[i].host);
        assert_int_equal(url.port, row[i].port);
        assert_int_equal(url.tls, row[i].tls);
    }
}

static void refuses_other_urls(void **state)
{
    static const char *const ROW[] = {
        "", "hooks.example.com", "//hooks.example.com/", "HTTPS://hooks.example.com", "ftp://hooks.example.com", "https:/hooks",
        "https://", "https:///x", "https://:443/", "https://user@hooks.example.com/", "https://u:p@hooks.example.com/",
        "https://good.example@evil.example/", "https://good.example:443@evil.example/", "https://hooks.example.com#x",
        "https://hooks.example.com\\@evil.example/", "https://hooks.example.com/ x", "https://hooks.example.com/\"",
        "https://hooks.example.com:/", "https://hooks.example.com:0/", "https://hooks.example.com:65536/",
        "https://hooks.example.com:080/", "https://hooks.example.com:1x/", "https://hooks.example.com:123456/",
        "https://.example.com/", "https://a..b/", "https://example.com./", "https://ex%61mple.com/", "https://h\xc3\xb6.de/",
        "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://127.0.0.01/",
        "https://256.0.0.1/", "https://a.b.0x7f/", "https://[127.0.0.1]/", "https://[::1/", "https://::1/", "https://[fe80::1%eth0]/",
        "https://[]/", "http://hooks.example.com/", "http://localhost/", "http://10.0.0.1/", "http://[::2]/", "http://128.0.0.1/",
    };
    char longest[WEBHOOK_URL_MAX + 1] = "https://hooks.example.com/";
    struct webhook_url url;
    const char *rule;
    (void)state;
    for (size_t i = 0; i < N(ROW); i++) {
        if (webhook_url_read(ROW[i], &url, &rule))
            fail_msg("%s was taken, host %s", ROW[i], url.host);
    }
    for (size_t i = strlen(longest); i < WEBHOOK_URL_MAX - 1; i++)
        longest[i] = 'x';
    assert_true(webhook_url_read(longest, &url, &rule));
    longest[WEBHOOK_URL_MAX - 1] = 'x';
    assert_false(webhook_url_read(longest, &url, &rule));
}

static bool allowed(const char *list, const char *text)
{
    struct webhook_url url;
    struct webhook_prefix inside;
    const char *rule;
    assert_true(webhook_hosts_valid(list, &rule));
    assert_true(webhook_url_read(text, &url, &rule));
    return webhook_hosts_allow(list, &url, &inside);
}

static void the_list_names_hosts_exactly(void **state)
{
    static const char LIST[] = "hooks.example.com, other.example:8443\thttps://Third.example,10.0.0.5:9000 [fd00::5]"
                               " inside.example=10.0.0.0/8 http://127.0.0.1:18080";
    static const struct {
        const char *url;
        bool good;
    } row[] = {
        {"https://hooks.example.com/x", true},      {"https://HOOKS.example.com:443/", true}, {"https://hooks.example.com:444/", false},
        {"https://a.hooks.example.com/", false},    {"https://example.com/", false},          {"https://hooks.example.com.evil/", false},
        {"https://other.example:8443/", true},      {"https://other.example/", false},        {"https://third.example/", true},
        {"https://10.0.0.5:9000/", true},           {"https://10.0.0.5/", false},             {"https://[fd00:0::5]/", true},
        {"https://inside.example/", true},          {"http://127.0.0.1:18080/", true},        {"https://127.0.0.1:18080/", false},
        {"http://127.0.0.1/", false},               {"http://127.0.0.2:18080/", false},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        if (allowed(LIST, row[i].url) != row[i].good)
            fail_msg("%s", row[i].url);
        assert_false(allowed("", row[i].url));
        assert_false(allowed(" , ,", row[i].url));
    }
}

static void refuses_lists_that_cannot_be_read(void **state)
{
    static const char *const ROW[] = {"*",           "*.example.com", "a/b",         "a:0",       "a=10.0.0.0",   "a=10.0.0.0/33", "a=x/8",
                                      "a=/8",        "a=10.0.0.0/",   "a=fd00::/129", "a=10.0.0.0/8x", "10.0.0.1=10.0.0.0/8", "good.example,,bad/",
                                      "http://a",    "ftp://a",       "a@b",         "http://10.0.0.1", "=10.0.0.0/8", "a;b"};
    const char *rule;
    (void)state;
    for (size_t i = 0; i < N(ROW); i++) {
        if (webhook_hosts_valid(ROW[i], &rule))
            fail_msg("%s was taken", ROW[i]);
    }
}

/* Whether a connection to the address may be opened for the URL under the list. */
static bool reaches(const char *list, const char *text, const char *address)
{
    struct webhook_url url;
    struct webhook_prefix inside;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    const char *rule;
    assert_true(webhook_url_read(text, &url, &rule));
    assert_true(webhook_hosts_allow(list, &url, &inside));
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return webhook_address_allowed((const struct sockaddr *)&four, &inside);
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return webhook_address_allowed((const struct sockaddr *)&six, &inside);
}

/* The first and the last address of each block that is not public, and the ones beside it. */
static void a_name_leads_to_public_addresses(void **state)
{
    static const char *const GOOD[] = {
        "1.0.0.0",       "9.255.255.255", "11.0.0.0",      "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",    "192.0.1.0",   "192.0.3.0",       "192.88.98.255",
        "192.88.100.0",  "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",  "198.51.99.255",   "198.51.101.0",
        "203.0.112.255", "203.0.114.0",   "223.255.255.255", "8.8.8.8",      "2000::",      "2001:200::1",     "2001:db7:ffff::1",
        "2001:db9::",    "2a00::1",       "3ffe:ffff::1",   "3fff:1000::",   "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"};
    static const char *const BAD[] = {
        "0.0.0.0",       "0.255.255.255", "10.0.0.0",      "10.255.255.255", "100.64.0.0",  "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
        "192.0.0.255",   "192.0.2.1",     "192.88.99.1",   "192.168.0.0",    "192.168.255.255", "198.18.0.0",  "198.19.255.255",
        "198.51.100.0",  "203.0.113.255", "224.0.0.0",     "239.255.255.255", "240.0.0.0",  "255.255.255.255", "::",
        "::1",           "fe80::1",       "febf::1",       "fc00::",         "fdff::1",     "ff02::1",         "1fff::1",
        "4000::",        "2001::1",       "2001:1ff::1",   "2001:db8::1",    "2002:7f00:1::", "2002::",        "3fff::1",
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::808:808"};
    const struct sockaddr local = {.sa_family = AF_UNIX};
    const struct webhook_prefix any = {0};
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++) {
        if (!reaches("a", "https://a/", GOOD[i]))
            fail_msg("%s is public", GOOD[i]);
    }
    for (size_t i = 0; i < N(BAD); i++) {
        if (reaches("a", "https://a/", BAD[i]))
            fail_msg("%s is not public", BAD[i]);
    }
    assert_false(webhook_address_allowed(&local, &any));
}

static void a_network_or_an_address_is_that_alone(void **state)
{
    (void)state;
    assert_true(reaches("a=10.1.0.0/16", "https://a/", "10.1.255.255"));
    assert_true(reaches("a=10.1.0.0/16", "https://a/", "::ffff:10.1.0.0"));
    assert_false(reaches("a=10.1.0.0/16", "https://a/", "10.2.0.0"));
    assert_false(reaches("a=10.1.0.0/16", "https://a/", "8.8.8.8"));
    assert_true(reaches("a=10.128.0.0/9", "https://a/", "10.128.0.1"));
    assert_false(reaches("a=10.128.0.0/9", "https://a/", "10.127.255.255"));
    assert_true(reaches("a=fd00::/8", "https://a/", "fdff::1"));
    assert_false(reaches("a=fd00::/8", "https://a/", "fe80::1"));
    assert_false(reaches("a=fd00::/8", "https://a/", "10.0.0.1"));
    assert_true(reaches("a=0.0.0.0/0", "https://a/", "127.0.0.1"));
    assert_true(reaches("http://127.0.0.1:99", "http://127.0.0.1:99/", "127.0.0.1"));
    assert_false(reaches("http://127.0.0.1:99", "http://127.0.0.1:99/", "127.0.0.2"));
    assert_true(reaches("10.0.0.5", "https://10.0.0.5/", "10.0.0.5"));
    assert_false(reaches("10.0.0.5", "https://10.0.0.5/", "8.8.8.8"));
    assert_true(reaches("[fd00::5]", "https://[fd00::5]/", "fd00::5"));
}

/* Made with Python's hmac and base64. */
static void signs_id_time_and_body(void **state)
{
    unsigned char secret[WEBHOOK_SECRET_BYTES];
    char text[WEBHOOK_SECRET_TEXT], signature[WEBHOOK_SIGNATURE_TEXT], other[WEBHOOK_SIGNATURE_TEXT];
    static const char ID[] = "7f5a3f1e-0000-4000-8000-000000000001";
    (void)state;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (unsigned char)i;
    webhook_secret_write(secret, text);
    assert_string_equal(text, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    assert_int_equal(webhook_sign(secret, ID, 1764460800, "{\"a\":1}", signature), FAULT_NONE);
    assert_string_equal(signature, "v1,9R2B+7QMiusA5IGX4MLlcj3PiFlLJTtNoMXX6AmLHdk=");
    assert_int_equal(webhook_sign(secret, ID, 1764460801, "{\"a\":1}", other), FAULT_NONE);
    assert_string_not_equal(signature, other);
    secret[31] ^= 1;
    assert_int_equal(webhook_sign(secret, ID, 1764460800, "{\"a\":1}", other), FAULT_NONE);
    assert_string_not_equal(signature, other);
    char *body = malloc(WEBHOOK_BODY_MAX + 200);
    memset(body, 'x', WEBHOOK_BODY_MAX + 199);
    body[WEBHOOK_BODY_MAX + 199] = '\0';
    assert_int_equal(webhook_sign(secret, ID, 1, body, other), FAULT_MEMORY);
    free(body);
}

static void pauses_grow_to_an_hour(void **state)
{
    (void)state;
    for (int attempts = 1; attempts < 100; attempts++) {
        int64_t most = webhook_pause_ms(attempts, 0), half = most / 2;
        assert_int_equal(most, attempts < 12 ? INT64_C(1000) << attempts : 3600000);
        assert_int_equal(webhook_pause_ms(attempts, (uint32_t)half), most - half);
        assert_int_equal(webhook_pause_ms(attempts, (uint32_t)half + 1), most);
        assert_true(webhook_pause_ms(attempts, UINT32_MAX) >= 1000);
    }
    assert_int_equal(webhook_pause_ms(1, 1000), 1000);
    assert_int_equal(webhook_pause_ms(0, 0), 2000);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(refuses_other_urls),
        cmocka_unit_test(the_list_names_hosts_exactly),
        cmocka_unit_test(refuses_lists_that_cannot_be_read),
        cmocka_unit_test(a_name_leads_to_public_addresses),
        cmocka_unit_test(a_network_or_an_address_is_that_alone),
        cmocka_unit_test(signs_id_time_and_body),
        cmocka_unit_test(pauses_grow_to_an_hour),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
