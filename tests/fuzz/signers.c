/*
 * signers: keys of every kind, and issuers that publish them. See signers.h.
 */
#include "signers.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/invariant.h"

#define COORDINATE 32 /* bytes of a P-256 number */

static EVP_PKEY *key[SIGNERS];

/* base64url of bytes, in the arena. */
static const char *encode(struct arena *a, const unsigned char *bytes, size_t length)
{
    char *out = arena_alloc(a, length * 2 + 2);
    INVARIANT(out != NULL);
    crypto_base64url(bytes, length, out);
    return out;
}

static const char *rsa_jwk(struct arena *a)
{
    BIGNUM *n = NULL, *e = NULL;
    unsigned char bytes[SIGNER_SIGNATURE_MAX];
    INVARIANT(EVP_PKEY_get_bn_param(key[SIGNER_RSA], OSSL_PKEY_PARAM_RSA_N, &n) == 1);
    INVARIANT(EVP_PKEY_get_bn_param(key[SIGNER_RSA], OSSL_PKEY_PARAM_RSA_E, &e) == 1);
    const char *modulus = encode(a, bytes, (size_t)BN_bn2bin(n, bytes));
    const char *exponent = encode(a, bytes, (size_t)BN_bn2bin(e, bytes));
    BN_free(n);
    BN_free(e);
    return arena_printf(a, "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"%s\",\"e\":\"%s\"}", modulus, exponent);
}

static const char *ec_jwk(struct arena *a)
{
    unsigned char point[1 + 2 * COORDINATE];
    size_t length = 0;
    INVARIANT(EVP_PKEY_get_octet_string_param(key[SIGNER_EC], OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length) == 1);
    INVARIANT(length == sizeof point && point[0] == POINT_CONVERSION_UNCOMPRESSED);
    return arena_printf(a, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"%s\",\"y\":\"%s\"}",
                        encode(a, point + 1, COORDINATE), encode(a, point + 1 + COORDINATE, COORDINATE));
}

static const char *ed_jwk(struct arena *a)
{
    unsigned char public[32];
    size_t length = sizeof public;
    INVARIANT(EVP_PKEY_get_raw_public_key(key[SIGNER_ED], public, &length) == 1);
    return arena_printf(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"%s\"}", encode(a, public, length));
}

/* Adds an issuer by a file with that set, which is needed only meanwhile. */
static void add_by_file(struct issuers *issuers, struct arena *a, const char *name, enum issuer_profile profile,
                        const char *set)
{
    char path[] = "/tmp/consign-fuzz-XXXXXX";
    int fd = mkstemp(path);
    INVARIANT(fd >= 0 && write(fd, set, strlen(set)) == (ssize_t)strlen(set) && close(fd) == 0);
    const char *audience = profile == ISSUER_IMS ? NULL : SIGNERS_AUDIENCE;
    INVARIANT(issuers_add(issuers, a, name, profile, audience, path) == FAULT_NONE);
    unlink(path);
}

void signers_start(struct issuers *issuers, struct arena *a)
{
    static const unsigned char SEED[32] = "the same key in every run......";
    key[SIGNER_RSA] = EVP_RSA_gen(2048);
    key[SIGNER_EC] = EVP_EC_gen("P-256");
    key[SIGNER_ED] = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, SEED, sizeof SEED);
    for (int i = 0; i < SIGNERS; i++)
        INVARIANT(key[i] != NULL);
    const char *own = arena_printf(a, "{\"keys\":[%s]}", rsa_jwk(a));
    const char *other = arena_printf(a, "{\"keys\":[%s,%s]}", ec_jwk(a), ed_jwk(a));
    INVARIANT(own != NULL && other != NULL);
    INVARIANT(issuers_add_own(issuers, a, SIGNERS_OWN, SIGNERS_AUDIENCE, own) == FAULT_NONE);
    add_by_file(issuers, a, SIGNERS_OTHER, ISSUER_RFC9068, other);
    add_by_file(issuers, a, SIGNERS_IMS, ISSUER_IMS, arena_printf(a, "{\"keys\":[%s]}", ed_jwk(a)));
}

/* r and s side by side, as JWS wants them (RFC 7518 section 3.4), of a signature in DER. */
static size_t ec_plain(const unsigned char *der, size_t length, unsigned char *out)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    INVARIANT(pair != NULL);
    INVARIANT(BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, COORDINATE) == COORDINATE);
    INVARIANT(BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + COORDINATE, COORDINATE) == COORDINATE);
    ECDSA_SIG_free(pair);
    return 2 * COORDINATE;
}

size_t signer_sign(enum signer signer, const char *text, size_t length, unsigned char signature[SIGNER_SIGNATURE_MAX])
{
    unsigned char raw[SIGNER_SIGNATURE_MAX];
    size_t size = sizeof raw;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    INVARIANT(context != NULL);
    const EVP_MD *digest = signer == SIGNER_ED ? NULL : EVP_sha256();
    INVARIANT(EVP_DigestSignInit(context, NULL, digest, NULL, key[signer]) == 1);
    INVARIANT(EVP_DigestSign(context, raw, &size, (const unsigned char *)text, length) == 1);
    EVP_MD_CTX_free(context);
    if (signer == SIGNER_EC)
        return ec_plain(raw, size, signature);
    memcpy(signature, raw, size);
    return size;
}
