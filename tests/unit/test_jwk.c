/*
 * test_jwk: which keys are taken, and that a key verifies its own signatures and nothing near them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/jwk.h"
#include "forge.h"
#include "vectors.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define K50 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define K255 K50 K50 K50 K50 K50 "kkkkk"
#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define TEXT "what is signed"

#define TYPE "the key type is none that is taken"
#define PURPOSE "not for verifying signatures"
#define ALGORITHM "alg is not the one of this key type"
#define KID "kid is not a text of at most 255 bytes"
#define NUMBERS "n or e is malformed or too long"
#define SMALL "the modulus has less than 2048 bit"
#define NO_RSA "the numbers are no RSA key"
#define POINT "x or y is not 32 bytes"
#define CURVE "the point is not on the curve"
#define EDWARDS "x is not 32 bytes"

static struct arena *arena;
static EVP_PKEY *rsa, *rsa4096, *p256, *ed;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(1024 * 1024);
    rsa = forge_rsa(2048);
    rsa4096 = forge_rsa(4096);
    p256 = forge_p256();
    ed = forge_ed25519();
    return arena == NULL || rsa == NULL || rsa4096 == NULL || p256 == NULL || ed == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa4096);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(ed);
    arena_free(arena);
    return 0;
}

static struct jwk *read_key(const char *text, const char **reason)
{
    struct json_object *tree = NULL;
    struct jsonio_refusal broken;
    struct jscan_limits limits = {.depth = 8, .bytes = 65536};
    assert_int_equal(jsonio_parse(arena, text, strlen(text), limits, &tree, &broken), FAULT_NONE);
    return jwk_read(tree, reason);
}

static void assert_reason(size_t row, const char *text, const char *wanted)
{
    const char *reason = NULL;
    struct jwk *key = read_key(text, &reason);
    if ((key == NULL) != (wanted != NULL) || (wanted != NULL && strcmp(reason, wanted) != 0))
        fail_msg("row %zu: %s, not %s", row, key != NULL ? "taken" : reason, wanted == NULL ? "taken" : wanted);
    jwk_free(key);
}

static const struct {
    const char *text, *reason;
} KEYS[] = {
    {"{" VECTOR_RSA "}", NULL}, {"{" VECTOR_EC "}", NULL}, {"{" VECTOR_ED "}", NULL},
    {"{" VECTOR_RSA ",\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":\"a\",\"x5t\":1,\"other\":[{}]}", NULL},
    {"{" VECTOR_EC ",\"alg\":\"ES256\",\"use\":\"sig\"}", NULL}, {"{" VECTOR_ED ",\"alg\":\"EdDSA\",\"use\":\"sig\"}", NULL},
    {"{" VECTOR_RSA ",\"key_ops\":[\"verify\"]}", NULL}, {"{" VECTOR_RSA ",\"key_ops\":[\"sign\",\"verify\"]}", NULL},
    {"{" VECTOR_RSA ",\"key_ops\":[1,null,\"verify\"],\"use\":\"sig\"}", NULL},
    {"{" VECTOR_RSA ",\"kid\":\"\"}", NULL}, {"{" VECTOR_RSA ",\"kid\":\"" K255 "\"}", NULL},
    {"{" VECTOR_RSA ",\"kid\":\"../\\u00e9' OR 1=1 --\"}", NULL},
    /* a private key in the file is read as the public one */
    {"{" VECTOR_RSA ",\"d\":\"AQAB\",\"p\":\"AQAB\",\"q\":\"AQAB\",\"dp\":1,\"dq\":null,\"qi\":[]}", NULL},
    {"{" VECTOR_EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}", NULL},
    {"[]", "not an object"}, {"[{" VECTOR_RSA "}]", "not an object"}, {"\"RSA\"", "not an object"}, {"1", "not an object"},
    {"null", "not an object"}, {"true", "not an object"},
    {"{}", TYPE}, {"{\"kty\":1}", TYPE}, {"{\"kty\":null}", TYPE}, {"{\"kty\":\"rsa\"}", TYPE}, {"{\"kty\":\"\"}", TYPE},
    {"{\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQAB\"}", TYPE}, {"{\"kty\":[\"RSA\"]}", TYPE},
    {"{" VECTOR_HMAC "}", TYPE}, {"{" VECTOR_HMAC ",\"alg\":\"HS256\"}", TYPE}, {"{" VECTOR_HMAC ",\"alg\":\"RS256\",\"crv\":\"P-256\"}", TYPE},
    {"{" VECTOR_P521 "}", TYPE}, {"{" VECTOR_P521 ",\"alg\":\"ES256\"}", TYPE},
    {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" A43 "\",\"y\":\"" A43 "\"}", TYPE},
    {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" A43 "\",\"y\":\"" A43 "\"}", TYPE},
    {"{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":\"" VECTOR_EC_X "\",\"y\":\"" VECTOR_EC_Y "\"}", TYPE},
    {"{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" VECTOR_ED_X "\"}", TYPE}, {"{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" VECTOR_ED_X "\"}", TYPE},
    {"{\"kty\":\"EC\",\"x\":\"" VECTOR_EC_X "\",\"y\":\"" VECTOR_EC_Y "\"}", TYPE}, {"{\"kty\":\"EC\",\"crv\":256}", TYPE},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" VECTOR_ED_X "\"}", TYPE}, {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" VECTOR_ED_X "\"}", TYPE},
    {"{\"kty\":\"OKP\",\"x\":\"" VECTOR_ED_X "\"}", TYPE},
    {"{" VECTOR_RSA ",\"use\":\"enc\"}", PURPOSE}, {"{" VECTOR_RSA ",\"use\":\"\"}", PURPOSE}, {"{" VECTOR_RSA ",\"use\":null}", PURPOSE},
    {"{" VECTOR_RSA ",\"use\":1}", PURPOSE}, {"{" VECTOR_RSA ",\"use\":[\"sig\"]}", PURPOSE}, {"{" VECTOR_RSA ",\"use\":\"SIG\"}", PURPOSE},
    {"{" VECTOR_RSA ",\"key_ops\":[]}", PURPOSE}, {"{" VECTOR_RSA ",\"key_ops\":[\"sign\"]}", PURPOSE},
    {"{" VECTOR_RSA ",\"key_ops\":[\"encrypt\",\"Verify\",1]}", PURPOSE}, {"{" VECTOR_RSA ",\"key_ops\":\"verify\"}", PURPOSE},
    {"{" VECTOR_RSA ",\"key_ops\":null}", PURPOSE}, {"{" VECTOR_RSA ",\"key_ops\":{\"verify\":1}}", PURPOSE},
    {"{" VECTOR_RSA ",\"key_ops\":[[\"verify\"]]}", PURPOSE}, {"{" VECTOR_RSA ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}", PURPOSE},
    {"{" VECTOR_RSA ",\"use\":\"sig\",\"key_ops\":[\"sign\"]}", PURPOSE}, {"{" VECTOR_ED ",\"use\":\"enc\"}", PURPOSE},
    {"{" VECTOR_RSA ",\"alg\":\"PS256\"}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":\"RS384\"}", ALGORITHM},
    {"{" VECTOR_RSA ",\"alg\":\"RS512\"}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":\"RSA-OAEP\"}", ALGORITHM},
    {"{" VECTOR_RSA ",\"alg\":\"HS256\"}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":\"none\"}", ALGORITHM},
    {"{" VECTOR_RSA ",\"alg\":\"ES256\"}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":\"rs256\"}", ALGORITHM},
    {"{" VECTOR_RSA ",\"alg\":\"\"}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":null}", ALGORITHM}, {"{" VECTOR_RSA ",\"alg\":256}", ALGORITHM},
    {"{" VECTOR_EC ",\"alg\":\"ES384\"}", ALGORITHM}, {"{" VECTOR_EC ",\"alg\":\"ECDH-ES\"}", ALGORITHM},
    {"{" VECTOR_ED ",\"alg\":\"ES256\"}", ALGORITHM},
    {"{" VECTOR_RSA ",\"kid\":1}", KID}, {"{" VECTOR_RSA ",\"kid\":null}", KID}, {"{" VECTOR_RSA ",\"kid\":[\"a\"]}", KID},
    {"{" VECTOR_RSA ",\"kid\":{}}", KID}, {"{" VECTOR_RSA ",\"kid\":true}", KID}, {"{" VECTOR_RSA ",\"kid\":\"" K255 "k\"}", KID},
    {"{\"kty\":\"RSA\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":1,\"e\":\"AQAB\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":null,\"e\":\"AQAB\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "==\",\"e\":\"AQAB\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\" " VECTOR_RSA_N "\",\"e\":\"AQAB\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\\n\",\"e\":\"AQAB\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"+/" VECTOR_RSA_N "\",\"e\":\"AQAB\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"A\",\"e\":\"AQAB\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"\"}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":65537}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":null}", NUMBERS}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQABAQABAQAB\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQAB=\"}", NUMBERS},
    {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", SMALL}, {"{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}", SMALL},
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"Aw\"}", NULL}, /* 3: legal, if unusual */
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQ\"}", NO_RSA}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AA\"}", NO_RSA},
    {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"Ag\"}", NO_RSA}, {"{\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQAA\"}", NO_RSA},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", POINT}, {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_X "\"}", POINT},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" VECTOR_EC_Y "\"}", POINT}, {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":2}", POINT},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_X "=\",\"y\":\"" VECTOR_EC_Y "\"}", POINT},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_Y "\",\"y\":\"" VECTOR_EC_X "\"}", CURVE},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_X "\",\"y\":\"" VECTOR_EC_X "\"}", CURVE},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A43 "\",\"y\":\"" A43 "\"}", CURVE}, /* what stands for infinity */
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________________________8\",\"y\":\"" VECTOR_EC_Y "\"}", CURVE},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", EDWARDS}, {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\"}", EDWARDS},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":1}", EDWARDS}, {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" VECTOR_ED_X "=\"}", EDWARDS},
};

