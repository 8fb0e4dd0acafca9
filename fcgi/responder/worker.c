/*
 * worker: the life of one process of the pool.
 *
 * It takes a request, sees it through, and takes the next (turn.h); when there is none it waits in turn_wait(), the
 * only place where signals get through. It keeps nothing of a request.
 *
 * A silent peer stalls libfcgi's reader for ever and nothing else interrupts it (facts.md), so a
 * watchdog alarm ends the process, and the supervisor starts another.
 */
#include "responder/worker.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "profile/merge.h"
#include "responder/figures.h"
#include "responder/pipeline.h"
#include "responder/turn.h"

/* Every statement is planned once a connection and not once a call: a page's LIMIT is a parameter, and the planner takes
 * an unknown one for a tenth of all rows, so left alone it would think the plan for this very call worth its price each
 * time. Statements are written for it (core/stmt_api.c). By index, also while a table is empty: the plan outlives that. */
#define WORKER_PLANS "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"
#define WORKER_ARENA_BYTES (16u * 1024u * 1024u) /* a 1 MiB body, its copies and a list of 1000 jobs */
#define WORKER_KEEP_BYTES (256u * 1024u) /* of the arena, after a request; nearly all requests need less */
#define WORKER_HEAP_STEP_BYTES (256 * 1024)
#define WORKER_ALARM_STEP_MS 250
#define WORKER_LOOK_MS 1000 /* a connection for which a worker was woken that did not live to take it waits no longer */
#define WORKER_LOCK_LEAST_MS 100
#define WORKER_LOCK_MOST_MS 2000

static volatile sig_atomic_t watched; /* 0 while it waits for a request: the alarm then means nothing */

static void worker_stuck(int signal_number)
{
    static const char LINE[] = "level=error process=api event=watchdog message=\"no progress; the worker ends\"\n";
    (void)signal_number;
    if (!watched)
        return;
    log_line(LINE, sizeof LINE - 1);
    _exit(3);
}

static struct db *progress_db; /* the worker's own */
static char *heap_end;         /* when memory was last given back */

/* The alarm is set anew four times a second at most and never taken back: two system calls a request less. */
void worker_progress(void)
{
    static int64_t set_ms = -WORKER_ALARM_STEP_MS;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - set_ms >= WORKER_ALARM_STEP_MS) {
        struct itimerval limit = {.it_value = {.tv_sec = conf_number(CONF_API_REQUEST_SECONDS),
                                               .tv_usec = WORKER_ALARM_STEP_MS * 1000}};
        setitimer(ITIMER_REAL, &limit, NULL);
        set_ms = now_ms;
    }
    db_set_budget(progress_db, conf_number(CONF_API_DATABASE_MS));
}

static void worker_watchdog(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = worker_stuck;
    sigaction(SIGALRM, &action, NULL);
}

/* Waits for a request after none was there; that tells how long the next may have waited (queue_age.h). */
static void worker_wait(struct call_worker *worker, struct turn *turn)
{
    figures_waits(worker->figures, worker->slot);
    turn_wait(turn, WORKER_LOOK_MS);
    worker->queue_empty_ms = clock_monotonic_ms();
    figures_wakes(worker->figures, worker->slot, worker->queue_empty_ms);
}

/* What a large request took is given back, so that a worker stays as small as its next one needs. The rows of a long
 * list lie below something that stays, so that free() can't lower the heap's end, and malloc_trim() has to; that
 * is for requests that were large, by their arena or because the heap grew. */
static void worker_give_back(struct arena *arena)
{
    bool grown = (char *)sbrk(0) - heap_end >= WORKER_HEAP_STEP_BYTES;
    if (arena_trim(arena, WORKER_KEEP_BYTES) || grown) {
        malloc_trim(0);
        heap_end = sbrk(0);
    }
}

static void worker_serve(struct call_worker *worker, struct arena *arena)
{
    figures_begin(worker->figures, worker->slot);
    pipeline_serve(worker, arena);
    worker_give_back(arena);
    figures_end(worker->figures, worker->slot);
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

static void worker_loop(struct call_worker *worker, struct arena *arena, struct pool_share share)
{
    struct turn turn = {.listener = worker->listener, .share = share};
    while (turn.told || !pool_worker_retiring()) {
        worker_progress();
        watched = 1;
        enum request_accept accepted = turn_take(&turn);
        if (accepted == REQUEST_ACCEPTED)
            worker_serve(worker, arena);
        watched = 0;
        if (accepted == REQUEST_NOTHING)
            worker_wait(worker, &turn);
        if (accepted == REQUEST_FAILED) {
            log_event(LOG_ERROR, "accept", "reason=failed");
            pool_worker_wait(-1, 50); /* out of descriptors: ending would only make a storm of restarts */
        }
    }
}

/* Large blocks (rows of a long list, bodies, what json-c builds of them) are the system's again when they are freed. By
 * default glibc raises both limits up to 32 and 64 MiB as such blocks come and go, and a worker keeps the most that it
 * ever had. */
static void worker_bound_heap(void)
{
    mallopt(M_MMAP_THRESHOLD, WORKER_HEAP_STEP_BYTES);
    mallopt(M_TRIM_THRESHOLD, WORKER_HEAP_STEP_BYTES);
    heap_end = sbrk(0);
}

int worker_live(int slot, void *arg)
{
    const struct worker_setup *setup = arg;
    struct call_worker worker = {.slot = slot,
                                 .workers = setup->workers,
                                 .waiting = setup->waiting,
                                 .concurrency = setup->concurrency,
                                 .org_rate = setup->org_rate,
                                 .suspect = setup->suspect,
                                 .figures = setup->figures,
                                 .traffic = setup->traffic,
                                 .store = setup->store,
                                 .keys = setup->keys,
                                 .own = &setup->issuers->issuer[0],
                                 .issuers = setup->issuers,
                                 .cache = setup->cache,
                                 .scopes = setup->scopes};
    worker_watchdog();
    worker_bound_heap();
    worker.listener = request_listener_new(setup->listen_fd);
    worker.db = db_new((struct db_options){.conninfo = conf_text(CONF_DATABASE_API),
                                           .application = "consign-api",
                                           .wait_ms = (int)conf_number(CONF_API_DATABASE_MS),
                                           .lock_ms = worker_lock_ms(),
                                           .more_options = WORKER_PLANS});
    progress_db = worker.db;
    worker.merge = merge_new();
    struct pool_share share;
    bool shared = pool_worker_share(&share, setup->listen_fd);
    struct arena *arena = arena_new(WORKER_ARENA_BYTES);
    if (worker.listener == NULL || worker.db == NULL || worker.merge == NULL || arena == NULL || !shared) {
        log_event(LOG_ERROR, "worker", "reason=\"no memory, or no descriptors\"");
        return 1;
    }
    if (confine_process(CONFINE_ACCEPT | CONFINE_STORE) != FAULT_NONE)
        return 1;
    worker_loop(&worker, arena, share);
    arena_free(arena);
    merge_free(worker.merge);
    str_free(&worker.text);
    db_free(worker.db);
    request_listener_free(worker.listener);
    return 0;
}
