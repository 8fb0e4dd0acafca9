/*
 * figures: what the pool is doing. See figures.h.
 */
#include "responder/figures.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "responder/queue_depth.h"

#define FIGURES_FULL_MS 2000      /* shorter is a burst */
#define FIGURES_SAY_EACH_MS 10000
#define FIGURES_LINE 64           /* of the cache: slots of two workers never share one */

struct figures_slot {
    alignas(FIGURES_LINE) atomic_int busy;
    atomic_int_least64_t free_ms; /* when it last waited for work; INT64_MAX: it does */
    atomic_int_least64_t wait_ms; /* the longest wait since the supervisor's look */
    atomic_uint_least64_t requests;
};

struct figures {
    int workers;
    atomic_int queue, queue_most;
    atomic_int_least64_t wait_ms[2]; /* the longest waits of the second that the look ended, and of the one before */
    atomic_uint_least64_t ended;
    int64_t started_ms;
    int64_t said_ms;                 /* the supervisor's own: when pool_full was logged */
    struct figures_slot slot[];
};

struct figures *figures_new(int workers)
{
    size_t size = sizeof(struct figures) + (size_t)workers * sizeof(struct figures_slot);
    struct figures *f = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f == MAP_FAILED)
        return NULL;
    f->workers = workers;
    f->queue = f->queue_most = -1;
    f->started_ms = clock_wall_ms();
    f->said_ms = -FIGURES_SAY_EACH_MS;
    for (int i = 0; i < workers; i++)
        f->slot[i].free_ms = INT64_MAX; /* not started yet: nothing waits because of that */
    return f;
}

/* Only its worker writes these, so a store is enough. */
#define FIGURES_SET(member, value) atomic_store_explicit(&(member), (value), memory_order_relaxed)
#define FIGURES_GET(member) atomic_load_explicit(&(member), memory_order_relaxed)

void figures_waits(struct figures *f, int slot)
{
    FIGURES_SET(f->slot[slot].free_ms, INT64_MAX);
}

void figures_wakes(struct figures *f, int slot, int64_t now_ms)
{
    FIGURES_SET(f->slot[slot].free_ms, now_ms);
}

void figures_begin(struct figures *f, int slot)
{
    struct figures_slot *s = &f->slot[slot];
    FIGURES_SET(s->busy, 1);
    FIGURES_SET(s->requests, FIGURES_GET(s->requests) + 1);
}

void figures_waited(struct figures *f, int slot, int64_t age_ms)
{
    struct figures_slot *s = &f->slot[slot];
    if (age_ms > FIGURES_GET(s->wait_ms)) /* the supervisor may begin anew in between: then it counts for that second */
        FIGURES_SET(s->wait_ms, age_ms);
}

void figures_end(struct figures *f, int slot)
{
    FIGURES_SET(f->slot[slot].busy, 0);
}

void figures_ended(struct figures *f, int slot, int64_t now_ms)
{
    FIGURES_SET(f->ended, FIGURES_GET(f->ended) + 1);
    FIGURES_SET(f->slot[slot].busy, 0);
    if (FIGURES_GET(f->slot[slot].free_ms) > now_ms)
        FIGURES_SET(f->slot[slot].free_ms, now_ms);
}

static void figures_say_full(struct figures *f, const struct figures_view *v, int64_t now_ms)
{
    if (v->full_ms < FIGURES_FULL_MS || now_ms - f->said_ms < FIGURES_SAY_EACH_MS)
        return;
    f->said_ms = now_ms;
    log_event(LOG_WARN, "pool_full", "busy=%d workers=%d queue=%d age_ms=%lld full_ms=%lld", v->busy, v->workers, v->queue,
              (long long)v->wait_ms, (long long)v->full_ms);
}

void figures_look(struct figures *f, int listen_fd, int64_t now_ms)
{
    int waiting, most;
    int64_t longest = 0;
    queue_depth_read(listen_fd, &waiting, &most);
    FIGURES_SET(f->queue, waiting);
    FIGURES_SET(f->queue_most, most);
    for (int i = 0; i < f->workers; i++) {
        int64_t wait_ms = atomic_exchange_explicit(&f->slot[i].wait_ms, 0, memory_order_relaxed);
        longest = wait_ms > longest ? wait_ms : longest;
    }
    FIGURES_SET(f->wait_ms[1], FIGURES_GET(f->wait_ms[0]));
    FIGURES_SET(f->wait_ms[0], longest);
    struct figures_view v = figures_read(f, now_ms);
    figures_say_full(f, &v, now_ms);
}

struct figures_view figures_read(const struct figures *f, int64_t now_ms)
{
    struct figures_view v = {.workers = f->workers,
                             .queue = FIGURES_GET(f->queue),
                             .queue_most = FIGURES_GET(f->queue_most),
                             .ended = FIGURES_GET(f->ended),
                             .started_ms = f->started_ms};
    int64_t free_ms = INT64_MIN;
    for (int i = 0; i < 2; i++)
        v.wait_ms = FIGURES_GET(f->wait_ms[i]) > v.wait_ms ? FIGURES_GET(f->wait_ms[i]) : v.wait_ms;
    for (int i = 0; i < f->workers; i++) {
        const struct figures_slot *s = &f->slot[i];
        int64_t slot_free_ms = FIGURES_GET(s->free_ms), wait_ms = FIGURES_GET(s->wait_ms);
        v.busy += FIGURES_GET(s->busy);
        v.requests += FIGURES_GET(s->requests);
        v.wait_ms = wait_ms > v.wait_ms ? wait_ms : v.wait_ms;
        free_ms = slot_free_ms > free_ms ? slot_free_ms : free_ms;
    }
    v.full_ms = free_ms < now_ms ? now_ms - free_ms : 0;
    return v;
}
