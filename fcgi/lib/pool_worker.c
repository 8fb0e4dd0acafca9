/*
 * pool_worker: a worker's side of the pool: its signals and its waits. See pool.h.
 */
#include "lib/pool_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

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

/* Looks at the pending signals and takes none: one that comes between a look and a wait ends the wait. One that
 * was seen ends the next wait early, once. */
static void pool_worker_look(void)
{
    sigset_t pending;
    pool_worker_say_ready();
    if (stop_asked || sigpending(&pending) != 0)
        return;
    if (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1)
        stop_asked = 1;
    if (sigismember(&pending, SIGUSR1) == 1)
        retire_asked = 1;
}

bool pool_worker_stopping(void)
{
    pool_worker_look();
    return stop_asked != 0;
}

bool pool_worker_retiring(void)
{
    pool_worker_look();
    return stop_asked != 0 || retire_asked != 0;
}

bool pool_worker_wait(int fd, int timeout_ms)
{
    pool_worker_say_ready();
    if (stop_asked || (retire_asked && timeout_ms < 0))
        return false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    sigset_t open;
    sigemptyset(&open);
    int ready = ppoll(&p, 1, timeout_ms < 0 ? NULL : &limit, &open);
    return ready > 0 && !stop_asked;
}

int pool_worker_share(int fd)
{
    int turns = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = fd};
    if (turns >= 0 && epoll_ctl(turns, EPOLL_CTL_ADD, fd, &wanted) != 0) {
        close(turns);
        turns = -1;
    }
    return turns;
}

bool pool_worker_wait_turn(int turns, int timeout_ms)
{
    if (stop_asked || retire_asked)
        return false;
    struct epoll_event ready;
    sigset_t open;
    sigemptyset(&open);
    return epoll_pwait(turns, &ready, 1, timeout_ms, &open) > 0;
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
