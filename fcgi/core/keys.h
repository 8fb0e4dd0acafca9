/*
 * keys: the key that signs the tokens of our own token endpoint (RS256).
 *
 * Made at the first start, 2048 bit RSA, kept as PKCS#8 PEM with mode 0600 in keys.dir. A file that others
 * may read, or a folder that others may enter, is refused: its secret may be known already.
 */
#ifndef CONSIGN_CORE_KEYS_H
#define CONSIGN_CORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fault.h"

#define KEYS_SIGNATURE_MAX 512

struct keys;

/* Loads the key, or makes it when there is none. FAULT_INTERNAL, logged, when it cannot be used. */
enum fault keys_open(const char *dir, struct keys **out) MUST_CHECK;
void keys_free(struct keys *keys);

/* The key's id: its RFC 7638 thumbprint. Valid as long as the keys. */
const char *keys_id(const struct keys *keys);

/* The public keys as a JSON Web Key Set (RFC 7517). Valid as long as the keys. */
const char *keys_jwks(const struct keys *keys);

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3). *length is the room in `signature`, then
 * what was written. */
enum fault keys_sign(const struct keys *keys, const char *text, size_t text_length, unsigned char *signature,
                     size_t *length) MUST_CHECK;

#endif
