/*
 * jwk: one public key. See jwk.h.
 */
#include "core/jwk.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/str.h"

#define JWK_RSA_BITS_LEAST 2048
#define JWK_RSA_BYTES_MOST 1024
#define JWK_EXPONENT_BYTES_MOST 8
#define JWK_POINT_BYTES 32 /* a coordinate of P-256, a key of Ed25519 */
#define JWK_FIXED_SIGNATURE 64 /* of ES256 and EdDSA */

enum jwk_kind { JWK_RSA, JWK_P256, JWK_ED25519 };

struct jwk {
    enum jwk_kind kind;
    EVP_PKEY *key;
    char kid[JWK_KID_MAX + 1];
};

static const char *const ALGORITHMS[] = {[JWK_RSA] = "RS256", [JWK_P256] = "ES256", [JWK_ED25519] = "EdDSA"};

/* Decodes a base64url member of at most `most` bytes; its length is checked before it is converted. */
static bool jwk_bytes(struct json_object *object, const char *name, size_t most, unsigned char *out, size_t *length)
{
    const char *text = jsonio_member_text(object, name);
    size_t digits = text == NULL ? 0 : strlen(text);
    return digits > 0 && digits <= (most * 4 + 2) / 3 && crypto_base64url_decode(text, digits, out, length) &&
           *length > 0;
}

/* Makes the key from its parameters, and has OpenSSL check it: the point on the curve, the modulus
 * odd and without small factors, the exponent of a usable size. */
