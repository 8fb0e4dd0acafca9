/*
 * pool_worker: a worker's side of the pool: its signals and its waits. See pool.h.
 */
#include "lib/pool_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t stop_asked, retire_asked;
static atomic_bool *ready_mark; /* NULL: said already, or no worker of a pool */

static void pool_worker_note(int signal_number)
{
    if (signal_number == SIGUSR1)
        retire_asked = 1;
    else
        stop_asked = 1;
}

static void pool_worker_say_ready(void)
{
    if (ready_mark != NULL)
        atomic_store(ready_mark, true);
    ready_mark = NULL;
}

/* Takes a pending signal of two. */
static bool pool_worker_pending(int one, int other)
{
    static const struct timespec NOW = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, one);
    sigaddset(&set, other);
    return sigtimedwait(&set, NULL, &NOW) > 0;
}

bool pool_worker_stopping(void)
{
    pool_worker_say_ready();
    if (!stop_asked && pool_worker_pending(SIGTERM, SIGINT))
        stop_asked = 1;
    return stop_asked != 0;
}

bool pool_worker_retiring(void)
{
    if (!retire_asked && pool_worker_pending(SIGUSR1, SIGUSR1))
        retire_asked = 1;
    return pool_worker_stopping() || retire_asked != 0;
}

bool pool_worker_wait(int fd, int timeout_ms)
{
    /* SIGUSR1 is left pending here: taken by a look, it would not end the wait below */
    if (pool_worker_stopping() || (retire_asked && timeout_ms < 0))
        return false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    sigset_t open;
    sigemptyset(&open);
    int ready = ppoll(&p, 1, timeout_ms < 0 ? NULL : &limit, &open);
    return ready > 0 && !stop_asked;
}

_Noreturn void pool_worker_live(const struct pool_options *options, int slot, atomic_bool *ready)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = pool_worker_note;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    ready_mark = ready;
    exit(options->work(slot, options->arg));
}
