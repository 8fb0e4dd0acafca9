/*
 * token_cache: tokens that were verified lately. See token_cache.h.
 */
#include "core/token_cache.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "core/jws.h"
#include "lib/crypto.h"
#include "lib/siphash.h"

#define TOKEN_CACHE_WAYS 2 /* places that an entry may have */

struct token_entry {
    unsigned char key[CRYPTO_SHA256_BYTES];
    struct token_claims claims;
    int64_t until_s; /* of the entry */
    uint64_t checksum;
};

struct token_cache {
    struct siphash_key secret;
    atomic_uint_fast64_t hits, misses;
    struct token_entry entry[TOKEN_CACHE_SLOTS];
};

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache =
        mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED)
        return NULL;
    siphash_draw_key(&cache->secret);
    return cache;
}

static uint64_t token_cache_checksum(const struct token_cache *cache, const struct token_entry *e)
{
    struct siphash hash;
    siphash_begin(&hash, &cache->secret);
    siphash_add(&hash, (const char *)e, offsetof(struct token_entry, checksum));
    return siphash_end(&hash);
}

/* The first of the places for a key; the others follow it. */
static struct token_entry *token_cache_place(struct token_cache *cache, const unsigned char *key)
{
    uint32_t number;
    memcpy(&number, key, sizeof number);
    return &cache->entry[number % (TOKEN_CACHE_SLOTS / TOKEN_CACHE_WAYS) * TOKEN_CACHE_WAYS];
}

static bool token_cache_get(struct token_cache *cache, const unsigned char *key, int64_t now_s,
                            struct token_claims *out)
{
    struct token_entry *place = token_cache_place(cache, key), copy;
    for (int i = 0; i < TOKEN_CACHE_WAYS; i++) {
        if (memcmp(place[i].key, key, CRYPTO_SHA256_BYTES) != 0)
            continue;
        memcpy(&copy, &place[i], sizeof copy);
        atomic_thread_fence(memory_order_acquire);
        if (copy.checksum == token_cache_checksum(cache, &copy) &&
            memcmp(copy.key, key, CRYPTO_SHA256_BYTES) == 0 && now_s < copy.until_s && now_s < copy.claims.until_s) {
            *out = copy.claims;
            return true;
        }
    }
    return false;
}

/* Writes over the place whose entry ends first. */
static void token_cache_put(struct token_cache *cache, const unsigned char *key, int64_t now_s,
                            const struct token_claims *claims)
{
    struct token_entry *place = token_cache_place(cache, key), made;
    memset(&made, 0, sizeof made); /* the checksum covers what the compiler leaves between members */
    memcpy(made.key, key, sizeof made.key);
    made.claims.until_s = claims->until_s;
    made.claims.rights = claims->rights;
    memcpy(made.claims.client_id, claims->client_id, sizeof made.claims.client_id);
    memcpy(made.claims.org, claims->org, sizeof made.claims.org);
    made.until_s = now_s + TOKEN_CACHE_S;
    made.checksum = token_cache_checksum(cache, &made);
    for (int i = 1; i < TOKEN_CACHE_WAYS; i++) {
        if (place[i].until_s < place->until_s)
            place = &place[i];
    }
    memcpy(place, &made, sizeof made);
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
    if (token_cache_get(cache, key, now_s, out)) {
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
    int count = 0;
    for (size_t i = 0; i < TOKEN_CACHE_SLOTS; i++)
        count += now_s < cache->entry[i].until_s && now_s < cache->entry[i].claims.until_s;
    return count;
}