static EVP_PKEY *jwk_make(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = builder == NULL ? NULL : OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, type, NULL), *checker = NULL;
    if (params != NULL && maker != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
        EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) == 1)
        checker = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (checker == NULL || EVP_PKEY_public_check(checker) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(checker);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *jwk_make_rsa(struct json_object *object, const char **reason)
{
    unsigned char raw_n[JWK_RSA_BYTES_MOST + 2], raw_e[JWK_EXPONENT_BYTES_MOST + 2];
    size_t length_n, length_e;
    *reason = "n or e is malformed or too long";
    if (!jwk_bytes(object, "n", JWK_RSA_BYTES_MOST, raw_n, &length_n) ||
        !jwk_bytes(object, "e", JWK_EXPONENT_BYTES_MOST, raw_e, &length_e))
        return NULL;
    BIGNUM *n = BN_bin2bn(raw_n, (int)length_n, NULL), *e = BN_bin2bn(raw_e, (int)length_e, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (n == NULL || BN_num_bits(n) < JWK_RSA_BITS_LEAST)
        *reason = "the modulus has less than 2048 bit";
    else if (e != NULL && builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        *reason = "the numbers are no RSA key";
        key = jwk_make("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *jwk_make_p256(struct json_object *object, const char **reason)
{
    unsigned char point[1 + 2 * (JWK_POINT_BYTES + 2)];
    size_t length_x, length_y;
    *reason = "x or y is not 32 bytes";
    point[0] = 4; /* uncompressed, SEC 1 section 2.3.3 */
    if (!jwk_bytes(object, "x", JWK_POINT_BYTES, point + 1, &length_x) || length_x != JWK_POINT_BYTES ||
        !jwk_bytes(object, "y", JWK_POINT_BYTES, point + 1 + JWK_POINT_BYTES, &length_y) || length_y != JWK_POINT_BYTES)
        return NULL;
    *reason = "the point is not on the curve";
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder != NULL && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * JWK_POINT_BYTES) == 1)
        key = jwk_make("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *jwk_make_ed25519(struct json_object *object, const char **reason)
{
    unsigned char raw[JWK_POINT_BYTES + 2];
    size_t length;
    *reason = "x is not 32 bytes";
    if (!jwk_bytes(object, "x", JWK_POINT_BYTES, raw, &length) || length != JWK_POINT_BYTES)
        return NULL;
    *reason = "x is no key";
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, length);
}

/* RFC 7517 sections 4.2 and 4.3: both are optional; given, they must allow verifying. */
static bool jwk_is_for_verifying(struct json_object *object)
{
    bool present;
    struct json_object *use = jsonio_member(object, "use", &present);
    if (present && (!json_object_is_type(use, json_type_string) || strcmp(json_object_get_string(use), "sig") != 0))
        return false;
    struct json_object *operations = jsonio_member(object, "key_ops", &present);
    if (!present)
        return true;
    if (!json_object_is_type(operations, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(operations); i++) {
        struct json_object *one = json_object_array_get_idx(operations, i);
        if (json_object_is_type(one, json_type_string) && strcmp(json_object_get_string(one), "verify") == 0)
            return true;
    }
    return false;
}

static bool jwk_kind_of(struct json_object *object, enum jwk_kind *out)
{
    const char *type = jsonio_member_text(object, "kty"), *curve = jsonio_member_text(object, "crv");
    if (type == NULL)
        return false;
    if (strcmp(type, "RSA") == 0)
        *out = JWK_RSA;
    else if (strcmp(type, "EC") == 0 && curve != NULL && strcmp(curve, "P-256") == 0)
        *out = JWK_P256;
    else if (strcmp(type, "OKP") == 0 && curve != NULL && strcmp(curve, "Ed25519") == 0)
        *out = JWK_ED25519;
    else
        return false;
    return true;
}

/* An optional text member that must, when it is there, be a text. */
static bool jwk_optional_text(struct json_object *object, const char *name, const char **out)
{
    bool present;
    (void)jsonio_member(object, name, &present);
    *out = jsonio_member_text(object, name);
    return !present || *out != NULL;
}

struct jwk *jwk_read(struct json_object *object, const char **reason)
{
    static EVP_PKEY *(*const MAKE[])(struct json_object *, const char **) = {
        [JWK_RSA] = jwk_make_rsa, [JWK_P256] = jwk_make_p256, [JWK_ED25519] = jwk_make_ed25519};
    enum jwk_kind kind;
    const char *algorithm, *kid;
    *reason = "not an object";
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    *reason = "the key type is none that is taken";
    if (!jwk_kind_of(object, &kind))
        return NULL;
    *reason = "not for verifying signatures";
    if (!jwk_is_for_verifying(object))
        return NULL;
    *reason = "alg is not the one of this key type";
    if (!jwk_optional_text(object, "alg", &algorithm) ||
        (algorithm != NULL && strcmp(algorithm, ALGORITHMS[kind]) != 0))
        return NULL;
    *reason = "kid is not a text of at most 255 bytes";
    if (!jwk_optional_text(object, "kid", &kid) || (kid != NULL && strlen(kid) > JWK_KID_MAX))
        return NULL;
    EVP_PKEY *made = MAKE[kind](object, reason);
    struct jwk *key = made == NULL ? NULL : calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(made);
        return NULL;
    }
    key->kind = kind;
    key->key = made;
    if (kid != NULL)
        str_copy_fitting(key->kid, sizeof key->kid, kid);
    return key;
}

void jwk_free(struct jwk *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

const char *jwk_id(const struct jwk *key)
{
    return key->kid;
}

const char *jwk_algorithm(const struct jwk *key)
{
    return ALGORITHMS[key->kind];
}

/* Turns r || s into the form that OpenSSL reads. Returns its length, 0 on failure; *out is the
 * caller's to OPENSSL_free. */
static size_t jwk_encode_ecdsa(const unsigned char *signature, unsigned char **out)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, JWK_POINT_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(signature + JWK_POINT_BYTES, JWK_POINT_BYTES, NULL);
    int length = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair owns them */
        length = i2d_ECDSA_SIG(pair, out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

bool jwk_verify(const struct jwk *key, const char *text, size_t text_length, const unsigned char *signature,
                size_t length)
{
    size_t wanted = key->kind == JWK_RSA ? (size_t)EVP_PKEY_get_size(key->key) : JWK_FIXED_SIGNATURE;
    unsigned char *encoded = NULL;
    if (length != wanted)
        return false;
    if (key->kind == JWK_P256) {
        length = jwk_encode_ecdsa(signature, &encoded);
        signature = encoded;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = length > 0 && context != NULL &&
                EVP_DigestVerifyInit(context, NULL, key->kind == JWK_ED25519 ? NULL : EVP_sha256(), NULL, key->key) == 1 &&
                EVP_DigestVerify(context, signature, length, (const unsigned char *)text, text_length) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(encoded);
    return good;
}
