/*
 * concurrency: how many workers one tenant may hold at the same time. See concurrency.h.
 */
#include "responder/concurrency.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/siphash.h"

/* Of a tenant whose requests take longer than this each, a request more only makes others wait. */
#define CONCURRENCY_MOMENT_MS 100
/* A wait that harms nobody ends all the same while the client still has time to be answered (api.database_ms). */
#define CONCURRENCY_WAIT_MOST_MS 500
/* A moment's standstill of the machine is over by then; so is the harm when there was none for so long. */
#define CONCURRENCY_HARM_MS 1000
#define CONCURRENCY_TURN_MS 20      /* who has waited for so long goes before newcomers, who ask at better moments */
#define CONCURRENCY_HARMS 64        /* orgs that share one are judged together */
#define CONCURRENCY_START_MS 2000   /* until a pool has worked off what waited while it started */
#define CONCURRENCY_RELOAD_MS 10000 /* a reload is through by then, also on a machine that is short of CPU */
#define CONCURRENCY_LATELY_MS 10000 /* clients poll their jobs every few seconds */

struct concurrency_slot {
    atomic_int org; /* 0: no place is held or waited for; set last and cleared first */
    atomic_bool waits;
    _Atomic uint64_t client;
    _Atomic int64_t since_ms; /* the place was taken, or the wait began */
};

/* Requests of an org over its limit do harm to others: from when on, and the last time. */
struct concurrency_harm {
    _Atomic int64_t since_ms;
    _Atomic int64_t last_ms;
};

struct concurrency {
    int workers;
    int most;
    _Atomic int64_t limited_from_ms;
    struct siphash_key key;
    atomic_int last_payer;       /* that has asked */
    _Atomic int64_t mixed_until; /* since two have asked one after the other; a hint, races cost nothing */
    struct concurrency_harm harm[CONCURRENCY_HARMS]; /* by org */
    struct concurrency_slot slot[];
};

struct concurrency *concurrency_new(int workers, int most, int64_t started_ms)
{
    size_t size = sizeof(struct concurrency) + (size_t)workers * sizeof(struct concurrency_slot);
    struct concurrency *c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED)
        return NULL;
    int reserve = workers < 2 ? 0 : workers < 4 ? 1 : workers / 4;
    c->workers = workers;
    c->most = most > 0 && most < workers ? most : most > 0 ? workers : workers - reserve;
    atomic_store(&c->limited_from_ms, started_ms + CONCURRENCY_START_MS);
    siphash_draw_key(&c->key);
    return c;
}

/* Whether the request, which is over the limit, harms others. */
static bool concurrency_harms(const struct concurrency_view *view)
{
    /* the tenant's requests stand in a line, and somebody else's may stand behind them */
    bool line = view->queued_ms >= CONCURRENCY_MOMENT_MS;
    /* no place was taken anew for so long, so none will be free soon */
    bool stuck = view->youngest_ms >= CONCURRENCY_MOMENT_MS || view->waited_ms >= CONCURRENCY_MOMENT_MS;
    return view->others_wait && (line || stuck);
}

enum concurrency_verdict concurrency_judge(const struct concurrency_view *view)
{
    if (view->taken + view->elders < view->most || !view->contended)
        return CONCURRENCY_GO;
    if (view->waited_ms >= CONCURRENCY_WAIT_MOST_MS)
        return CONCURRENCY_REFUSED;
    return concurrency_harms(view) && view->harmed_ms >= CONCURRENCY_HARM_MS ? CONCURRENCY_REFUSED : CONCURRENCY_WAIT;
}

static uint64_t concurrency_client(const struct concurrency *c, const char *client)
{
    struct siphash hash;
    siphash_begin(&hash, &c->key);
    siphash_add(&hash, client, strlen(client));
    return siphash_end(&hash);
}

bool concurrency_contended(const struct concurrency *c, int64_t now_ms)
{
    return now_ms < atomic_load(&c->mixed_until) && now_ms >= atomic_load(&c->limited_from_ms);
}

