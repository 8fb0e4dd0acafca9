/*
 * test_jws: published vectors, and what is near to a good signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/jws.h"
#include "forge.h"
#include "scratch.h"
#include "vectors.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define SET(members) "{\"keys\":[{" members "}]}"
#define GOOD NULL
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static struct arena *arena;
static EVP_PKEY *rsa, *p256, *ed;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(2 * 1024 * 1024);
    rsa = forge_rsa(2048);
    p256 = forge_p256();
    ed = forge_ed25519();
    return arena == NULL || rsa == NULL || p256 == NULL || ed == NULL;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(ed);
    arena_free(arena);
    return scratch_end(state);
}

static struct jwks *read_set(const char *text)
{
    struct jwks *set = NULL;
    const char *reason;
    char said[4096];
    int saved = scratch_listen();
    enum fault fault = jwks_read(arena, "test", text, strlen(text), &set, &reason);
    scratch_heard(saved, said, sizeof said);
    if (fault != FAULT_NONE)
        fail_msg("%s: %s", text, reason);
    return set;
}

/* The reason of the refusal, "form" when it can't be taken apart, NULL when it is good. */
static const char *verify(const char *text, const char *set, bool need_kid)
{
    struct jws jws;
    const char *reason = "form";
    size_t length = strlen(text);
    char *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, text, length);
    struct jwks *keys = read_set(set);
    bool good = jws_split(arena, exact, length, &jws) && jws_verify(&jws, keys, need_kid, &reason);
    jwks_free(keys);
    free(exact);
    return good ? NULL : reason;
}

static void assert_verdict(size_t row, const char *got, const char *wanted)
{
    if ((got == NULL) != (wanted == NULL) || (got != NULL && strcmp(got, wanted) != 0))
        fail_msg("row %zu: %s, not %s", row, got == NULL ? "good" : got, wanted == NULL ? "good" : wanted);
}

static const struct {
    const char *token, *set, *reason;
} VECTORS[] = {
    {VECTOR_A2, SET(VECTOR_RSA), GOOD}, {VECTOR_A3, SET(VECTOR_EC), GOOD}, {VECTOR_ED_A4, SET(VECTOR_ED), GOOD},
    {VECTOR_A2, SET(VECTOR_RSA ",\"kid\":\"k\",\"alg\":\"RS256\",\"use\":\"sig\""), GOOD},
    /* HS256: no set holds a secret, and the public keys are none */
    {VECTOR_A1, SET(VECTOR_RSA) , "alg"}, {VECTOR_A1, SET(VECTOR_EC), "alg"}, {VECTOR_A1, SET(VECTOR_ED), "alg"},
    {VECTOR_A1, "{\"keys\":[{" VECTOR_HMAC "},{" VECTOR_RSA "}]}", "alg"},
    /* ES512 */
    {VECTOR_A4, SET(VECTOR_RSA), "alg"}, {VECTOR_A4, SET(VECTOR_EC), "alg"}, {VECTOR_A4, "{\"keys\":[{" VECTOR_P521 "},{" VECTOR_EC "}]}", "alg"},
    /* none */
    {VECTOR_A5, SET(VECTOR_RSA), "form"}, {VECTOR_A5, SET(VECTOR_EC), "form"}, {VECTOR_A5 "AAAA", SET(VECTOR_RSA), "alg"},
    /* each under the key of another kind */
    {VECTOR_A2, SET(VECTOR_EC), "alg"}, {VECTOR_A2, SET(VECTOR_ED), "alg"}, {VECTOR_A3, SET(VECTOR_RSA), "alg"},
    {VECTOR_A3, SET(VECTOR_ED), "alg"}, {VECTOR_ED_A4, SET(VECTOR_RSA), "alg"}, {VECTOR_ED_A4, SET(VECTOR_EC), "alg"},
    /* which of two? nothing is tried */
    {VECTOR_A2, "{\"keys\":[{" VECTOR_RSA "},{" VECTOR_EC "}]}", "kid"},
};

static void published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(VECTORS); i++) {
        arena_reset(arena);
        assert_verdict(i, verify(VECTORS[i].token, VECTORS[i].set, false), VECTORS[i].reason);
        if (VECTORS[i].reason == GOOD) /* none of them names its key */
            assert_verdict(i, verify(VECTORS[i].token, VECTORS[i].set, true), "kid");
    }
}

