/*
 * test_token_payload: what a signed payload must say, member by member (profile rfc9068).
 */
#include "token_maker.h"

static const struct {
    const char *payload, *reason;
} PAYLOADS[] = {
    {PAYLOAD, NULL},
    {WITH("\"nbf\":1700000000,\"iat\":1700000000"), NULL},
    {WITH("\"nbf\":1700000030,\"iat\":1700000030"), NULL},
    {WITH("\"sub\":7,\"jti\":null,\"nonce\":\"x\""), NULL}, /* what we don't read may be anything */
    {WITH("\"scope\":\"\",\"org\":\"a@AdobeOrg\""), NULL},
    {"{" WHO "," CLIENT ",\"exp\":1699999971}", NULL}, /* 29 s ago */
    {"{" WHO "," CLIENT ",\"exp\":9007199254740991}", NULL},
    {"{\"iss\":\"" ISSUER "\"," EXP "," CLIENT ",\"aud\":[\"consign\"]}", NULL},
    {"{\"iss\":\"" ISSUER "\"," EXP "," CLIENT ",\"aud\":[\"x\",\"consign\",\"y\"]}", NULL},
    {"{" WHO "," EXP ",\"client_id\":\"" C64 C64 "\"}", NULL},
    {"{" WHO "," CLIENT ",\"exp\":1699999970}", "exp"}, /* 30 s ago: the skew is over */
    {"{" WHO "," CLIENT ",\"exp\":1699999969}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":0}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":-9007199254740991}", "exp"},
    {"{" WHO "," CLIENT "}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":null}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":\"1700000600\"}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":1700000600.5}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":1700000600.0}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":1.8e9}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":[1700000600]}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":true}", "exp"},
    {"{" WHO "," CLIENT ",\"EXP\":1700000600}", "exp"},
    {"{" WHO "," CLIENT ",\"exp\":9223372036854775808}", "form"},
    {"{" WHO "," CLIENT ",\"exp\":9007199254740992}", "form"},
    {"{" WHO "," CLIENT ",\"exp\":01700000600}", "form"},
    {"{" WHO "," CLIENT ",\"exp\":1e999}", "form"},
    {WITH("\"nbf\":1700000031"), "nbf"}, {WITH("\"nbf\":9007199254740991"), "nbf"}, {WITH("\"nbf\":\"1\""), "nbf"},
    {WITH("\"nbf\":null"), "nbf"}, {WITH("\"nbf\":1.5"), "nbf"},
    {WITH("\"iat\":1700000031"), "iat"}, {WITH("\"iat\":9007199254740991"), "iat"}, {WITH("\"iat\":\"1\""), "iat"},
    {WITH("\"iat\":null"), "iat"}, {WITH("\"iat\":{}"), "iat"},
    {"{\"iss\":\"https://evil.example\",\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":\"" ISSUER "/\",\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":\"" ISSUER ".evil.example\",\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":\"HTTPS://consign.example\",\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":\"\",\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":null,\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":[\"" ISSUER "\"],\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"aud\":\"consign\"," EXP "," CLIENT "}", "iss"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":\"other\"," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":\"Consign\"," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":\"c1\",\"nonce\":\"n\"," EXP "," CLIENT "}", "aud"}, /* an ID token's audience is the client */
    {"{\"iss\":\"" ISSUER "\",\"aud\":\"\"," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":null," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":[]," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"consign \"]," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":[[\"consign\"]]," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":[null,1,{}]," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\",\"aud\":{\"consign\":\"consign\"}," EXP "," CLIENT "}", "aud"},
    {"{\"iss\":\"" ISSUER "\"," EXP "," CLIENT "}", "aud"},
    {"{" WHO "," EXP "}", "client_id"},
    {"{" WHO "," EXP ",\"sub\":\"c1\"}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":\"\"}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":1}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":null}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":[\"c1\"]}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":\"" C64 C64 "c\"}", "client_id"},
    {"{" WHO "," EXP ",\"client_id\":\"c1\\u0000\"}", "form"},
    {WITH("\"org\":1"), "org"}, {WITH("\"org\":null"), "org"}, {WITH("\"org\":[\"a\"]"), "org"},
    {WITH("\"org\":\"" C64 "aaaaaaa@AdobeOrg\""), NULL}, {WITH("\"org\":\"" C64 "aaaaaaaa@AdobeOrg\""), "org"}, /* 80 bytes, 81 */
   
    {WITH("\"scope\":1"), "scope"}, {WITH("\"scope\":null"), "scope"}, {WITH("\"scope\":[\"export:read\"]"), "scope"},
    {WITH("\"client_id\":\"c1\""), "form"}, {WITH("\"client_id\":\"c2\""), "form"}, {WITH("\"exp\":1"), "form"},
    {WITH("\"\\u0065xp\":1800000000"), "form"}, {WITH("\"x\":{\"a\":1,\"a\":2}"), "form"},
    {"[" PAYLOAD "]", "form"}, {"[]", "form"}, {"\"c1\"", "form"}, {"null", "form"}, {"7", "form"}, {"{}", "iss"}, {"c1", "form"},
    {" ", "form"}, {PAYLOAD PAYLOAD, "form"}, {PAYLOAD "x", "form"}, {"{" WHO "," EXP "," CLIENT, "form"},
    {"{" WHO "," EXP "," CLIENT ",}", "form"}, {"{" WHO "," EXP "," CLIENT ",\"x\":NaN}", "form"},
    {"{" WHO "," EXP "," CLIENT ",\"x\":\"\x01\"}", "form"}, {"{" WHO "," EXP "," CLIENT ",\"x\":\"\xff\"}", "form"},
    {"{" WHO "," EXP "," CLIENT ",\"x\":\"\\ud800\"}", "form"}, {"iss=" ISSUER "&client_id=c1", "form"},
};

static void payloads_are_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(PAYLOADS); i++) {
        arena_reset(arena);
        assert_reason(i, make(HEADER, PAYLOADS[i].payload), PAYLOADS[i].reason);
    }
}

static void claims_are_what_the_token_says(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_null(verify(make(HEADER, WITH("\"org\":\"a@AdobeOrg\",\"scope\":\"openid,export:read\""))));
    assert_string_equal(claims.client_id, "c1");
    assert_string_equal(claims.org, "a@AdobeOrg");
    assert_int_equal(claims.rights, RIGHT_EXPORT_READ);
    assert_null(verify(make(HEADER, "{" WHO "," EXP ",\"client_id\":\"c\\u0031\"}")));
    assert_string_equal(claims.client_id, "c1");
    assert_string_equal(claims.org, "");
    assert_int_equal(claims.rights, RIGHT_ALL);
    assert_int_equal(claims.until_s, 1700000600 + TOKEN_SKEW_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_are_strict),
        cmocka_unit_test(claims_are_what_the_token_says),
    };
    return cmocka_run_group_tests_name("token_payload", tests, set_up, tear_down);
}
