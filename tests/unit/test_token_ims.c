/*
 * test_token_ims: tokens in the profile of the reference product's identity service (contract.md
 * section 2, profile `ims`).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/right.h"
#include "core/token.h"
#include "forge.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define NOW 1700000000
#define AS "\"as\":\"ims-na1\""
#define TYPE "\"type\":\"access_token\""
#define CLIENT "\"client_id\":\"c1\""
#define TIMES "\"created_at\":\"1700000000000\",\"expires_in\":\"86400000\""
#define WITH(members) "{" AS "," TYPE "," CLIENT "," TIMES "," members "}"
#define TIMED(members) "{" AS "," TYPE "," CLIENT "," members "}"
#define HEADER "{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"x5u\":\"ims_na1-key-1.cer\",\"itt\":\"at\"}"

static struct arena *arena;
static EVP_PKEY *pair;
static struct issuers *list;
static struct token_claims claims;

/* Three issuers with one key between them: only the names and profiles tell them apart. */
static int set_up(void **state)
{
    char path[SCRATCH_PATH_MAX], said[4096];
    (void)state;
    arena = arena_new(1024 * 1024);
    pair = forge_rsa(2048);
    list = issuers_new();
    if (arena == NULL || pair == NULL || list == NULL)
        return 1;
    scratch_path(path, "keys.json");
    const char *keys = forge_jwks(arena, pair, "ims-key");
    scratch_write(path, keys, strlen(keys), 0600);
    int saved = scratch_listen();
    bool good = issuers_add(list, arena, "ims-na1", ISSUER_IMS, NULL, path) == FAULT_NONE &&
                issuers_add(list, arena, "ims-aud", ISSUER_IMS, "consign", path) == FAULT_NONE &&
                issuers_add(list, arena, "https://rfc", ISSUER_RFC9068, "consign", path) == FAULT_NONE;
    scratch_heard(saved, said, sizeof said);
    return !good;
}

static int tear_down(void **state)
{
    issuers_free(list);
    EVP_PKEY_free(pair);
    arena_free(arena);
    return scratch_end(state);
}

static const char *verify_at(const char *header, const char *payload, int64_t now_s)
{
    const char *reason = NULL;
    arena_reset(arena);
    const char *token = forge_token(arena, pair, header, payload);
    return token_verify(list, arena, token, strlen(token), now_s, &claims, &reason) ? NULL : reason;
}

static void assert_verdict(size_t row, const char *got, const char *wanted)
{
    if ((got == NULL) != (wanted == NULL) || (got != NULL && strcmp(got, wanted) != 0))
        fail_msg("row %zu: %s, not %s", row, got == NULL ? "good" : got, wanted == NULL ? "good" : wanted);
}

