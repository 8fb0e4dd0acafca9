/*
 * jws: the compact form of a JSON Web Signature (RFC 7515 section 7.1) and its verification.
 *
 * SECURITY: what a token says about itself chooses nothing. The key is found by its id in memory, the
 * key fixes the algorithm; jwk, jku, x5c and x5u are never looked at, and crit refuses (RFC 7515
 * section 4.1.11: no extension is understood here).
 */
#ifndef CONSIGN_CORE_JWS_H
#define CONSIGN_CORE_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/jwks.h"
#include "lib/arena.h"
#include "lib/jsonio.h"

#define JWS_TEXT_MAX 8192

/* A token taken apart, not verified. Everything lives in the arena or in the text. */
struct jws {
    const char *covered; /* what the signature covers: the text of header and payload */
    size_t covered_length;
    struct json_object *header; /* an object */
    const char *payload;        /* decoded, with a terminator */
    size_t payload_length;
    const char *signature; /* still encoded */
    size_t signature_length;
};

/* Takes a token apart: exactly three parts of canonical base64url (the signature's is checked by
 * jws_verify()), the header a strict JSON object. False: it is none, or longer than JWS_TEXT_MAX. */
bool jws_split(struct arena *a, const char *text, size_t length, struct jws *out) __attribute__((warn_unused_result));

/* Whether a key of the set signed it. `need_kid`: the header must name its key; else the only key of a
 * set serves for a header that names none. *reason (a constant) says what was wrong. */
bool jws_verify(const struct jws *token, const struct jwks *keys, bool need_kid, const char **reason)
    __attribute__((warn_unused_result));

#endif