/* Counts the places of the org and of the client, and who waits for one, in other slots than the claim's own. */
static void concurrency_look(struct concurrency *c, const struct concurrency_claim *claim, uint64_t client,
                             struct concurrency_view *view, int64_t now_ms)
{
    int of_org = 0, of_client = 0;
    int64_t youngest_ms = INT64_MIN;
    view->elders = 0;
    view->harmed_ms = 0;
    for (int i = 0; i < c->workers; i++) {
        int org = i == claim->slot ? 0 : atomic_load(&c->slot[i].org);
        bool same_client = org != 0 && atomic_load(&c->slot[i].client) == client;
        if (org != claim->org && !same_client)
            continue;
        int64_t since_ms = atomic_load(&c->slot[i].since_ms);
        if (atomic_load(&c->slot[i].waits)) {
            view->elders += now_ms - since_ms >= CONCURRENCY_TURN_MS && now_ms - since_ms > view->waited_ms;
            continue;
        }
        of_org += org == claim->org;
        of_client += same_client;
        youngest_ms = since_ms > youngest_ms ? since_ms : youngest_ms;
    }
    view->taken = of_org > of_client ? of_org : of_client;
    view->most = c->most;
    view->youngest_ms = view->taken > 0 ? now_ms - youngest_ms : 0;
    view->contended = concurrency_contended(c, now_ms);
}

/* Notes harm that is done now; how long it has been done. */
static int64_t concurrency_harmed_ms(struct concurrency *c, int org, int64_t now_ms)
{
    struct concurrency_harm *harm = &c->harm[(unsigned)org % CONCURRENCY_HARMS];
    if (now_ms - atomic_load(&harm->last_ms) >= CONCURRENCY_HARM_MS)
        atomic_store(&harm->since_ms, now_ms); /* before it is seen to go on */
    atomic_store(&harm->last_ms, now_ms);
    return now_ms - atomic_load(&harm->since_ms);
}

static void concurrency_mark(struct concurrency_slot *slot, int org, uint64_t client, bool waits, int64_t since_ms)
{
    atomic_store(&slot->client, client);
    atomic_store(&slot->since_ms, since_ms);
    atomic_store(&slot->waits, waits);
    atomic_store(&slot->org, org);
}

void concurrency_note(struct concurrency *c, int payer, int64_t now_ms)
{
    int before = atomic_load(&c->last_payer);
    if (before == payer)
        return;
    atomic_store(&c->last_payer, payer);
    if (before != 0)
        atomic_store(&c->mixed_until, now_ms + CONCURRENCY_LATELY_MS);
}

enum concurrency_verdict concurrency_take(struct concurrency *c, const struct concurrency_claim *claim,
                                          struct concurrency_view *view, int64_t now_ms)
{
    struct concurrency_slot *own = &c->slot[claim->slot];
    uint64_t client = concurrency_client(c, claim->client);
    concurrency_look(c, claim, client, view, now_ms);
    enum concurrency_verdict verdict = concurrency_judge(view);
    if (verdict == CONCURRENCY_GO) {
        concurrency_mark(own, claim->org, client, false, now_ms);
        /* Taken first and counted again: of workers that do this at once none overlooks another. All of them may step
         * back; they ask again at different times. */
        concurrency_look(c, claim, client, view, now_ms);
        verdict = concurrency_judge(view);
    }
    if (verdict == CONCURRENCY_GO)
        return verdict;
    if (concurrency_harms(view)) {
        view->harmed_ms = concurrency_harmed_ms(c, claim->org, now_ms);
        verdict = concurrency_judge(view);
    }
    concurrency_release(c, claim->slot);
    if (verdict == CONCURRENCY_WAIT)
        concurrency_mark(own, claim->org, client, true, now_ms - view->waited_ms);
    return verdict;
}

void concurrency_spare(struct concurrency *c, int64_t now_ms)
{
    atomic_store(&c->limited_from_ms, now_ms + CONCURRENCY_RELOAD_MS);
}

void concurrency_release(struct concurrency *c, int slot)
{
    atomic_store(&c->slot[slot].org, 0);
}