static const struct {
    const char *payload, *reason;
} PAYLOADS[] = {
    {"{" AS "," TYPE "," CLIENT "," TIMES "}", NULL},
    {WITH("\"id\":\"x\",\"user_id\":\"u@AdobeID\",\"state\":null,\"moi\":1,\"rtid\":[],\"sid\":{}"), NULL},
    /* whose it is: iss, or as when there is no iss */
    {"{\"iss\":\"ims-na1\"," TYPE "," CLIENT "," TIMES "}", NULL}, {WITH("\"iss\":\"ims-na1\""), NULL},
    {WITH("\"iss\":\"ims-na2\""), "iss"}, {WITH("\"iss\":\"\""), "iss"}, {WITH("\"iss\":null"), "iss"}, {WITH("\"iss\":1"), "iss"},
    {"{\"as\":\"ims-na2\",\"iss\":\"ims-na1\"," TYPE "," CLIENT "," TIMES "}", NULL},
    {"{" TYPE "," CLIENT "," TIMES "}", "iss"}, {"{\"as\":\"ims-na2\"," TYPE "," CLIENT "," TIMES "}", "iss"},
    {"{\"as\":\"IMS-NA1\"," TYPE "," CLIENT "," TIMES "}", "iss"}, {"{\"as\":[\"ims-na1\"]," TYPE "," CLIENT "," TIMES "}", "iss"},
    {"{\"as\":null," TYPE "," CLIENT "," TIMES "}", "iss"}, {"{\"as\":\"\"," TYPE "," CLIENT "," TIMES "}", "iss"},
    /* what it is */
    {"{" AS ",\"type\":\"id_token\"," CLIENT "," TIMES "}", "type"}, {"{" AS ",\"type\":\"refresh_token\"," CLIENT "," TIMES "}", "type"},
    {"{" AS ",\"type\":\"authorization_code\"," CLIENT "," TIMES "}", "type"}, {"{" AS ",\"type\":\"device_token\"," CLIENT "," TIMES "}", "type"},
    {"{" AS ",\"type\":\"Access_Token\"," CLIENT "," TIMES "}", "type"}, {"{" AS ",\"type\":\"access_token \"," CLIENT "," TIMES "}", "type"},
    {"{" AS ",\"type\":[\"access_token\"]," CLIENT "," TIMES "}", "type"}, {"{" AS ",\"type\":null," CLIENT "," TIMES "}", "type"},
    {"{" AS "," CLIENT "," TIMES "}", "type"},
    /* until when: created_at + expires_in, texts of digits, milliseconds */
    {TIMED("\"created_at\":\"1700000029999\",\"expires_in\":\"1\""), NULL},
    {TIMED("\"created_at\":\"1700000030999\",\"expires_in\":\"1\""), NULL}, {TIMED("\"created_at\":\"1700000031000\",\"expires_in\":\"1\""), "created_at"},
    {TIMED("\"created_at\":\"999999999999999\",\"expires_in\":\"1\""), "created_at"},
    {TIMED("\"created_at\":\"1\",\"expires_in\":\"999999999999999\""), NULL}, {TIMED("\"created_at\":\"0\",\"expires_in\":\"999999999999999\""), NULL},
    {TIMED("\"created_at\":\"0\",\"expires_in\":\"0\""), "exp"}, {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"0\""), NULL}, /* skew */
    {TIMED("\"created_at\":\"1699999960000\",\"expires_in\":\"10999\""), "exp"}, {TIMED("\"created_at\":\"1699999960000\",\"expires_in\":\"11000\""), NULL},
    {TIMED("\"created_at\":\"001700000000000\",\"expires_in\":\"000000086400000\""), NULL},
    {TIMED("\"created_at\":1700000000000,\"expires_in\":\"86400000\""), "created_at"}, {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":86400000"), "created_at"},
    {TIMED("\"created_at\":1700000000000,\"expires_in\":86400000"), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"9999999999999999\""), "created_at"}, /* 16 digits */
    {TIMED("\"created_at\":\"0001700000000000\",\"expires_in\":\"86400000\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"18446744073709551617\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"99999999999999999999999999999999999999999\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"-1\""), "created_at"}, {TIMED("\"created_at\":\"-1\",\"expires_in\":\"86400000\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"+86400000\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"\""), "created_at"}, {TIMED("\"created_at\":\"\",\"expires_in\":\"86400000\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\" 86400000\""), "created_at"}, {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"86400000 \""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"8.64e7\""), "created_at"}, {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"0x5265C00\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"\xd9\xa1\""), "created_at"}, /* an Arabic-Indic digit */
    {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":null"), "created_at"}, {TIMED("\"created_at\":null,\"expires_in\":\"86400000\""), "created_at"},
    {TIMED("\"created_at\":[\"1700000000000\"],\"expires_in\":\"86400000\""), "created_at"},
    {TIMED("\"created_at\":\"1700000000000\""), "created_at"}, {TIMED("\"created_at\":\"1700000000000\",\"exp\":1700000600"), "created_at"},
    {TIMED("\"expires_in\":\"86400000\""), "exp"}, {"{" AS "," TYPE "," CLIENT "}", "exp"},
    /* or exp, or both: the earlier counts */
    {TIMED("\"exp\":1700000600"), NULL}, {TIMED("\"exp\":1699999971"), NULL}, {TIMED("\"exp\":1699999970"), "exp"}, {TIMED("\"exp\":\"1700000600\""), "exp"},
    {TIMED("\"exp\":1700000600,\"expires_in\":\"1\""), NULL}, {TIMED("\"exp\":null"), "exp"}, {TIMED("\"exp\":1700000600.5"), "exp"},
    {TIMED("\"exp\":1700000600000000000000"), "form"}, {TIMED("\"exp\":-1"), "exp"},
    {WITH("\"exp\":1700000600"), NULL}, {WITH("\"exp\":1699999970"), "exp"}, {WITH("\"exp\":null"), "exp"}, {WITH("\"exp\":\"x\""), "exp"},
    {TIMED("\"created_at\":\"1\",\"expires_in\":\"1\",\"exp\":1700000600"), "exp"},
    {WITH("\"nbf\":1700000031"), "nbf"}, {WITH("\"iat\":1700000031"), "iat"}, {WITH("\"iat\":\"x\""), "iat"},
    /* for whom: this issuer has no audience */
    {WITH("\"aud\":\"anything\""), NULL}, {WITH("\"aud\":null"), NULL},
    /* who */
    {"{" AS "," TYPE "," TIMES "}", "client_id"}, {"{" AS "," TYPE ",\"client_id\":\"\"," TIMES "}", "client_id"},
    {"{" AS "," TYPE ",\"client_id\":7," TIMES "}", "client_id"}, {"{" AS "," TYPE ",\"user_id\":\"c1\"," TIMES "}", "client_id"},
    {WITH("\"org\":\"a@AdobeOrg\""), NULL}, {WITH("\"org\":7"), "org"},
    {WITH("\"scope\":\"openid,AdobeID\""), NULL}, {WITH("\"scope\":[\"openid\"]"), "scope"}, {WITH("\"scope\":null"), "scope"},
    {WITH("\"type\":\"access_token\""), "form"}, {WITH("\"\\u0074ype\":\"id_token\""), "form"}, {WITH("\"created_at\":\"1\""), "form"},
    {WITH("\"as\":\"ims-na1\""), "form"},
};

