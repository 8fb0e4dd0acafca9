/*
 * spool: the life of a worker. See spool.h.
 */
#include "spooler/spool.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/counts.h"
#include "spooler/drain.h"
#include "spooler/eraser.h"
#include "spooler/helper.h"
#include "spooler/lease.h"
#include "spooler/loader.h"
#include "spooler/runner.h"
#include "spooler/session.h"
#include "spooler/sweep.h"

#define SPOOL_ARENA_BYTES (256u * 1024u)
#define SPOOL_OFFER_MS 100 /* help matters to long exports only; looking for own work comes first */
#define SPOOL_NO_OFFER_MS 2000 /* after help that failed: it would most likely fail again, and take ranges from others */
#define SPOOL_DOWN_MS 1000 /* pause while the database cannot be reached */

struct spool {
    struct db *lease;
    struct arena *arena;
    struct runner_tools tools;
    bool express; /* takes only work of orgs for which nothing runs */
    bool worn;    /* met the end of its memory: the next one starts fresh, and this one fails no further work */
    int64_t swept_ms;
    int64_t ended_ms; /* silent sessions */
    int64_t offer_ms; /* when it next looks for somebody to help */
};

/* The slots beyond spooler.workers are the express workers. */
static bool spool_open(struct spool *s, int slot)
{
    memset(s, 0, sizeof *s);
    s->express = slot >= conf_number(CONF_SPOOLER_WORKERS);
    s->lease = db_new(session_lease_options());
    s->tools.work = db_new(session_work_options("consign-spooler work", runner_interrupts, &s->tools));
    s->tools.events = db_new(session_work_options("consign-spooler events", runner_interrupts, &s->tools));
    s->arena = arena_new(SPOOL_ARENA_BYTES);
    s->tools.beat = arena_new(SPOOL_ARENA_BYTES / 16);
    return s->lease != NULL && s->tools.work != NULL && s->tools.events != NULL && s->arena != NULL &&
           s->tools.beat != NULL;
}

static void spool_close(struct spool *s)
{
    db_free(s->lease);
    db_free(s->tools.work);
    db_free(s->tools.events);
    arena_free(s->arena);
    arena_free(s->tools.beat);
}

/* Helps with somebody else's export, if it is time to look for one. */
static enum fault spool_help(struct spool *s, bool *found)
{
    if (clock_monotonic_ms() < s->offer_ms)
        return FAULT_NONE;
    s->offer_ms = clock_monotonic_ms() + SPOOL_OFFER_MS;
    enum fault fault = helper_run(s->lease, s->arena, &s->tools, found);
    if (!*found)
        return fault;
    s->worn = fault == FAULT_MEMORY;
    if (fault != FAULT_NONE && fault != FAULT_CANCELLED && fault != FAULT_LEASE_LOST)
        s->offer_ms = clock_monotonic_ms() + SPOOL_NO_OFFER_MS;
    return FAULT_NONE;
}

static void spool_do(struct spool *s, struct lease *lease)
{
    switch (lease->task) {
    case LEASE_EXPORT:
        runner_run(lease, &s->tools);
        return;
    case LEASE_BATCH:
        loader_run(lease, &s->tools);
        return;
    case LEASE_STREAM:
        drain_run(lease, &s->tools);
        return;
    case LEASE_DELETE:
        eraser_run(lease, &s->tools);
        return;
    }
}

/* Does one piece of work, or helps with somebody else's. *found false: there was none. */
static enum fault spool_once(struct spool *s, bool *found)
{
    struct lease lease = {.db = s->lease, .arena = s->arena};
    arena_reset(s->arena);
    enum fault fault = lease_claim(&lease, s->express, found);
    if (fault == FAULT_NONE && !*found)
        return spool_help(s, found);
    if (fault != FAULT_NONE)
        return fault;
    lease_log_context(&lease, "");
    log_event(LOG_INFO, "claimed", "task=%s attempts=%d", lease_task_name(lease.task), lease.attempts);
    int64_t begun_ms = clock_monotonic_ms();
    spool_do(s, &lease);
    counts_attempt(&lease, clock_monotonic_ms() - begun_ms);
    s->worn = lease.short_of_memory;
    log_context("%s", "");
    return FAULT_NONE;
}

int spool_work(int slot, void *arg)
{
    struct spool s;
    (void)arg;
    if (!spool_open(&s, slot) || confine_process(CONFINE_STORE | CONFINE_TREES) != FAULT_NONE)
        return 1;
    while (!s.worn && !pool_worker_retiring()) {
        bool found = false;
        enum fault fault = spool_once(&s, &found);
        if (fault == FAULT_NONE)
            session_end_silent(s.lease, s.arena, &s.ended_ms);
        if (fault == FAULT_NONE && clock_monotonic_ms() - s.swept_ms >= conf_number(CONF_SPOOLER_SWEEP_MS)) {
            s.swept_ms = clock_monotonic_ms();
            sweep_run(s.lease, s.arena);
        }
        if (fault == FAULT_NONE)
            counts_hand_over(s.lease, s.arena, false);
        if (fault != FAULT_NONE)
            pool_worker_wait(-1, SPOOL_DOWN_MS);
        else if (!found)
            pool_worker_wait(-1, (int)conf_number(CONF_SPOOLER_POLL_MS));
    }
    counts_hand_over(s.lease, s.arena, true);
    spool_close(&s);
    return s.worn;
}
