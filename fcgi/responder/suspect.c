/*
 * suspect: requests that workers have ended with. See suspect.h.
 */
#include "responder/suspect.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/siphash.h"

#define SUSPECT_MOST 2     /* workers that one request may have */
#define SUSPECT_KEPT 64    /* the last ones that workers ended with; nginx sends one again within milliseconds */
#define SUSPECT_LINE 64    /* of the cache: slots of two workers never share one */

struct suspect_slot {
    alignas(SUSPECT_LINE) atomic_uint_least64_t request; /* hash of its id; 0: none */
};

struct suspect {
    int workers;
    unsigned next; /* the supervisor's own: where in `ended` */
    struct siphash_key key;
    atomic_uint_least64_t ended[SUSPECT_KEPT];
    struct suspect_slot slot[];
};

struct suspect *suspect_new(int workers)
{
    size_t size = sizeof(struct suspect) + (size_t)workers * sizeof(struct suspect_slot);
    struct suspect *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    s->workers = workers;
    siphash_draw_key(&s->key);
    return s;
}

static uint64_t suspect_hash(const struct suspect *s, const char *id)
{
    if (id == NULL || *id == '\0')
        return 0;
    struct siphash hash;
    siphash_begin(&hash, &s->key);
    siphash_add(&hash, id, strlen(id));
    return siphash_end(&hash);
}

bool suspect_begin(struct suspect *s, int slot, const char *id)
{
    uint64_t request = suspect_hash(s, id);
    int had = 0;
    if (request == 0)
        return true;
    /* first the slots: a note goes from there to the ended ones */
    for (int i = 0; i < s->workers; i++)
        had += i != slot && atomic_load(&s->slot[i].request) == request;
    for (int i = 0; i < SUSPECT_KEPT; i++)
        had += atomic_load(&s->ended[i]) == request;
    if (had >= SUSPECT_MOST)
        return false;
    atomic_store(&s->slot[slot].request, request);
    return true;
}

void suspect_end(struct suspect *s, int slot)
{
    atomic_store_explicit(&s->slot[slot].request, 0, memory_order_relaxed);
}

void suspect_ended(struct suspect *s, int slot)
{
    uint64_t request = atomic_load(&s->slot[slot].request);
    if (request == 0)
        return;
    atomic_store(&s->ended[s->next++ % SUSPECT_KEPT], request);
    atomic_store(&s->slot[slot].request, 0);
}
