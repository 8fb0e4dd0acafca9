/*
 * token_cache: tokens that were verified lately. See token_cache.h.
 */
#include "core/token_cache.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "core/jws.h"
#include "lib/crypto.h"
#include "lib/shared_table.h"

struct token_cache {
    struct shared_table *table; /* of struct token_claims, by seconds since 1970 */
    atomic_uint_fast64_t hits, misses;
};

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache =
        mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED)
        return NULL;
    cache->table = shared_table_new(TOKEN_CACHE_SLOTS, sizeof(struct token_claims));
    return cache->table == NULL ? NULL : cache;
}

static void token_cache_put(struct token_cache *cache, const unsigned char *key, int64_t now_s,
                            const struct token_claims *claims)
{
    struct token_claims made;
    memset(&made, 0, sizeof made); /* also what the compiler leaves between members */
    made.until_s = claims->until_s;
    made.rights = claims->rights;
    memcpy(made.client_id, claims->client_id, sizeof made.client_id);
    memcpy(made.org, claims->org, sizeof made.org);
    int64_t until_s = now_s + TOKEN_CACHE_S;
    shared_table_put(cache->table, key, until_s < claims->until_s ? until_s : claims->until_s, &made);
}

bool token_cache_verify(struct token_cache *cache, const struct issuers *issuers, struct arena *a, const char *text,
                        size_t length, int64_t now_s, struct token_claims *out, const char **reason)
{
    char input[JWS_TEXT_MAX + CRYPTO_SHA256_BYTES];
    unsigned char key[CRYPTO_SHA256_BYTES];
    *reason = "form";
    if (length > JWS_TEXT_MAX)
        return false;
    memcpy(input, issuers->generation, CRYPTO_SHA256_BYTES);
    memcpy(input + CRYPTO_SHA256_BYTES, text, length);
    crypto_sha256(input, length + CRYPTO_SHA256_BYTES, key);
    crypto_wipe(input, length + CRYPTO_SHA256_BYTES);
    if (shared_table_get(cache->table, key, now_s, out)) {
        atomic_fetch_add_explicit(&cache->hits, 1, memory_order_relaxed);
        return true;
    }
    atomic_fetch_add_explicit(&cache->misses, 1, memory_order_relaxed);
    if (!token_verify(issuers, a, text, length, now_s, out, reason))
        return false;
    token_cache_put(cache, key, now_s, out);
    return true;
}

void token_cache_figures(const struct token_cache *cache, uint64_t *hits, uint64_t *misses)
{
    *hits = atomic_load_explicit(&cache->hits, memory_order_relaxed);
    *misses = atomic_load_explicit(&cache->misses, memory_order_relaxed);
}

int token_cache_size(const struct token_cache *cache, int64_t now_s)
{
    return shared_table_count(cache->table, now_s);
}