static void keys_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(KEYS); i++) {
        arena_reset(arena);
        assert_reason(i, KEYS[i].text, KEYS[i].reason);
    }
}

static void rsa_sizes(void **state)
{
    static const struct {
        unsigned bits;
        const char *reason;
    } SIZES[] = {{1024, SMALL}, {2047, SMALL}, {2048, NULL}};
    (void)state;
    arena_reset(arena);
    for (size_t i = 0; i < N(SIZES); i++) {
        EVP_PKEY *pair = forge_rsa(SIZES[i].bits);
        assert_int_equal(EVP_PKEY_get_bits(pair), SIZES[i].bits);
        assert_reason(i, forge_jwk(arena, pair, ""), SIZES[i].reason);
        EVP_PKEY_free(pair);
    }
    assert_reason(4, forge_jwk(arena, rsa4096, ""), NULL);
}

static char *rsa_text(const unsigned char *n, size_t length)
{
    return arena_printf(arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}", forge_encode(arena, n, length));
}

/* The product of two moduli of 4096 bit passes for one of 8192, which would take long to make. */
static void rsa_longest(void **state)
{
    unsigned char raw[2100] = {0};
    BIGNUM *n = NULL, *other = NULL, *product = BN_new();
    BN_CTX *context = BN_CTX_new();
    EVP_PKEY *second = forge_rsa(4096);
    (void)state;
    arena_reset(arena);
    assert_int_equal(EVP_PKEY_get_bn_param(rsa4096, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(second, OSSL_PKEY_PARAM_RSA_N, &other), 1);
    assert_int_equal(BN_mul(product, n, other, context), 1);
    assert_int_equal(BN_bn2binpad(product, raw, 1024), 1024);
    assert_reason(0, rsa_text(raw, 1024), NULL);
    memmove(raw + 1, raw, 1024);
    raw[0] = 1;
    assert_reason(1, rsa_text(raw, 1025), NUMBERS);
    assert_reason(2, rsa_text(raw, 2048), NUMBERS);
    assert_reason(3, rsa_text(raw, sizeof raw), NUMBERS);
    raw[1023] &= 0xfe; /* even */
    assert_reason(4, rsa_text(raw, 1024), NO_RSA);
    BN_free(n);
    BN_free(other);
    BN_free(product);
    BN_CTX_free(context);
    EVP_PKEY_free(second);
}

/* Libraries are known to write the modulus with a zero byte before it (RFC 7518 section 6.3.1.1). */
static void rsa_with_leading_zeros_is_the_same_key(void **state)
{
    unsigned char raw[300] = {0}, signature[FORGE_SIGNATURE_MAX];
    BIGNUM *n = NULL;
    const char *reason;
    (void)state;
    arena_reset(arena);
    assert_int_equal(EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    size_t length = forge_sign(rsa, TEXT, strlen(TEXT), NULL, signature);
    for (int bytes = 256; bytes < 260; bytes++) { /* leading zero octets */
        BN_bn2binpad(n, raw, bytes);
        struct jwk *key = read_key(rsa_text(raw, (size_t)bytes), &reason);
        assert_non_null(key);
        assert_true(jwk_verify(key, TEXT, strlen(TEXT), signature, length));
        jwk_free(key);
    }
    memset(raw, 0, sizeof raw); /* zeros do not lengthen a short key */
    raw[sizeof raw - 1] = 7;
    assert_reason(0, rsa_text(raw, sizeof raw), SMALL);
    BN_free(n);
}

static void lengths_of_points(void **state)
{
    static const unsigned char BYTES[40] = {4};
    (void)state;
    for (size_t length = 1; length < sizeof BYTES; length++) {
        arena_reset(arena);
        const char *text = forge_encode(arena, BYTES, length);
        if (length == 32)
            continue;
        assert_reason(length, arena_printf(arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"" VECTOR_EC_Y "\"}", text), POINT);
        assert_reason(length, arena_printf(arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_X "\",\"y\":\"%s\"}", text), POINT);
        assert_reason(length, arena_printf(arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}", text), EDWARDS);
    }
}

static void says_its_id_and_algorithm(void **state)
{
    const char *reason;
    (void)state;
    arena_reset(arena);
    EVP_PKEY *const pairs[] = {rsa, p256, ed};
    for (size_t i = 0; i < N(pairs); i++) {
        struct jwk *key = read_key(forge_jwk(arena, pairs[i], ",\"kid\":\"" K255 "\""), &reason);
        assert_string_equal(jwk_id(key), K255);
        assert_string_equal(jwk_algorithm(key), forge_algorithm(pairs[i]));
        jwk_free(key);
        key = read_key(forge_jwk(arena, pairs[i], ""), &reason);
        assert_string_equal(jwk_id(key), "");
        jwk_free(key);
    }
    jwk_free(NULL);
}

/* Its own signature, and not one with a bit changed, a byte more or less, or over another text. */
static void verifies_its_own_signatures_only(void **state)
{
    EVP_PKEY *const pairs[] = {rsa, rsa4096, p256, ed};
    unsigned char good[FORGE_SIGNATURE_MAX], bad[FORGE_SIGNATURE_MAX];
    const char *reason;
    (void)state;
    for (size_t i = 0; i < N(pairs); i++) {
        arena_reset(arena);
        struct jwk *key = read_key(forge_jwk(arena, pairs[i], ""), &reason);
        memset(good, 0, sizeof good);
        size_t length = forge_sign(pairs[i], TEXT, strlen(TEXT), NULL, good);
        assert_true(jwk_verify(key, TEXT, strlen(TEXT), good, length));
        assert_false(jwk_verify(key, TEXT, strlen(TEXT) - 1, good, length));
        assert_false(jwk_verify(key, "What is signed", strlen(TEXT), good, length));
        assert_false(jwk_verify(key, "", 0, good, length));
        for (size_t cut = 0; cut < length; cut += cut + 1 == length ? 1 : length - 1)
            assert_false(jwk_verify(key, TEXT, strlen(TEXT), good, cut));
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), good, length + 1));
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), good, sizeof good));
        for (size_t bit = 0; bit < length * 8; bit += length > 64 ? 37 : 1) {
            memcpy(bad, good, length);
            bad[bit / 8] ^= (unsigned char)(1 << bit % 8);
            if (jwk_verify(key, TEXT, strlen(TEXT), bad, length))
                fail_msg("key %zu: bit %zu may be changed", i, bit);
        }
        memset(bad, 0, sizeof bad);
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), bad, length));
        memset(bad, 0xff, sizeof bad);
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), bad, length));
        EVP_PKEY *stranger = i < 2 ? forge_rsa(2048) : i == 2 ? forge_p256() : forge_ed25519();
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), bad, forge_sign(stranger, TEXT, strlen(TEXT), NULL, bad)));
        EVP_PKEY_free(stranger);
        jwk_free(key);
    }
}

