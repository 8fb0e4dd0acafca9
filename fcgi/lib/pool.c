/*
 * pool: a supervisor and its worker processes: their start, their end, and the reload. See pool.h.
 */
#include "lib/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pool_check.h"
#include "lib/pool_internal.h"

#define POOL_BACKOFF_FIRST_MS 50
#define POOL_BACKOFF_MOST_MS 1000
#define POOL_HEALTHY_MS 5000 /* a worker that lived this long died of something new */
#define POOL_READY_MS 30000 /* new workers that are not ready by then are worth an error */
#define POOL_RETIRED_SETS 3 /* under reloads in a row, so many sets of old workers may still be at work */

struct pool_worker {
    pid_t pid;          /* 0: none */
    int64_t started_ms;
    int64_t next_ms;    /* not started again before */
    int backoff_ms;
};

struct pool {
    const struct pool_options *options;
    struct pool_worker *worker;
    atomic_bool *ready; /* by slot, in memory that the workers share */
    struct pool_old old; /* workers of the programs before */
    struct pool_check check;
    bool reload_again; /* asked for while a check ran */
    bool late; /* it was said that the new workers don't get ready */
    bool stopping;
    int64_t begun_ms;
};

sigset_t pool_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        sigaddset(&set, SIGNALS[i]);
    return set;
}

static void pool_start(struct pool *pool, int slot)
{
    struct pool_worker *w = &pool->worker[slot];
    pid_t parent = getpid();
    atomic_store(&pool->ready[slot], false);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a worker never outlives its supervisor */
        if (getppid() != parent)          /* it ended before that was said */
            _exit(1);
        pool_worker_live(pool->options, slot, &pool->ready[slot]);
    }
    w->started_ms = clock_monotonic_ms();
    if (pid < 0) {
        log_event(LOG_ERROR, "fork_failed", "reason=\"%s\"", strerror(errno));
        w->next_ms = w->started_ms + POOL_BACKOFF_MOST_MS;
        return;
    }
    w->pid = pid;
}

/* How a process ended, for the log. */
#define POOL_END_FORMAT "%s=%d"
#define POOL_END(status)                                                                                               \
    WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)

/* Notes the end of a worker and when its slot may be filled again. */
static void pool_reap_slot(struct pool *pool, int slot, int status)
{
    struct pool_worker *w = &pool->worker[slot];
    int64_t now = clock_monotonic_ms();
    if (!pool->stopping)
        log_event(LOG_WARN, "worker_ended", "worker=%d slot=%d " POOL_END_FORMAT " lived_ms=%lld", (int)w->pid, slot,
                  POOL_END(status), (long long)(now - w->started_ms));
    if (pool->stopping || now - w->started_ms >= POOL_HEALTHY_MS)
        w->backoff_ms = 0;
    else
        w->backoff_ms = w->backoff_ms == 0 ? POOL_BACKOFF_FIRST_MS : w->backoff_ms * 2;
    if (w->backoff_ms > POOL_BACKOFF_MOST_MS)
        w->backoff_ms = POOL_BACKOFF_MOST_MS;
    w->next_ms = now + w->backoff_ms;
    w->pid = 0;
    if (pool->options->ended != NULL)
        pool->options->ended(slot, pool->options->arg);
}

static void pool_reap_old(struct pool *pool, pid_t pid, int status)
{
    if (!pool_old_forget(&pool->old, pid) || pool->stopping)
        return;
    if (status != 0)
        log_event(LOG_WARN, "retired_ended", "worker=%d " POOL_END_FORMAT, (int)pid, POOL_END(status));
    if (pool->old.count == 0)
        log_event(LOG_INFO, "reload_over", "workers=%d", pool->options->workers);
}

static int pool_alive(const struct pool *pool)
{
    int n = pool->old.count;
    for (int i = 0; i < pool->options->workers; i++)
        n += pool->worker[i].pid != 0;
    return n;
}

static void pool_signal_all(struct pool *pool, int signal_number)
{
    for (int i = 0; i < pool->options->workers; i++) {
        if (pool->worker[i].pid != 0)
            kill(pool->worker[i].pid, signal_number);
    }
    pool_old_signal(&pool->old, signal_number);
}

static void pool_fill(struct pool *pool)
{
    int64_t now = clock_monotonic_ms();
    for (int i = 0; i < pool->options->workers; i++) {
        if (pool->worker[i].pid == 0 && now >= pool->worker[i].next_ms)
            pool_start(pool, i);
    }
}

/* The first step of a reload. */
static void pool_reload(struct pool *pool)
{
    if (pool->options->program == NULL)
        return;
    pool->reload_again = pool->check.pid != 0;
    if (pool->reload_again)
        return;
    log_event(LOG_INFO, "reload", "workers=%d program=%s", pool_alive(pool), log_quote(pool->options->program->argv[0]));
    if (pool->options->reloads != NULL)
        pool->options->reloads(pool->options->arg);
    if (pool_check_begin(&pool->check, pool->options->program))
        return;
    pool->check.pid = 0;
}

