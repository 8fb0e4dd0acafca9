/*
 * bench_token: what a token costs: verified, and found in the cache of the pool, in one run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keys.h"
#include "core/token_cache.h"
#include "lib/clock.h"
#include "lib/invariant.h"

#define ROUNDS 20000

int main(void)
{
    char dir[] = "/tmp/consign-bench-keys.XXXXXX", command[96];
    struct keys *keys = NULL;
    struct issuers *issuers = issuers_new();
    struct arena *a = arena_new(1024 * 1024);
    struct token_cache *cache = token_cache_new();
    struct token_claims claims;
    const char *token, *reason;
    INVARIANT(mkdtemp(dir) != NULL && issuers != NULL && a != NULL && cache != NULL);
    INVARIANT(keys_open(dir, &keys) == FAULT_NONE);
    INVARIANT(issuers_add_own(issuers, a, "https://bench", "consign", keys_jwks(keys)) == FAULT_NONE);
    int64_t now_s = clock_wall_ms() / 1000;
    INVARIANT(token_issue(keys, &issuers->issuer[0], a, "client", "export:read", now_s, 3600, &token) == FAULT_NONE);
    char *text = strdup(token);
    double rate[2];
    for (int cached = 0; cached < 2; cached++) {
        int64_t began = clock_monotonic_ms();
        for (int i = 0; i < ROUNDS; i++) {
            arena_reset(a);
            INVARIANT(cached ? token_cache_verify(cache, issuers, a, text, strlen(text), now_s, &claims, &reason)
                             : token_verify(issuers, a, text, strlen(text), now_s, &claims, &reason));
        }
        int64_t spent = clock_monotonic_ms() - began;
        rate[cached] = ROUNDS * 1000.0 / (double)(spent > 0 ? spent : 1);
    }
    printf("token of %zu bytes: verified %.0f/s, from the cache %.0f/s; a hit costs %.3f of a verification\n",
           strlen(text), rate[0], rate[1], rate[0] / rate[1]);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}
