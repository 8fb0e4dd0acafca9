/*
 * token: bearer tokens: whose they are and how long they hold (contract.md section 2).
 *
 * A token is a JWS (core/jws.h) of one of the issuers (core/issuer.h), in the issuer's profile. The
 * issuer is chosen first, by the name in the payload; then the key is looked up among that issuer's.
 */
#ifndef CONSIGN_CORE_TOKEN_H
#define CONSIGN_CORE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/issuer.h"
#include "core/keys.h"
#include "lib/arena.h"
#include "lib/fault.h"

#define TOKEN_CLIENT_MAX 128
#define TOKEN_ORG_MAX 80
#define TOKEN_SKEW_S 30 /* contract.md section 2 */

/* What a verified token says. Plain memory: it is kept in the token cache. */
struct token_claims {
    int64_t until_s; /* the first second, since 1970, at which it is no good any more; skew included */
    unsigned rights; /* what it narrows the client's rights to; RIGHT_ALL when it names none */
    char client_id[TOKEN_CLIENT_MAX + 1];
    char org[TOKEN_ORG_MAX + 1]; /* "" when it names none */
};

/* Verifies `length` bytes at `text` for the time `now_s`. False: the token is no good; *reason (a
 * constant) says why, for the log only. One signature verification at most; `a` is working memory. */
bool token_verify(const struct issuers *issuers, struct arena *a, const char *text, size_t length, int64_t now_s,
                  struct token_claims *out, const char **reason) MUST_CHECK;

/* The claims of a payload under a profile; the signature is somebody else's to check. `issuer` and
 * `audience` NULL: any. */
bool token_read_claims(struct json_object *header, struct json_object *payload, enum issuer_profile profile,
                       const char *issuer, const char *audience, int64_t now_s, struct token_claims *out,
                       const char **reason) MUST_CHECK;

/* Makes a token of our own issuer for a client. The text lives in the arena. */
enum fault token_issue(const struct keys *keys, const struct issuer *own, struct arena *a, const char *client_id,
                       const char *scope, int64_t now_s, int64_t lifetime_s, const char **out) MUST_CHECK;

#endif