/* The second: all workers are the next program's old ones. Returns when that could not be. */
static void pool_upgrade(struct pool *pool)
{
    struct pool_old all = {0};
    int64_t now = clock_monotonic_ms();
    bool good = true;
    for (int i = 0; i < pool->old.count; i++)
        good = good && pool_old_add(&all, pool->old.worker[i].pid, pool->old.worker[i].stage, pool->old.worker[i].since_ms);
    for (int i = 0; i < pool->options->workers; i++)
        good = good && (pool->worker[i].pid == 0 || pool_old_add(&all, pool->worker[i].pid, POOL_SERVES, now));
    if (good && pool->options->upgrades != NULL)
        pool->options->upgrades(pool->options->arg);
    if (good)
        pool_upgrade_exec(pool->options->program, &all);
    else
        log_event(LOG_ERROR, "reload_failed", "reason=\"no memory, or too many workers\"");
    pool_old_free(&all);
}

static void pool_reap_check(struct pool *pool, int status)
{
    bool good = pool_check_conclude(&pool->check, pool->options->program, status);
    if (pool->stopping)
        return;
    if (pool->reload_again) /* what was checked may have changed since */
        pool_reload(pool);
    else if (good)
        pool_upgrade(pool);
}

static void pool_collect(struct pool *pool)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        int slot = 0;
        while (slot < pool->options->workers && pool->worker[slot].pid != pid)
            slot++;
        if (slot < pool->options->workers)
            pool_reap_slot(pool, slot, status);
        else if (pid == pool->check.pid)
            pool_reap_check(pool, status);
        else
            pool_reap_old(pool, pid, status);
    }
}

/* The last step of a reload: the old workers are retired when the new ones are ready, and pressed when they stay. */
static void pool_settle(struct pool *pool)
{
    int64_t now = clock_monotonic_ms();
    int ready = 0;
    if (pool_old_count(&pool->old, POOL_SERVES) > 0 && pool->options->workers > 0) {
        for (int i = 0; i < pool->options->workers; i++)
            ready += pool->worker[i].pid != 0 && atomic_load(&pool->ready[i]);
        if (ready == pool->options->workers) {
            int retired = pool_old_retire(&pool->old, now);
            log_event(LOG_INFO, "reloaded", "workers=%d retired=%d", ready, retired);
        } else if (!pool->late && now - pool->begun_ms >= POOL_READY_MS) {
            pool->late = true;
            log_event(LOG_ERROR, "reload_stuck", "ready=%d workers=%d reason=\"the old workers go on\"", ready,
                      pool->options->workers);
        }
    }
    int most = pool->options->workers > 0 ? POOL_RETIRED_SETS * pool->options->workers : POOL_OLD_MAX;
    pool_old_press(&pool->old, now, pool->options->retire_ms, pool->options->grace_ms, most);
}

/* Waits for a signal, at most until a slot may be filled or the tick is due. */
static int pool_next_signal(const sigset_t *set)
{
    struct timespec limit = {0, 50 * 1000000};
    return sigtimedwait(set, NULL, &limit);
}

/* After the stop was asked for: waits for the workers, kills those that overstay. */
static void pool_drain(struct pool *pool, const sigset_t *set)
{
    pool->stopping = true;
    pool_signal_all(pool, SIGTERM);
    int64_t deadline = clock_monotonic_ms() + pool->options->grace_ms;
    while (pool_alive(pool) > 0) {
        if (clock_monotonic_ms() >= deadline) {
            log_event(LOG_WARN, "workers_killed", "count=%d", pool_alive(pool));
            pool_signal_all(pool, SIGKILL);
            deadline = INT64_MAX;
        }
        pool_next_signal(set);
        pool_collect(pool);
    }
}

/* Returns the exit status. */
static int pool_supervise(struct pool *pool)
{
    sigset_t set = pool_signals();
    int64_t tick_ms = 0;
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int signal_number = 0; signal_number != SIGTERM && signal_number != SIGINT;
         signal_number = pool_next_signal(&set)) {
        if (signal_number == SIGHUP)
            pool_reload(pool);
        pool_collect(pool);
        pool_fill(pool);
        pool_check_press(&pool->check);
        pool_settle(pool);
        if (pool->options->tick != NULL && clock_monotonic_ms() - tick_ms >= 1000) {
            tick_ms = clock_monotonic_ms();
            pool->options->tick(pool->options->arg);
        }
        if (pool->options->workers == 0 && pool->old.count == 0) {
            log_event(LOG_ERROR, "stopped", "workers=0 reason=\"the last worker of the program before ended\"");
            return 1;
        }
    }
    log_event(LOG_INFO, "stopping", "workers=%d", pool_alive(pool));
    pool_drain(pool, &set);
    log_event(LOG_INFO, "stopped", "workers=0");
    return 0;
}

int pool_run(const struct pool_options *options)
{
    size_t slots = (size_t)options->workers + 1; /* pool_mind() has none of its own */
    struct pool pool = {.options = options, .begun_ms = clock_monotonic_ms()};
    void *shared = mmap(NULL, slots * sizeof(atomic_bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pool.worker = shared == MAP_FAILED ? NULL : calloc(slots, sizeof *pool.worker);
    if (pool.worker == NULL)
        return 1;
    pool.ready = shared;
    pool.old = pool_upgrade_workers();
    int status = pool_supervise(&pool);
    munmap(shared, slots * sizeof(atomic_bool));
    free(pool.worker);
    pool_old_free(&pool.old);
    return status;
}
