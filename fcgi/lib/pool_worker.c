/*
 * pool_worker: a worker's side of the pool: its signals and its waits. See pool.h.
 */
#include "lib/pool_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/invariant.h"

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

/* At the end of the row of those who wait. */
static bool pool_worker_queue(const struct pool_share *share)
{
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = share->socket};
    return epoll_ctl(share->epoll, EPOLL_CTL_ADD, share->socket, &wanted) == 0;
}

bool pool_worker_share(struct pool_share *out, int socket)
{
    *out = (struct pool_share){socket, epoll_create1(EPOLL_CLOEXEC)};
    if (out->epoll >= 0 && pool_worker_queue(out))
        return true;
    if (out->epoll >= 0)
        close(out->epoll);
    return false;
}

/* Has the wait look at `own` too. What was closed meanwhile is no longer there, even if `own` has its number. */
static bool pool_worker_add(const struct pool_share *share, int own)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = own};
    if (epoll_ctl(share->epoll, EPOLL_CTL_ADD, own, &wanted) != 0)
        return errno == EEXIST;
    /* a new one: who waits for the socket alone is to be woken first */
    return epoll_ctl(share->epoll, EPOLL_CTL_DEL, share->socket, NULL) == 0 && pool_worker_queue(share);
}

unsigned pool_worker_wait_turn(const struct pool_share *share, int own, int timeout_ms)
{
    if (stop_asked || retire_asked)
        return POOL_TURN_NONE;
    INVARIANT(own < 0 || pool_worker_add(share, own));
    struct epoll_event ready[2];
    sigset_t open;
    sigemptyset(&open);
    int count = epoll_pwait(share->epoll, ready, 2, timeout_ms, &open);
    unsigned found = POOL_TURN_NONE;
    for (int i = 0; i < count; i++)
        found |= ready[i].data.fd == own ? POOL_TURN_OWN : POOL_TURN_SOCKET;
    return found;
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
