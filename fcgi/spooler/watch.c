/*
 * watch: whether a piece of export work is to go on. See watch.h.
 */
#include "spooler/watch.h"

#include "lib/clock.h"
#include "lib/pool.h"

#define WATCH_LOOK_MS 50
#define WATCH_TELL_MS 500

enum fault watch_tell(struct watch *w)
{
    arena_reset(w->arena);
    if (w->fault == FAULT_NONE)
        w->fault = w->tell(w->arg, w->arena, &w->progress);
    w->told_ms = clock_monotonic_ms();
    return w->fault;
}

enum fault watch_tick(struct watch *w)
{
    int64_t now = clock_monotonic_ms();
    if (w->fault != FAULT_NONE || now - w->looked_ms < WATCH_LOOK_MS)
        return w->fault;
    w->looked_ms = now;
    if (pool_worker_stopping())
        w->fault = FAULT_STOPPED;
    return w->fault == FAULT_NONE && now - w->told_ms >= WATCH_TELL_MS ? watch_tell(w) : w->fault;
}

bool watch_stops(void *watch)
{
    return watch_tick(watch) != FAULT_NONE;
}
