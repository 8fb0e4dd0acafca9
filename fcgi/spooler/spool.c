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
#include "spooler/helper.h"
#include "spooler/lease.h"
#include "spooler/loader.h"
#include "spooler/runner.h"
#include "spooler/sweep.h"

#define SPOOL_ARENA_BYTES (256u * 1024u)
#define SPOOL_LEASE_WAIT_MS 10000
#define SPOOL_SWEEP_MS 30000
#define SPOOL_OFFER_MS 100 /* help matters to long exports only; looking for own work comes first */
#define SPOOL_NO_OFFER_MS 2000 /* after help that failed: it would most likely fail again, and take ranges from others */
#define SPOOL_DOWN_MS 1000 /* pause while the database cannot be reached */

struct spool {
    struct db *lease;
    struct arena *arena;
    struct runner_tools tools;
    int64_t swept_ms;
    int64_t offer_ms; /* when it next looks for somebody to help */
};

static struct db_options spool_options(struct spool *s, const char *name, bool interruptible)
{
    return (struct db_options){.conninfo = conf_text(CONF_DATABASE_SPOOLER),
                               .application = name,
                               .wait_ms = SPOOL_LEASE_WAIT_MS,
                               .stopped = interruptible ? runner_interrupts : NULL,
                               .stopped_arg = interruptible ? &s->tools : NULL};
}

static bool spool_open(struct spool *s)
{
    memset(s, 0, sizeof *s);
    s->lease = db_new(spool_options(s, "consign-spooler lease", false));
    s->tools.work = db_new(spool_options(s, "consign-spooler work", true));
    s->tools.events = db_new(spool_options(s, "consign-spooler events", true));
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
    if (fault != FAULT_NONE && fault != FAULT_CANCELLED && fault != FAULT_LEASE_LOST)
        s->offer_ms = clock_monotonic_ms() + SPOOL_NO_OFFER_MS;
    return FAULT_NONE;
}

/* Does one piece of work, or helps with somebody else's. *found false: there was none. */
static enum fault spool_once(struct spool *s, bool *found)
{
    struct lease lease = {.db = s->lease, .arena = s->arena};
    arena_reset(s->arena);
    enum fault fault = lease_claim(&lease, found);
    if (fault == FAULT_NONE && !*found)
        return spool_help(s, found);
    if (fault != FAULT_NONE)
        return fault;
    log_context("org=%d sandbox=%d %s=%lld batch=%s attempt=%s", lease.org, lease.sandbox,
                lease.export ? "job" : "entry", (long long)(lease.export ? lease.job : lease.entry), lease.batch,
                lease.attempt);
    log_event(LOG_INFO, "claimed", "kind=%s attempts=%d", lease.export ? "export" : "ingest", lease.attempts);
    if (lease.export)
        runner_run(&lease, &s->tools);
    else
        loader_run(&lease, s->tools.work);
    log_context("%s", "");
    return FAULT_NONE;
}

int spool_work(int slot, void *arg)
{
    struct spool s;
    (void)slot;
    (void)arg;
    if (!spool_open(&s) || confine_process(CONFINE_STORE | CONFINE_TREES) != FAULT_NONE)
        return 1;
    while (!pool_worker_stopping()) {
        bool found = false;
        enum fault fault = spool_once(&s, &found);
        if (fault == FAULT_NONE && clock_monotonic_ms() - s.swept_ms >= SPOOL_SWEEP_MS) {
            s.swept_ms = clock_monotonic_ms();
            sweep_run(s.lease, s.arena);
        }
        if (fault != FAULT_NONE)
            pool_worker_wait(-1, SPOOL_DOWN_MS);
        else if (!found)
            pool_worker_wait(-1, (int)conf_number(CONF_SPOOLER_POLL_MS));
    }
    spool_close(&s);
    return 0;
}
