/*
 * crypto: randomness, digests and the encodings around them; a thin cover of OpenSSL.
 */
#ifndef CONSIGN_LIB_CRYPTO_H
#define CONSIGN_LIB_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fault.h"

#define CRYPTO_SHA256_BYTES 32
#define CRYPTO_SHA256_HEX 65 /* with terminator */
#define CRYPTO_UUID_TEXT 37  /* with terminator */

/* Fills `out` from the kernel-seeded generator. Ends the process when there is no randomness. */
void crypto_random(unsigned char *out, size_t length);

/* `bytes` random bytes in lower-case hex, with terminator: out holds 2 * bytes + 1. */
void crypto_random_hex(char *out, size_t bytes);

/* A random UUID (RFC 4122 version 4) as 36 characters and a terminator. */
void crypto_uuid(char out[CRYPTO_UUID_TEXT]);

void crypto_sha256(const void *bytes, size_t length, unsigned char out[CRYPTO_SHA256_BYTES]);
void crypto_sha256_hex(const void *bytes, size_t length, char out[CRYPTO_SHA256_HEX]);
void crypto_hex(const unsigned char *bytes, size_t length, char *out); /* 2 * length + 1 */

/* HMAC with SHA-256 (RFC 2104). */
void crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                        unsigned char out[CRYPTO_SHA256_BYTES]);

/* SHA-256 of bytes that come piece by piece. NULL: no memory. crypto_digest_end() gives the digest in
 * hex; crypto_digest_free() takes NULL too. */
struct crypto_digest;
struct crypto_digest *crypto_digest_new(void);
void crypto_digest_add(struct crypto_digest *digest, const void *bytes, size_t length);
void crypto_digest_end(struct crypto_digest *digest, char out[CRYPTO_SHA256_HEX]);
void crypto_digest_free(struct crypto_digest *digest);

/* The stored form of a client secret: SHA-256 over the 16-byte salt and the secret. The secrets are
 * 256 random bits made by us, so a slow hash would protect nothing more and cost every token. */
void crypto_secret_hash(const unsigned char salt[16], const char *secret, unsigned char out[CRYPTO_SHA256_BYTES]);

/* Compares in time that does not depend on the content. */
bool crypto_equal(const void *a, const void *b, size_t length);

/* Overwrites memory in a way that the compiler keeps. */
void crypto_wipe(void *memory, size_t length);

/* base64url without padding (RFC 4648 section 5, RFC 7515 section 2). Encoding: out holds
 * (length * 4 + 2) / 3 + 1 bytes, result is the text's length. Decoding is strict: no padding, no
 * white space, unused bits zero; false for anything else; out holds length * 3 / 4 bytes. */
size_t crypto_base64url(const unsigned char *bytes, size_t length, char *out);
bool crypto_base64url_decode(const char *text, size_t length, unsigned char *out, size_t *out_length) MUST_CHECK;

#endif
