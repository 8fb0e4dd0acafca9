/*
 * watch: whether a piece of work is to go on. See watch.h.
 */
#include "spooler/watch.h"

#include "lib/clock.h"
#include "lib/pool.h"

#define WATCH_LOOK_MS 50
#define WATCH_TELL_MS 500 /* a quarter of the shortest spooler.silence_ms */

struct watch watch_begin(enum fault (*tell)(void *, struct arena *, const struct run_progress *), void *arg,
                         struct arena *arena)
{
    return (struct watch){
        .progress.phase = "reading", .tell = tell, .arg = arg, .arena = arena, .told_ms = clock_monotonic_ms()};
}

enum fault watch_reason(const struct watch *w, enum fault fault)
{
    return fault == FAULT_STOPPED && w->fault != FAULT_NONE ? w->fault : fault;
}

enum fault watch_tell(struct watch *w)
{
    arena_reset(w->arena);
    if (w->fault == FAULT_NONE)
        w->fault = w->tell(w->arg, w->arena, &w->progress);
    if (w->fault == FAULT_DB_CONFLICT) /* somebody locks what it is told in: the work may go on, and tells again */
        w->fault = FAULT_NONE;
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
