/*
 * token_cache: tokens that were verified lately, shared by all workers of the pool.
 *
 * An entry is found by the SHA-256 of the whole token and of the key sets it was verified with, so a
 * changed key set finds nothing of before. It ends after TOKEN_CACHE_S or with the token, whichever is
 * first. It says what the token says and nothing about rights: client, org, sandbox and right are
 * checked on every request (scope.h).
 */
#ifndef CONSIGN_CORE_TOKEN_CACHE_H
#define CONSIGN_CORE_TOKEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/token.h"
#include "lib/arena.h"

#define TOKEN_CACHE_S 60
#define TOKEN_CACHE_SLOTS 8192 /* about 2.4 MB, which counts in each worker's resident size */

struct token_cache;

/* Makes the table in memory that children share. NULL: there is none. */
struct token_cache *token_cache_new(void);

/* Accepts or refuses a token like token_verify(), from the table if it is there. */
bool token_cache_verify(struct token_cache *cache, const struct issuers *issuers, struct arena *a, const char *text,
                        size_t length, int64_t now_s, struct token_claims *out, const char **reason) MUST_CHECK;

/* How often a token was found, and not found, since the start. */
void token_cache_figures(const struct token_cache *cache, uint64_t *hits, uint64_t *misses);

/* How many entries have not ended. Reads the whole table. */
int token_cache_size(const struct token_cache *cache, int64_t now_s);

#endif
