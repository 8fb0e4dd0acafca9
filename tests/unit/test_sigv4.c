/*
 * test_sigv4: signatures against Amazon's published examples ("Signature Calculations for the Authorization Header", Amazon S3
 * API Reference), and HMAC against RFC 4231.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypto.h"
#include "lib/sigv4.h"

static const struct sigv4_key KEY = {.access = "AKIAIOSFODNN7EXAMPLE",
                                     .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                     .region = "us-east-1",
                                     .service = "s3"};

static void check(const char *query, const char *token, const char *also, const char *signature)
{
    char out[SIGV4_AUTHORIZATION_MAX], expected[SIGV4_AUTHORIZATION_MAX];
    struct sigv4_request request = {.method = "GET",
                                    .host = "examplebucket.s3.amazonaws.com",
                                    .path = "/",
                                    .query = query,
                                    .body_sha256 = SIGV4_EMPTY,
                                    .date = "20130524T000000Z",
                                    .token = token};
    assert_int_equal(sigv4_authorization(&KEY, &request, out), FAULT_NONE);
    strcpy(expected, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                     "SignedHeaders=host;x-amz-content-sha256;x-amz-date");
    strcat(expected, also);
    strcat(expected, ", Signature=");
    strcat(expected, signature);
    assert_string_equal(out, expected);
}

static void published_examples(void **state)
{
    (void)state;
    check("lifecycle=", "", "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    check("max-keys=2&prefix=J", "", "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* The first example with a token, by Python's hmac and hashlib, which come to the published signature without it. */
static void a_session_token_is_signed(void **state)
{
    (void)state;
    check("lifecycle=", "FwoGZXIvYXdzEXAMPLE//token+with/slashes==", ";x-amz-security-token",
          "a9988ad72b7f606cde8f85145e801177d3bb66adc580b3955e75d6222ca92e3d");
}

static void the_date_is_utc(void **state)
{
    char date[SIGV4_DATE_MAX];
    (void)state;
    sigv4_date(INT64_C(1369353600000), date);
    assert_string_equal(date, "20130524T000000Z");
    sigv4_date(INT64_C(951827696999), date);
    assert_string_equal(date, "20000229T123456Z");
}

static void what_does_not_fit_is_refused(void **state)
{
    char out[SIGV4_AUTHORIZATION_MAX], secret[SIGV4_SECRET_MAX + 1], path[8192];
    struct sigv4_key key = KEY;
    (void)state;
    memset(secret, 's', sizeof secret - 1);
    secret[sizeof secret - 1] = '\0';
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct sigv4_request request = {
        .method = "GET", .host = "x", .path = "/", .query = "", .body_sha256 = SIGV4_EMPTY, .date = "20130524T000000Z",
        .token = ""};
    assert_int_equal(sigv4_authorization(&key, &request, out), FAULT_NONE);
    key.secret = secret;
    assert_int_equal(sigv4_authorization(&key, &request, out), FAULT_INTERNAL);
    key.secret = KEY.secret;
    request.path = path;
    assert_int_equal(sigv4_authorization(&key, &request, out), FAULT_INTERNAL);
}

static void hmac_known_vectors(void **state)
{
    unsigned char key[131], out[CRYPTO_SHA256_BYTES];
    char hex[CRYPTO_SHA256_HEX];
    (void)state;
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    crypto_hex(out, sizeof out, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    crypto_hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    crypto_hex(out, sizeof out, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples), cmocka_unit_test(a_session_token_is_signed), cmocka_unit_test(the_date_is_utc),
        cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(hmac_known_vectors)};
    return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