static void payloads(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(PAYLOADS); i++)
        assert_verdict(i, verify_at(HEADER, PAYLOADS[i].payload, NOW), PAYLOADS[i].reason);
}

static const struct {
    const char *header, *reason;
} HEADERS[] = {
    {HEADER, NULL}, {"{\"alg\":\"RS256\",\"kid\":\"ims-key\"}", NULL}, {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":\"JWT\"}", NULL},
    {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":\"jwt\"}", NULL},
    /* an address is never used, whatever it is */
    {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"x5u\":\"http://127.0.0.1:1/evil.cer\"}", NULL}, {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"x5u\":1}", NULL},
    {"{\"alg\":\"RS256\",\"x5u\":\"ims-key\"}", "kid"}, {"{\"alg\":\"RS256\",\"kid\":\"ims_na1-key-1.cer\",\"x5u\":\"ims_na1-key-1.cer\"}", "kid"},
    {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":\"at+jwt\"}", "typ"}, {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":\"\"}", "typ"},
    {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":null}", "typ"}, {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":1}", "typ"},
    {"{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"crit\":[\"x5u\"]}", "crit"}, {"{\"alg\":\"HS256\",\"kid\":\"ims-key\"}", "alg"},
    {"{\"alg\":\"none\",\"kid\":\"ims-key\"}", "alg"},
};

static void headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(HEADERS); i++)
        assert_verdict(i, verify_at(HEADERS[i].header, "{" AS "," TYPE "," CLIENT "," TIMES "}", NOW), HEADERS[i].reason);
}