static void parts_are_what_they_were(void **state)
{
    static const char TOKEN[] = VECTOR_A3;
    struct jws jws;
    (void)state;
    arena_reset(arena);
    assert_true(jws_split(arena, TOKEN, strlen(TOKEN), &jws));
    assert_ptr_equal(jws.covered, TOKEN);
    assert_int_equal(jws.covered_length, strlen("eyJhbGciOiJFUzI1NiJ9." VECTOR_PAYLOAD));
    assert_string_equal(jws.payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
    assert_int_equal(jws.payload_length, strlen(jws.payload));
    assert_int_equal(jws.signature_length, 86);
    assert_string_equal(jsonio_member_text(jws.header, "alg"), "ES256");
}

/* Any one digit of a published token changed, or the token cut anywhere. The unused bits of last digits
 * are digits too: one text only for each value. */
static void no_digit_may_change(void **state)
{
    static const struct {
        const char *token, *set;
    } GOOD_ONES[] = {{VECTOR_A2, SET(VECTOR_RSA)}, {VECTOR_A3, SET(VECTOR_EC)}, {VECTOR_ED_A4, SET(VECTOR_ED)}};
    (void)state;
    for (size_t i = 0; i < N(GOOD_ONES); i++) {
        char text[1024];
        struct jwks *keys = read_set(GOOD_ONES[i].set);
        size_t length = strlen(GOOD_ONES[i].token);
        for (size_t at = 0; at < length; at++) {
            for (const char *digit = "ABCDZaz019-_=.+ "; *digit != '\0'; digit++) {
                struct jws jws;
                const char *reason;
                arena_reset(arena);
                strcpy(text, GOOD_ONES[i].token);
                if (text[at] == *digit)
                    continue;
                text[at] = *digit;
                if (jws_split(arena, text, length, &jws) && jws_verify(&jws, keys, false, &reason))
                    fail_msg("token %zu: %c at %zu is accepted", i, *digit, at);
            }
            struct jws jws;
            const char *reason;
            arena_reset(arena);
            if (jws_split(arena, GOOD_ONES[i].token, at, &jws) && jws_verify(&jws, keys, false, &reason))
                fail_msg("token %zu: the first %zu digits are accepted", i, at);
        }
        jwks_free(keys);
    }
}

/* A token of the P-256 key whose signature is given. */
static char *with_signature(const char *covered, const unsigned char *signature, size_t length)
{
    return arena_printf(arena, "%s.%s", covered, forge_encode(arena, signature, length));
}

static void put_number(unsigned char *out, const char *hex, unsigned add)
{
    BIGNUM *n = NULL;
    assert_int_not_equal(BN_hex2bn(&n, hex), 0);
    assert_int_equal(BN_add_word(n, add), 1);
    assert_int_equal(BN_bn2binpad(n, out, 32), 32);
    BN_free(n);
}

/* CVE-2022-21449 and its kind: numbers outside of 1 to n - 1. */
static void ecdsa_numbers_out_of_range(void **state)
{
    static const struct {
        const char *r, *s;
        unsigned add_r, add_s;
    } PAIRS[] = {
        {"0", "0", 0, 0}, {"0", "1", 0, 0}, {"1", "0", 0, 0}, {"1", "1", 0, 0}, {P256_ORDER, P256_ORDER, 0, 0}, {P256_ORDER, "1", 0, 0},
        {"1", P256_ORDER, 0, 0}, {P256_ORDER, "1", 1, 0}, {"1", P256_ORDER, 0, 1}, {P256_ORDER, "0", 0, 0}, {"0", P256_ORDER, 0, 0},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "1", 0, 0},
        /* r is the base point's x, which a wrong inverse of s would find */
        {"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", P256_ORDER, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(PAIRS); i++) {
        unsigned char signature[64];
        arena_reset(arena);
        const char *token = forge_token(arena, p256, "{\"alg\":\"ES256\",\"kid\":\"k\"}", "{}"), *set = forge_jwks(arena, p256, "k");
        assert_null(verify(token, set, true));
        const char *covered = arena_printf(arena, "%.*s", (int)(strrchr(token, '.') - token), token);
        put_number(signature, PAIRS[i].r, PAIRS[i].add_r);
        put_number(signature + 32, PAIRS[i].s, PAIRS[i].add_s);
        assert_verdict(i, verify(with_signature(covered, signature, 64), set, true), "signature");
    }
}

/* Forms of the right two numbers that other libraries take. */
static void ecdsa_other_forms(void **state)
{
    unsigned char flat[FORGE_SIGNATURE_MAX], other[FORGE_SIGNATURE_MAX] = {0};
    (void)state;
    arena_reset(arena);
    const char *set = forge_jwks(arena, p256, "k");
    const char *covered = arena_printf(arena, "%s.%s", forge_encode(arena, "{\"alg\":\"ES256\",\"kid\":\"k\"}", 25), "e30");
    assert_int_equal(forge_sign(p256, covered, strlen(covered), NULL, flat), 64);
    assert_null(verify(with_signature(covered, flat, 64), set, true));
    assert_string_equal(verify(with_signature(covered, flat, 63), set, true), "signature");
    memcpy(other, flat, 64);
    assert_string_equal(verify(with_signature(covered, other, 65), set, true), "signature");
    assert_string_equal(verify(with_signature(covered, other, 128), set, true), "signature");
    memcpy(other + 1, flat, 64); /* a zero before it */
    other[0] = 0;
    assert_string_equal(verify(with_signature(covered, other, 65), set, true), "signature");
    memset(other, 0, sizeof other); /* a zero before each number */
    memcpy(other + 1, flat, 32);
    memcpy(other + 34, flat + 32, 32);
    assert_string_equal(verify(with_signature(covered, other, 66), set, true), "signature");
    memcpy(other, flat + 32, 32); /* the wrong way round */
    memcpy(other + 32, flat, 32);
    assert_string_equal(verify(with_signature(covered, other, 64), set, true), "signature");
    assert_string_equal(verify(with_signature(covered, flat, 32), set, true), "signature");

    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *to = other;
    ECDSA_SIG_set0(pair, BN_bin2bn(flat, 32, NULL), BN_bin2bn(flat + 32, 32, NULL));
    size_t length = (size_t)i2d_ECDSA_SIG(pair, &to);
    ECDSA_SIG_free(pair);
    assert_in_range(length, 66, 72);
    assert_string_equal(verify(with_signature(covered, other, length), set, true), "signature");
    assert_string_equal(verify(with_signature(covered, other, 64), set, true), "signature");
}

/* RFC 8032 section 5.1.7: S is below the order of the group, else every signature has many forms. */
static void eddsa_other_forms(void **state)
{
    static const unsigned char ORDER[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                            0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned char good[FORGE_SIGNATURE_MAX], bad[FORGE_SIGNATURE_MAX] = {0};
    (void)state;
    arena_reset(arena);
    const char *set = forge_jwks(arena, ed, "k");
    const char *covered = arena_printf(arena, "%s.%s", forge_encode(arena, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", 25), "e30");
    assert_int_equal(forge_sign(ed, covered, strlen(covered), NULL, good), 64);
    assert_null(verify(with_signature(covered, good, 64), set, true));
    memcpy(bad, good, 64);
    for (unsigned i = 0, carry = 0; i < 32; i++) { /* S + L, little end first */
        carry += (unsigned)bad[32 + i] + ORDER[i];
        bad[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_string_equal(verify(with_signature(covered, bad, 64), set, true), "signature");
    static const size_t LENGTHS[] = {1, 32, 63};
    for (size_t i = 0; i < N(LENGTHS); i++)
        assert_string_equal(verify(with_signature(covered, good, LENGTHS[i]), set, true), "signature");
    memcpy(bad, good, 64);
    assert_string_equal(verify(with_signature(covered, bad, 65), set, true), "signature");
    assert_string_equal(verify(with_signature(covered, bad, 114), set, true), "signature"); /* as long as Ed448's */
    memset(bad, 0, sizeof bad);
    assert_string_equal(verify(with_signature(covered, bad, 64), set, true), "signature");
    bad[0] = 1; /* R the neutral element, S zero */
    assert_string_equal(verify(with_signature(covered, bad, 64), set, true), "signature");
}

/* Signed by the right key; only what the header says is wrong. Both keys are in the set. */
static const struct {
    const char *header, *reason;
} HEADERS[] = {
    {"{\"alg\":\"ES256\",\"kid\":\"e\"}", GOOD}, {"{\"alg\":\"ES256\",\"kid\":\"\\u0065\"}", GOOD},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"jwk\":{},\"jku\":\"http://127.0.0.1:1/\",\"x5u\":1,\"x5c\":null,\"typ\":7}", GOOD},
    {"{\"alg\":\"RS256\",\"kid\":\"e\"}", "alg"}, {"{\"alg\":\"HS256\",\"kid\":\"e\"}", "alg"}, {"{\"alg\":\"ES384\",\"kid\":\"e\"}", "alg"},
    {"{\"alg\":\"es256\",\"kid\":\"e\"}", "alg"}, {"{\"alg\":\"none\",\"kid\":\"e\"}", "alg"}, {"{\"kid\":\"e\"}", "alg"},
    {"{\"alg\":null,\"kid\":\"e\"}", "alg"}, {"{\"alg\":[\"ES256\"],\"kid\":\"e\"}", "alg"},
    {"{\"alg\":\"ES256\",\"kid\":\"r\"}", "alg"}, {"{\"alg\":\"RS256\",\"kid\":\"r\"}", "signature"},
    {"{\"alg\":\"ES256\",\"kid\":\"d\"}", "alg"}, {"{\"alg\":\"EdDSA\",\"kid\":\"d\"}", "signature"},
    {"{\"alg\":\"ES256\"}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":\"\"}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":\"E\"}", "kid"},
    {"{\"alg\":\"ES256\",\"kid\":null}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":1}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":[\"e\"]}", "kid"},
    {"{\"alg\":\"ES256\",\"kid\":{\"e\":1}}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":\"../e\"}", "kid"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[]}", "crit"}, {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[\"exp\"]}", "crit"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":null}", "crit"}, {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":\"\"}", "crit"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"crit\":[\"b64\"],\"b64\":false}", "crit"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"b64\":false}", "b64"}, {"{\"alg\":\"ES256\",\"kid\":\"e\",\"b64\":true}", "b64"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"b64\":null}", "b64"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\",\"kid\":\"e\"}", "form"}, {"{\"alg\":\"ES256\",\"kid\":\"e\",\"\\u0061lg\":\"none\"}", "form"},
    {"{\"alg\":\"ES256\",\"kid\":\"e\\u0000\"}", "form"}, {"[]", "form"}, {"\"ES256\"", "form"}, {"null", "form"}, {" ", "form"}, {"{", "form"},
};

static void headers_choose_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(HEADERS); i++) {
        arena_reset(arena);
        const char *set = arena_printf(arena, "{\"keys\":[%s,%s,%s]}", forge_jwk(arena, rsa, ",\"kid\":\"r\""),
                                       forge_jwk(arena, p256, ",\"kid\":\"e\""), forge_jwk(arena, ed, ",\"kid\":\"d\""));
        const char *token = forge_token(arena, p256, HEADERS[i].header, "{}");
        assert_verdict(i, verify(token, set, true), HEADERS[i].reason);
    }
}

/* A kid that is there but no text is refused even where none is needed. */
static void without_a_kid_the_only_key_serves(void **state)
{
    static const struct {
        const char *header, *reason;
    } ROWS[] = {{"{\"alg\":\"ES256\"}", GOOD}, {"{\"alg\":\"ES256\",\"kid\":\"k\"}", GOOD}, {"{\"alg\":\"ES256\",\"kid\":\"x\"}", "kid"},
                {"{\"alg\":\"ES256\",\"kid\":\"\"}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":null}", "kid"}, {"{\"alg\":\"ES256\",\"kid\":1}", "kid"}};
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++) {
        arena_reset(arena);
        assert_verdict(i, verify(forge_token(arena, p256, ROWS[i].header, "{}"), forge_jwks(arena, p256, "k"), false), ROWS[i].reason);
    }
}

