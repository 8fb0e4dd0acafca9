/*
 * jwks: a JSON Web Key Set (RFC 7517 section 5): the keys of one issuer.
 */
#ifndef CONSIGN_CORE_JWKS_H
#define CONSIGN_CORE_JWKS_H

#include <stddef.h>

#include "core/jwk.h"
#include "lib/arena.h"
#include "lib/crypto.h"
#include "lib/fault.h"

#define JWKS_TEXT_MAX (256u * 1024u)
#define JWKS_KEYS_MAX 100

struct jwks;

/* Reads a set. Keys that cannot verify a token (another type or use, weak, malformed) are left out,
 * each with a line in the log that names `whose`. The set as a whole is refused when its text is no
 * strict JSON, has more than JWKS_KEYS_MAX keys, two usable keys with one id, or none that is usable:
 * FAULT_MALFORMED and *reason (a constant). `a` is working memory. Released with jwks_free(). */
enum fault jwks_read(struct arena *a, const char *whose, const char *text, size_t length, struct jwks **out,
                     const char **reason) MUST_CHECK;
void jwks_free(struct jwks *set); /* NULL too */

/* The key of that id, or NULL. `kid` NULL: the set's only key, or NULL when it has several. */
const struct jwk *jwks_find(const struct jwks *set, const char *kid);

int jwks_count(const struct jwks *set);

/* The text that the set was read from. It lasts as long as the set. */
const char *jwks_text(const struct jwks *set);

/* SHA-256 of the text that the set was read from: it changes whenever the set does. */
const unsigned char *jwks_digest(const struct jwks *set);

#endif
