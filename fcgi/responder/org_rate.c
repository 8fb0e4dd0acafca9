/*
 * org_rate: how many requests a second one org has worked on. See org_rate.h.
 */
#include "responder/org_rate.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/siphash.h"

#define ORG_RATE_SLOTS 65536 /* of orgs, whose ids are given in turn: of more some share one; and as many of clients */
#define ORG_RATE_SECOND_NS INT64_C(1000000000)
#define ORG_RATE_AHEAD_NS (ORG_RATE_SECOND_NS / 4)

struct org_rate {
    int64_t per_second;
    struct siphash_key key;
    _Atomic int64_t used_up_ns[2 * ORG_RATE_SLOTS];
};

struct org_rate *org_rate_new(int64_t per_second)
{
    struct org_rate *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED)
        return NULL;
    r->per_second = per_second;
    siphash_draw_key(&r->key);
    return r;
}

int org_rate_payer(const struct org_rate *r, int org, const char *client)
{
    struct siphash hash;
    if (org > 0)
        return org;
    siphash_begin(&hash, &r->key);
    siphash_add(&hash, client, strlen(client));
    return -1 - (int)(siphash_end(&hash) % ORG_RATE_SLOTS);
}

bool org_rate_take(struct org_rate *r, int payer, int requests, int64_t now_us)
{
    _Atomic int64_t *slot = &r->used_up_ns[payer > 0 ? payer % ORG_RATE_SLOTS : ORG_RATE_SLOTS - 1 - payer];
    int64_t now_ns = now_us * 1000, from_ns, used_up_ns = atomic_load(slot);
    do {
        from_ns = used_up_ns > now_ns ? used_up_ns : now_ns;
        if (from_ns - now_ns > ORG_RATE_AHEAD_NS)
            return false;
    } while (!atomic_compare_exchange_weak(slot, &used_up_ns, from_ns + requests * ORG_RATE_SECOND_NS / r->per_second));
    return true;
}

int64_t org_rate_per_second(const struct org_rate *r)
{
    return r->per_second;
}
