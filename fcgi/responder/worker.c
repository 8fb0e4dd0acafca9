/*
 * worker: the life of one process of the pool.
 *
 * It waits in pool_worker_wait(), the only place where signals get through, takes one request, sees
 * it through, and waits again. It keeps nothing of a request.
 *
 * A silent peer stalls libfcgi's reader for ever and nothing else interrupts it (facts.md), so a
 * watchdog alarm ends the process, and the supervisor starts another.
 */
#include "responder/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "profile/merge.h"
#include "responder/pipeline.h"

/* Every statement is planned once a connection and not once a call: a page's LIMIT is a parameter, and the planner takes
 * an unknown one for a tenth of all rows, so left alone it would think the plan for this very call worth its price each
 * time. Statements are written for it (core/stmt_api.c). By index, also while a table is empty: the plan outlives that. */
#define WORKER_PLANS "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"
#define WORKER_ARENA_BYTES (16u * 1024u * 1024u) /* a 1 MiB body, its copies and a list of 1000 jobs */
#define WORKER_LOCK_LEAST_MS 100
#define WORKER_LOCK_MOST_MS 2000

static void worker_stuck(int signal_number)
{
    static const char LINE[] = "level=error process=api event=watchdog message=\"no progress; the worker ends\"\n";
    (void)signal_number;
    log_line(LINE, sizeof LINE - 1);
    _exit(3);
}

static struct db *progress_db; /* the worker's own */

void worker_progress(void)
{
    alarm((unsigned)conf_number(CONF_API_REQUEST_SECONDS));
    db_set_budget(progress_db, conf_number(CONF_API_DATABASE_MS));
}

static void worker_watchdog(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = worker_stuck;
    sigaction(SIGALRM, &action, NULL);
}

/* Waits for a request. Whether one was there already tells how long the next may have waited (queue_age.h). */
static bool worker_wait(struct call_worker *worker, int listen_fd)
{
    if (pool_worker_wait(listen_fd, 0))
        return true;
    bool ready = pool_worker_wait(listen_fd, -1);
    worker->queue_empty_ms = clock_monotonic_ms();
    return ready;
}

/* A statement that waits for somebody's lock gives up while the request still has time to say so, however long it
 * waited for this worker. */
static int worker_lock_ms(void)
{
    int64_t left_ms = (conf_number(CONF_API_DATABASE_MS) - conf_number(CONF_API_QUEUE_MS)) * 3 / 4;
    if (left_ms < WORKER_LOCK_LEAST_MS)
        return WORKER_LOCK_LEAST_MS;
    return left_ms < WORKER_LOCK_MOST_MS ? (int)left_ms : WORKER_LOCK_MOST_MS;
}

static void worker_loop(struct call_worker *worker, struct arena *arena, int listen_fd)
{
    while (!pool_worker_retiring()) {
        if (!worker_wait(worker, listen_fd))
            continue;
        worker_progress();
        switch (request_accept(worker->listener)) {
        case REQUEST_ACCEPTED:
            pipeline_serve(worker, arena);
            break;
        case REQUEST_FAILED:
            alarm(0);
            log_event(LOG_ERROR, "accept", "reason=failed");
            pool_worker_wait(-1, 50); /* out of descriptors: ending would only make a storm of restarts */
            break;
        case REQUEST_NOTHING:
        default:
            break;
        }
        alarm(0);
    }
}

int worker_live(int slot, void *arg)
{
    const struct worker_setup *setup = arg;
    struct call_worker worker = {.slot = slot,
                                 .workers = setup->workers,
                                 .waiting = setup->waiting,
                                 .keys = setup->keys,
                                 .own = &setup->issuers->issuer[0],
                                 .issuers = setup->issuers,
                                 .cache = setup->cache};
    worker_watchdog();
    worker.listener = request_listener_new(setup->listen_fd);
    worker.db = db_new((struct db_options){.conninfo = conf_text(CONF_DATABASE_API),
                                           .application = "consign-api",
                                           .wait_ms = (int)conf_number(CONF_API_DATABASE_MS),
                                           .lock_ms = worker_lock_ms(),
                                           .more_options = WORKER_PLANS});
    progress_db = worker.db;
    worker.merge = merge_new();
    struct arena *arena = arena_new(WORKER_ARENA_BYTES);
    if (worker.listener == NULL || worker.db == NULL || worker.merge == NULL || arena == NULL) {
        log_event(LOG_ERROR, "worker", "reason=\"no memory\"");
        return 1;
    }
    if (confine_process(CONFINE_ACCEPT | CONFINE_STORE) != FAULT_NONE)
        return 1;
    worker_loop(&worker, arena, setup->listen_fd);
    arena_free(arena);
    merge_free(worker.merge);
    db_free(worker.db);
    request_listener_free(worker.listener);
    return 0;
}