/* A token in the one profile is none in the other, although the key is the same. */
static void profiles_are_not_mixed(void **state)
{
    static const char AT[] = "{\"alg\":\"RS256\",\"kid\":\"ims-key\",\"typ\":\"at+jwt\"}";
    static const struct {
        const char *header, *payload, *reason;
    } ROWS[] = {
        {AT, "{\"iss\":\"https://rfc\",\"aud\":\"consign\",\"exp\":1700000600," CLIENT "}", NULL},
        {HEADER, "{\"iss\":\"https://rfc\",\"aud\":\"consign\",\"exp\":1700000600," TYPE "," CLIENT "}", "typ"},
        {AT, "{\"as\":\"https://rfc\",\"aud\":\"consign\",\"exp\":1700000600," CLIENT "}", "iss"}, /* as is not its name */
        {AT, "{\"iss\":\"https://rfc\",\"aud\":\"consign\"," TYPE "," CLIENT "," TIMES "}", "exp"},
        {AT, "{\"iss\":\"ims-na1\",\"aud\":\"consign\",\"exp\":1700000600," CLIENT "}", "typ"},
        {HEADER, "{\"iss\":\"ims-na1\",\"aud\":\"consign\",\"exp\":1700000600," CLIENT "}", "type"},
        {HEADER, "{\"as\":\"ims-aud\"," TYPE "," CLIENT "," TIMES "}", "aud"},
        {HEADER, "{\"as\":\"ims-aud\",\"aud\":\"other\"," TYPE "," CLIENT "," TIMES "}", "aud"},
        {HEADER, "{\"as\":\"ims-aud\",\"aud\":[\"other\",\"consign\"]," TYPE "," CLIENT "," TIMES "}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++)
        assert_verdict(i, verify_at(ROWS[i].header, ROWS[i].payload, NOW), ROWS[i].reason);
}

static void rights_from_scope(void **state)
{
    static const struct {
        const char *scope;
        unsigned rights;
    } ROWS[] = {
        {"openid,AdobeID,read_organizations", RIGHT_ALL}, {"", RIGHT_ALL}, {"openid,export:read", RIGHT_EXPORT_READ},
        {"export:read,export:write,files:read", RIGHT_EXPORT_READ | RIGHT_EXPORT_WRITE | RIGHT_FILES_READ},
        {",,export:read,,", RIGHT_EXPORT_READ}, {"EXPORT:READ,export:write", RIGHT_EXPORT_WRITE},
    };
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++) {
        char payload[512];
        snprintf(payload, sizeof payload, WITH("\"scope\":\"%s\""), ROWS[i].scope);
        assert_null(verify_at(HEADER, payload, NOW));
        assert_int_equal(claims.rights, ROWS[i].rights);
        assert_string_equal(claims.client_id, "c1");
    }
}

static void ends_with_the_earlier_of_both(void **state)
{
    static const struct {
        const char *payload;
        int64_t until_s;
    } ROWS[] = {
        {TIMED("\"created_at\":\"1700000000999\",\"expires_in\":\"60000\""), NOW + 60}, {TIMED("\"exp\":1700000060"), NOW + 60},
        {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"60000\",\"exp\":1700000090"), NOW + 60},
        {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"90000\",\"exp\":1700000060"), NOW + 60},
        {TIMED("\"created_at\":\"1700000000000\",\"expires_in\":\"86400000\""), NOW + 86400},
    };
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++) {
        int64_t end = ROWS[i].until_s + TOKEN_SKEW_S;
        assert_verdict(i, verify_at(HEADER, ROWS[i].payload, end - 1), NULL);
        assert_int_equal(claims.until_s, end);
        assert_verdict(i, verify_at(HEADER, ROWS[i].payload, end), "exp");
        assert_verdict(i, verify_at(HEADER, ROWS[i].payload, end + 86400), "exp");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads),           cmocka_unit_test(headers),
        cmocka_unit_test(profiles_are_not_mixed), cmocka_unit_test(rights_from_scope),
        cmocka_unit_test(ends_with_the_earlier_of_both),
    };
    return cmocka_run_group_tests_name("token_ims", tests, set_up, tear_down);
}