/* RSASSA-PSS, and PKCS1 with other digests, by the right key. */
static void rsa_takes_no_other_padding_or_digest(void **state)
{
    const EVP_MD *const digests[] = {EVP_sha1(), EVP_sha384(), EVP_sha512(), EVP_md5()};
    unsigned char signature[FORGE_SIGNATURE_MAX];
    const char *reason;
    (void)state;
    arena_reset(arena);
    struct jwk *key = read_key(forge_jwk(arena, rsa, ""), &reason);
    for (size_t i = 0; i < N(digests); i++)
        assert_false(jwk_verify(key, TEXT, strlen(TEXT), signature, forge_sign(rsa, TEXT, strlen(TEXT), digests[i], signature)));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner;
    size_t length = sizeof signature;
    assert_int_equal(EVP_DigestSignInit(context, &inner, EVP_sha256(), NULL, rsa), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &length, (const unsigned char *)TEXT, strlen(TEXT)), 1);
    assert_int_equal(length, 256);
    assert_false(jwk_verify(key, TEXT, strlen(TEXT), signature, length));
    EVP_MD_CTX_free(context);
    jwk_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(rsa_sizes),
        cmocka_unit_test(rsa_longest),
        cmocka_unit_test(rsa_with_leading_zeros_is_the_same_key),
        cmocka_unit_test(lengths_of_points),
        cmocka_unit_test(says_its_id_and_algorithm),
        cmocka_unit_test(verifies_its_own_signatures_only),
        cmocka_unit_test(rsa_takes_no_other_padding_or_digest),
    };
    return cmocka_run_group_tests_name("jwk", tests, set_up, tear_down);
}
