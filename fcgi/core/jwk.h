/*
 * jwk: one public key that may verify signatures (RFC 7517, RFC 7518 section 6, RFC 8037).
 *
 * RSA of 2048 bit and more for RS256, P-256 for ES256, Ed25519 for EdDSA. The key fixes the algorithm. A
 * symmetric key is never taken: its "public" text is the secret.
 */
#ifndef CONSIGN_CORE_JWK_H
#define CONSIGN_CORE_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/jsonio.h"

#define JWK_KID_MAX 255
#define JWK_SIGNATURE_MAX 1024 /* of RSA with 8192 bit */

struct jwk;

/* Takes a key from its JSON object, which jscan has accepted. NULL: it cannot be used to verify a
 * token, and *reason (a constant) says why. Released with jwk_free(), which takes NULL too. */
struct jwk *jwk_read(struct json_object *object, const char **reason);
void jwk_free(struct jwk *key);

/* The key's id, "" when it has none; the name of its algorithm ("RS256"). */
const char *jwk_id(const struct jwk *key);
const char *jwk_algorithm(const struct jwk *key);

/* Whether `signature` is the key's over `text`. The length of a signature is checked before its numbers
 * are (RFC 7518 section 3.4: exactly 64 bytes for ES256). */
bool jwk_verify(const struct jwk *key, const char *text, size_t text_length, const unsigned char *signature,
                size_t length) __attribute__((warn_unused_result));

#endif
