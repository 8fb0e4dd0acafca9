/*
 * forge: key pairs of the kinds that sign tokens, their JSON form, and tokens of any text.
 *
 * For the tests of the token stack, which must sign what no issuer would. Texts live in the arena.
 * It uses OpenSSL directly, so that it shares no code with what it tests but base64url.
 */
#ifndef CONSIGN_UNIT_FORGE_H
#define CONSIGN_UNIT_FORGE_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/crypto.h"

#define FORGE_SIGNATURE_MAX 1024

static inline EVP_PKEY *forge_rsa(unsigned bits)
{
    return EVP_RSA_gen(bits);
}

static inline EVP_PKEY *forge_p256(void)
{
    return EVP_EC_gen("P-256");
}

static inline EVP_PKEY *forge_ed25519(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static inline char *forge_encode(struct arena *a, const void *bytes, size_t length)
{
    char *out = arena_alloc(a, (length * 4 + 2) / 3 + 1);
    if (out == NULL)
        abort();
    crypto_base64url(bytes, length, out);
    return out;
}

static inline char *forge_number(struct arena *a, const EVP_PKEY *pair, const char *name, int bytes)
{
    unsigned char raw[FORGE_SIGNATURE_MAX];
    BIGNUM *n = NULL;
    if (EVP_PKEY_get_bn_param(pair, name, &n) != 1)
        abort();
    int length = bytes > 0 ? bytes : BN_num_bytes(n);
    if (BN_bn2binpad(n, raw, length) != length)
        abort();
    BN_free(n);
    return forge_encode(a, raw, (size_t)length);
}

/* The public key as a JSON object; `extra` is put behind its members (`,"kid":"k"`). */
static inline char *forge_jwk(struct arena *a, const EVP_PKEY *pair, const char *extra)
{
    unsigned char raw[32];
    size_t length = sizeof raw;
    if (EVP_PKEY_is_a(pair, "RSA"))
        return arena_printf(a, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", forge_number(a, pair, OSSL_PKEY_PARAM_RSA_N, 0),
                            forge_number(a, pair, OSSL_PKEY_PARAM_RSA_E, 0), extra);
    if (EVP_PKEY_is_a(pair, "EC"))
        return arena_printf(a, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}",
                            forge_number(a, pair, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                            forge_number(a, pair, OSSL_PKEY_PARAM_EC_PUB_Y, 32), extra);
    if (EVP_PKEY_get_raw_public_key(pair, raw, &length) != 1)
        abort();
    return arena_printf(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}", forge_encode(a, raw, length), extra);
}

/* A set with one key of that id. */
static inline char *forge_jwks(struct arena *a, const EVP_PKEY *pair, const char *kid)
{
    return arena_printf(a, "{\"keys\":[%s]}", forge_jwk(a, pair, arena_printf(a, ",\"kid\":\"%s\"", kid)));
}

static inline const char *forge_algorithm(const EVP_PKEY *pair)
{
    return EVP_PKEY_is_a(pair, "RSA") ? "RS256" : EVP_PKEY_is_a(pair, "EC") ? "ES256" : "EdDSA";
}

/* r || s of 32 bytes each, from what OpenSSL makes. */
static inline size_t forge_flatten(unsigned char *signature, size_t length)
{
    const unsigned char *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) != 32)
        abort();
    ECDSA_SIG_free(pair);
    return 64;
}

/* Signs with the algorithm of the key. `digest` NULL: SHA-256, and none for Ed25519. */
static inline size_t forge_sign(EVP_PKEY *pair, const char *text, size_t text_length, const EVP_MD *digest,
                                unsigned char signature[FORGE_SIGNATURE_MAX])
{
    size_t length = FORGE_SIGNATURE_MAX;
    bool flat = EVP_PKEY_is_a(pair, "EC"), bare = EVP_PKEY_is_a(pair, "ED25519");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(context, NULL, bare ? NULL : digest == NULL ? EVP_sha256() : digest, NULL, pair) != 1 ||
        EVP_DigestSign(context, signature, &length, (const unsigned char *)text, text_length) != 1)
        abort();
    EVP_MD_CTX_free(context);
    return flat ? forge_flatten(signature, length) : length;
}

/* Header and payload, taken as they are, and the key's signature over them. */
static inline char *forge_token(struct arena *a, EVP_PKEY *pair, const char *header, const char *payload)
{
    unsigned char signature[FORGE_SIGNATURE_MAX];
    const char *covered = arena_printf(a, "%s.%s", forge_encode(a, header, strlen(header)),
                                       forge_encode(a, payload, strlen(payload)));
    size_t length = forge_sign(pair, covered, strlen(covered), NULL, signature);
    return arena_printf(a, "%s.%s", covered, forge_encode(a, signature, length));
}

#endif
