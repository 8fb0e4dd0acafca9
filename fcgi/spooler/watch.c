/*
 * watch: whether an export attempt is to go on. See watch.h.
 */
#include "spooler/watch.h"

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/pool.h"

#define WATCH_LOOK_MS 50
#define WATCH_TELL_MS 500

enum fault watch_tell(struct watch *w)
{
    struct lease *l = w->lease;
    const struct run_progress *p = &w->progress;
    arena_reset(w->arena);
    const char *params[] = {arena_int(w->arena, l->org),
                            arena_int(w->arena, l->sandbox),
                            arena_int(w->arena, l->job),
                            l->batch,
                            l->attempt,
                            p->phase,
                            arena_int(w->arena, p->profiles_done),
                            arena_int(w->arena, p->profiles_estimated),
                            arena_int(w->arena, p->files_written)};
    if (w->fault == FAULT_NONE && arena_exhausted(w->arena))
        w->fault = FAULT_MEMORY;
    if (w->fault == FAULT_NONE)
        w->fault = db_call(l->db, w->arena, l->org, &STMT_JOB_BEAT, params, NULL);
    w->told_ms = clock_monotonic_ms();
    return w->fault;
}

enum fault watch_tick(void *arg)
{
    struct watch *w = arg;
    int64_t now = clock_monotonic_ms();
    if (w->fault != FAULT_NONE || now - w->looked_ms < WATCH_LOOK_MS)
        return w->fault;
    w->looked_ms = now;
    if (pool_worker_stopping())
        w->fault = FAULT_STOPPED;
    return w->fault == FAULT_NONE && now - w->told_ms >= WATCH_TELL_MS ? watch_tell(w) : w->fault;
}

bool watch_stops(void *arg)
{
    return watch_tick(arg) != FAULT_NONE;
}