/* A signature of any length must not reach beyond the buffer it is decoded into. */
static void long_signatures_are_refused(void **state)
{
    (void)state;
    arena_reset(arena);
    const char *set = forge_jwks(arena, rsa, "k");
    const char *head = forge_encode(arena, "{\"alg\":\"RS256\",\"kid\":\"k\"}", 25);
    for (int digits = 1360; digits < 1380; digits++) {
        char *signature = arena_alloc(arena, (size_t)digits + 1);
        memset(signature, 'A', (size_t)digits);
        assert_string_equal(verify(arena_printf(arena, "%s.e30.%s", head, signature), set, true), "signature");
    }
    char *signature = arena_alloc(arena, 8001);
    memset(signature, 'A', 8000);
    assert_string_equal(verify(arena_printf(arena, "%s.e30.%s", head, signature), set, true), "signature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),         cmocka_unit_test(parts_are_what_they_were),
        cmocka_unit_test(no_digit_may_change),       cmocka_unit_test(ecdsa_numbers_out_of_range),
        cmocka_unit_test(ecdsa_other_forms),         cmocka_unit_test(eddsa_other_forms),
        cmocka_unit_test(headers_choose_nothing),    cmocka_unit_test(without_a_kid_the_only_key_serves),
        cmocka_unit_test(long_signatures_are_refused),
    };
    return cmocka_run_group_tests_name("jws", tests, set_up, tear_down);
}
