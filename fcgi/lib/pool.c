/*
 * pool: a supervisor and its worker processes. See pool.h.
 */
#include "lib/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define POOL_BACKOFF_FIRST_MS 50
#define POOL_BACKOFF_MOST_MS 1000
#define POOL_HEALTHY_MS 5000 /* a worker that lived this long died of something new */

struct pool_worker {
    pid_t pid;          /* 0: none */
    bool draining;      /* asked to stop for a restart */
    int64_t started_ms;
    int64_t next_ms;    /* not started again before */
    int backoff_ms;
};

struct pool {
    const struct pool_options *options;
    struct pool_worker *worker;
    bool stopping;
};

static volatile sig_atomic_t stop_asked;

static void pool_note_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

static sigset_t pool_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        sigaddset(&set, SIGNALS[i]);
    return set;
}

bool pool_worker_stopping(void)
{
    static const struct timespec NOW = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (!stop_asked && sigtimedwait(&set, NULL, &NOW) > 0)
        stop_asked = 1;
    return stop_asked != 0;
}

bool pool_worker_wait(int fd, int timeout_ms)
{
    if (pool_worker_stopping())
        return false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    sigset_t open;
    sigemptyset(&open);
    int ready = ppoll(&p, 1, timeout_ms < 0 ? NULL : &limit, &open);
    return ready > 0 && !stop_asked;
}

/* The life of a worker process: handlers for the signals that end it, then its work. */
static _Noreturn void pool_be_worker(const struct pool_options *options, int slot)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = pool_note_stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    exit(options->work(slot, options->arg));
}

static void pool_start(struct pool *pool, int slot)
{
    struct pool_worker *w = &pool->worker[slot];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a worker never outlives its supervisor */
        if (getppid() != parent)          /* it ended before that was said */
            _exit(1);
        pool_be_worker(pool->options, slot);
    }
    w->draining = false;
    w->started_ms = clock_monotonic_ms();
    if (pid < 0) {
        log_event(LOG_ERROR, "fork_failed", "reason=\"%s\"", strerror(errno));
        w->next_ms = w->started_ms + POOL_BACKOFF_MOST_MS;
        return;
    }
    w->pid = pid;
}

/* Notes the end of a worker and when its slot may be filled again. */
static void pool_reap(struct pool *pool, pid_t pid, int status)
{
    for (int slot = 0; slot < pool->options->workers; slot++) {
        struct pool_worker *w = &pool->worker[slot];
        if (w->pid != pid)
            continue;
        int64_t now = clock_monotonic_ms();
        bool asked = w->draining || pool->stopping;
        if (!asked)
            log_event(LOG_WARN, "worker_ended", "worker=%d slot=%d %s=%d lived_ms=%lld", (int)pid, slot,
                      WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (long long)(now - w->started_ms));
        if (asked || now - w->started_ms >= POOL_HEALTHY_MS)
            w->backoff_ms = 0;
        else
            w->backoff_ms = w->backoff_ms == 0 ? POOL_BACKOFF_FIRST_MS : w->backoff_ms * 2;
        if (w->backoff_ms > POOL_BACKOFF_MOST_MS)
            w->backoff_ms = POOL_BACKOFF_MOST_MS;
        w->next_ms = now + w->backoff_ms;
        w->pid = 0;
        if (pool->options->ended != NULL)
            pool->options->ended(slot, pool->options->arg);
        return;
    }
}

static int pool_alive(const struct pool *pool)
{
    int n = 0;
    for (int i = 0; i < pool->options->workers; i++)
        n += pool->worker[i].pid != 0;
    return n;
}

static void pool_signal_all(struct pool *pool, int signal_number, bool drain)
{
    for (int i = 0; i < pool->options->workers; i++) {
        if (pool->worker[i].pid != 0) {
            pool->worker[i].draining = pool->worker[i].draining || drain;
            kill(pool->worker[i].pid, signal_number);
        }
    }
}

static void pool_fill(struct pool *pool)
{
    int64_t now = clock_monotonic_ms();
    for (int i = 0; i < pool->options->workers; i++) {
        if (pool->worker[i].pid == 0 && now >= pool->worker[i].next_ms)
            pool_start(pool, i);
    }
}

static void pool_collect(struct pool *pool)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        pool_reap(pool, pid, status);
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
    pool_signal_all(pool, SIGTERM, true);
    int64_t deadline = clock_monotonic_ms() + pool->options->grace_ms;
    while (pool_alive(pool) > 0) {
        if (clock_monotonic_ms() >= deadline) {
            log_event(LOG_WARN, "workers_killed", "count=%d", pool_alive(pool));
            pool_signal_all(pool, SIGKILL, true);
            deadline = INT64_MAX;
        }
        pool_next_signal(set);
        pool_collect(pool);
    }
}

int pool_run(const struct pool_options *options)
{
    struct pool pool = {.options = options, .worker = calloc((size_t)options->workers, sizeof(struct pool_worker))};
    if (pool.worker == NULL)
        return 1;
    sigset_t set = pool_signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
    int64_t tick_ms = 0;
    for (int signal_number = 0; signal_number != SIGTERM && signal_number != SIGINT;
         signal_number = pool_next_signal(&set)) {
        if (signal_number == SIGHUP) {
            log_event(LOG_INFO, "reload", "workers=%d", pool_alive(&pool));
            pool_signal_all(&pool, SIGTERM, true);
        }
        pool_collect(&pool);
        pool_fill(&pool);
        if (options->tick != NULL && clock_monotonic_ms() - tick_ms >= 1000) {
            tick_ms = clock_monotonic_ms();
            options->tick(options->arg);
        }
    }
    log_event(LOG_INFO, "stopping", "workers=%d", pool_alive(&pool));
    pool_drain(&pool, &set);
    log_event(LOG_INFO, "stopped", "workers=0");
    free(pool.worker);
    return 0;
}
