/*
 * crypto: a thin cover of OpenSSL. See crypto.h.
 */
#include "lib/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "lib/invariant.h"

void crypto_random(unsigned char *out, size_t length)
{
    INVARIANT(length <= 4096 && RAND_bytes(out, (int)length) == 1);
}

void crypto_hex(const unsigned char *bytes, size_t length, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    out[2 * length] = '\0';
}

void crypto_random_hex(char *out, size_t bytes)
{
    unsigned char raw[64];
    INVARIANT(bytes <= sizeof raw);
    crypto_random(raw, bytes);
    crypto_hex(raw, bytes, out);
}

void crypto_uuid(char out[CRYPTO_UUID_TEXT])
{
    unsigned char raw[16];
    char hex[33];
    crypto_random(raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
    crypto_hex(raw, sizeof raw, hex);
    static const int GROUPS[] = {8, 4, 4, 4, 12};
    char *to = out;
    const char *from = hex;
    for (int i = 0; i < 5; i++) {
        if (i > 0)
            *to++ = '-';
        memcpy(to, from, (size_t)GROUPS[i]);
        to += GROUPS[i];
        from += GROUPS[i];
    }
    *to = '\0';
}

void crypto_sha256(const void *bytes, size_t length, unsigned char out[CRYPTO_SHA256_BYTES])
{
    unsigned written = 0;
    INVARIANT(EVP_Digest(bytes, length, out, &written, EVP_sha256(), NULL) == 1 && written == CRYPTO_SHA256_BYTES);
}

void crypto_sha256_hex(const void *bytes, size_t length, char out[CRYPTO_SHA256_HEX])
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(bytes, length, digest);
    crypto_hex(digest, sizeof digest, out);
}

void crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                        unsigned char out[CRYPTO_SHA256_BYTES])
{
    unsigned written = 0;
    INVARIANT(key_length <= 4096 && HMAC(EVP_sha256(), key, (int)key_length, bytes, length, out, &written) != NULL &&
              written == CRYPTO_SHA256_BYTES);
}

/* An EVP_MD_CTX under a name of our own. */
static EVP_MD_CTX *crypto_context(struct crypto_digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

struct crypto_digest *crypto_digest_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (struct crypto_digest *)context;
}

void crypto_digest_add(struct crypto_digest *digest, const void *bytes, size_t length)
{
    INVARIANT(EVP_DigestUpdate(crypto_context(digest), bytes, length) == 1);
}

void crypto_digest_end(struct crypto_digest *digest, char out[CRYPTO_SHA256_HEX])
{
    unsigned char raw[CRYPTO_SHA256_BYTES];
    unsigned written = 0;
    INVARIANT(EVP_DigestFinal_ex(crypto_context(digest), raw, &written) == 1 && written == sizeof raw);
    crypto_hex(raw, sizeof raw, out);
}

void crypto_digest_free(struct crypto_digest *digest)
{
    EVP_MD_CTX_free(crypto_context(digest));
}

void crypto_secret_hash(const unsigned char salt[16], const char *secret, unsigned char out[CRYPTO_SHA256_BYTES])
{
    unsigned written = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    INVARIANT(context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(context, salt, 16) == 1 && EVP_DigestUpdate(context, secret, strlen(secret)) == 1 &&
              EVP_DigestFinal_ex(context, out, &written) == 1 && written == CRYPTO_SHA256_BYTES);
    EVP_MD_CTX_free(context);
}

bool crypto_equal(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void crypto_wipe(void *memory, size_t length)
{
    OPENSSL_cleanse(memory, length);
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t crypto_base64url(const unsigned char *bytes, size_t length, char *out)
{
    char *to = out;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned n = (unsigned)bytes[i] << 16;
        if (left > 1)
            n |= (unsigned)bytes[i + 1] << 8;
        if (left > 2)
            n |= bytes[i + 2];
        *to++ = ALPHABET[n >> 18];
        *to++ = ALPHABET[n >> 12 & 63];
        if (left > 1)
            *to++ = ALPHABET[n >> 6 & 63];
        if (left > 2)
            *to++ = ALPHABET[n & 63];
    }
    *to = '\0';
    return (size_t)(to - out);
}

/* The value of a digit of the alphabet, or -1. */
static int crypto_base64url_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool crypto_base64url_decode(const char *text, size_t length, unsigned char *out, size_t *out_length)
{
    unsigned pending = 0, bits = 0;
    size_t n = 0;
    if (length % 4 == 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = crypto_base64url_digit(text[i]);
        if (digit < 0)
            return false;
        pending = pending << 6 | (unsigned)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (unsigned char)(pending >> bits);
            pending &= (1u << bits) - 1;
        }
    }
    *out_length = n;
    return pending == 0; /* the unused bits of the last digit: one text only for each value */
}
