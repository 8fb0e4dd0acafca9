/*
 * pool: a supervisor and its worker processes. Both programs are one of these.
 *
 * The supervisor forks the workers, starts another for each that ends, slower and slower while
 * they end at once (at most one second apart), and does nothing else. SIGTERM or SIGINT: the workers are
 * asked to stop and given `grace_ms`, then killed. SIGHUP: each worker is asked to stop and replaced.
 *
 * Signals are blocked in the workers everywhere but where pool_worker_wait() or pool_worker_stopping()
 * looks, so no system call of a library is ever interrupted (facts.md, libfcgi).
 */
#ifndef CONSIGN_LIB_POOL_H
#define CONSIGN_LIB_POOL_H

#include <stdbool.h>

#include "lib/fault.h"

struct pool_options {
    int workers;
    int grace_ms;
    /* A worker's life; it returns when it was asked to stop (0) or cannot go on (not 0). */
    int (*work)(int slot, void *arg);
    void *arg;
    /* Called in the supervisor after the worker in that slot ended, however it did; may be NULL. */
    void (*ended)(int slot, void *arg);
    void (*tick)(void *arg); /* called in the supervisor about once a second; may be NULL */
};

/* Runs until asked to stop. Returns the exit status of the program. */
int pool_run(const struct pool_options *options);

/* In a worker: whether it was asked to stop. Looks at pending signals; cheap. */
bool pool_worker_stopping(void);

/* In a worker: waits until fd is readable, a stop is asked for, or timeout_ms passed (-1: for ever).
 * Signals get through only here. True: fd is readable. fd may be -1. */
bool pool_worker_wait(int fd, int timeout_ms);

#endif
