/*
 * attempt: the export run of the attempt that owns a job. See attempt.h.
 */
#include "spooler/attempt.h"

#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/session.h"

#define ATTEMPT_SHARES_MAX 1000
#define ATTEMPT_LOOK_MS 20       /* how often the helpers are looked at when there is nothing else to do */

enum fault attempt_tell(void *lease, struct arena *a, const struct run_progress *p)
{
    const struct lease *l = lease;
    const char *params[] = {arena_int(a, l->org),
                            arena_int(a, l->sandbox),
                            arena_int(a, l->job),
                            l->batch,
                            l->attempt,
                            p->phase,
                            arena_int(a, p->profiles_done),
                            arena_int(a, p->profiles_estimated),
                            arena_int(a, p->files_written),
                            arena_int(a, p->bytes_written)};
    return arena_exhausted(a) ? FAULT_MEMORY : db_call(l->db, a, l->org, &STMT_JOB_BEAT, params, NULL);
}

static enum fault attempt_tick(void *arg)
{
    return watch_tick(((struct attempt *)arg)->watch);
}

/* The watch's arena serves statements between beats too: nothing of it is kept. */
static struct arena *attempt_scratch(struct attempt *t)
{
    arena_reset(t->watch->arena);
    return t->watch->arena;
}

static enum fault attempt_next_range(void *arg, int64_t *from, int64_t *to, bool *over)
{
    struct attempt *t = arg;
    const struct lease *l = t->lease;
    struct db_rows rows;
    if (!t->shared) {
        *over = t->given;
        t->given = true;
        *from = 0;
        *to = INT64_MAX;
        return FAULT_NONE;
    }
    struct arena *a = attempt_scratch(t);
    const char *params[] = {
        arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job), l->batch, l->attempt, l->attempt};
    enum fault fault = arena_exhausted(a) ? FAULT_MEMORY : session_insist(l->db, a, l->org, &STMT_SHARE_TAKE, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    *over = rows.count == 0;
    *from = *over ? 0 : db_int(&rows, 0, 0);
    *to = *over ? 0 : db_int(&rows, 0, 1);
    return FAULT_NONE;
}

/* Cuts a large store into ranges of about equally many identities and opens the job for helpers. Looks in the run's own
 * snapshot. Counting through the index costs a fraction of a second for a million. */
static enum fault attempt_share(struct attempt *t)
{
    const struct lease *l = t->lease;
    const struct run_result *r = run_result(t->run);
    int64_t size = conf_number(CONF_EXPORT_SHARE_PROFILES), least = r->identities / ATTEMPT_SHARES_MAX + 1;
    struct db_rows rows;
    if (r->identities <= size)
        return FAULT_NONE;
    struct arena *a = l->arena; /* not the watch's: it beats while the work connection waits */
    const char *cut[] = {arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, size > least ? size : least)};
    if (arena_exhausted(a))
        return FAULT_MEMORY;
    enum fault fault = db_run(t->work, a, &STMT_STORE_BOUNDS, cut, &rows);
    if (fault != FAULT_NONE)
        return fault;
    const char *params[] = {
        cut[0], cut[1], arena_int(a, l->job), l->batch, l->attempt, r->snapshot, db_text(&rows, 0, 0)};
    fault = arena_exhausted(a) ? FAULT_MEMORY : session_insist(l->db, a, l->org, &STMT_SHARE_OPEN, params, NULL);
    t->shared = fault == FAULT_NONE;
    return fault;
}

/* How many helpers still work, and whether there is something to be read (again). */
static enum fault attempt_look(struct attempt *t, bool *working, bool *left)
{
    const struct lease *l = t->lease;
    struct arena *a = attempt_scratch(t);
    struct db_rows rows;
    const char *params[] = {arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job),
                            arena_int(a, conf_number(CONF_SPOOLER_SILENCE_MS))}; /* helpers tell twice a second */
    enum fault fault = arena_exhausted(a) ? FAULT_MEMORY : session_insist(l->db, a, l->org, &STMT_HELP_LOOK, params, &rows);
    *working = fault == FAULT_NONE && db_int(&rows, 0, 0) > 0;
    *left = fault == FAULT_NONE && db_bool(&rows, 0, 1);
    return fault;
}

/* Writes what this worker gets, then waits for the helpers, and takes what those leave that don't come to an end. */
static enum fault attempt_write_all(struct attempt *t)
{
    bool working = t->shared, left = false;
    enum fault fault = run_write(t->run);
    while (fault == FAULT_NONE && (working || left)) {
        fault = attempt_look(t, &working, &left);
        if (fault == FAULT_NONE && left)
            fault = run_write(t->run);
        else if (fault == FAULT_NONE && working)
            pool_worker_wait(-1, ATTEMPT_LOOK_MS);
        if (fault == FAULT_NONE)
            fault = watch_tick(t->watch);
    }
    return fault;
}

enum fault attempt_write(struct attempt *t)
{
    const struct lease *l = t->lease;
    const struct orders *o = t->orders;
    struct run_order order = {.fragments = t->work,
                              .events = t->events,
                              .arena = l->arena,
                              .org = l->org,
                              .sandbox = l->sandbox,
                              .job = l->job,
                              .orders = &o->spec,
                              .policy = &o->policy,
                              .format = o->format,
                              .compression = o->compression,
                              .part_bytes = (uint64_t)conf_number(CONF_EXPORT_PART_BYTES),
                              .memory_bytes = (size_t)conf_number(CONF_EXPORT_MEMORY_BYTES),
                              .target = t->place->target,
                              .targets = t->place->targets,
                              .per_segment = o->per_segment,
                              .always = true,
                              .tick = attempt_tick,
                              .next_range = attempt_next_range,
                              .arg = t,
                              .progress = &t->watch->progress};
    enum fault fault = run_open(&order, &t->run);
    if (fault == FAULT_NONE) {
        t->watch->progress.profiles_estimated = run_result(t->run)->identities;
        fault = attempt_share(t);
    }
    if (fault == FAULT_NONE)
        fault = attempt_write_all(t);
    return fault == FAULT_NONE ? run_end(t->run) : fault;
}

void attempt_end(struct attempt *t)
{
    run_free(t->run);
    t->run = NULL;
}
