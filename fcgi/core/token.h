/*
 * token: bearer tokens, JWS compact (RFC 7515) with the claims of RFC 9068.
 *
 * The token endpoint makes them and the pool verifies them (contract.md section 2). The key fixes
 * the algorithm: what a token says of its own algorithm must agree, and chooses nothing. Key
 * material or addresses in a header are never looked at.
 */
#ifndef CONSIGN_CORE_TOKEN_H
#define CONSIGN_CORE_TOKEN_H

#include <stdint.h>

#include "core/keys.h"
#include "lib/arena.h"
#include "lib/fault.h"

#define TOKEN_TEXT_MAX 8192
#define TOKEN_CLIENT_MAX 128
#define TOKEN_SKEW_S 30 /* contract.md section 2 */

/* What the tokens of our issuer carry. Texts kept by pointer. */
struct token_rules {
    const struct keys *keys;
    const char *issuer;
    const char *audience;
};

/* What a verified token says. Texts live in the arena. */
struct token_claims {
    const char *client_id;
    const char *org;   /* NULL: the token names none */
    const char *scope; /* "" when it has none */
};

/* Verifies `length` bytes at `text` for the time `now_s`. False: the token is no good; *reason (a
 * constant) says why, for the log only. Costs one signature verification at most. */
bool token_verify(const struct token_rules *rules, struct arena *a, const char *text, size_t length, int64_t now_s,
                  struct token_claims *out, const char **reason) MUST_CHECK;

/* Makes a token for a client. The text lives in the arena. */
enum fault token_issue(const struct token_rules *rules, struct arena *a, const char *client_id, const char *scope,
                       int64_t now_s, int64_t lifetime_s, const char **out) MUST_CHECK;

#endif
