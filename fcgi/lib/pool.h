/*
 * pool: a supervisor and its worker processes. Both programs are one of these.
 *
 * The supervisor forks the workers, starts another for each that ends, slower and slower while
 * they end at once (at most one second apart), and reloads. SIGTERM or SIGINT: the workers are asked to
 * stop and given `grace_ms`, then killed.
 *
 * SIGHUP is a reload: settings and program are taken anew. The program that lies at its path now is first
 * run with `--check`; if that is content, the supervisor becomes that program (same pid, same descriptors,
 * same children: pool_upgrade.h), starts a full set of workers, and when all of them are ready the old ones are
 * retired: told to end after the piece of work they have. Those that take longer than `retire_ms` are
 * asked to stop. At any failure before that, everything goes on as it was.
 *
 * Signals are blocked in the workers everywhere but where pool_worker_wait() and pool_worker_wait_turn() wait (the
 * others look at what is pending), so no system call of a library is ever interrupted (facts.md, libfcgi), and a
 * connection that was accepted is served before a signal is heard.
 *
 * Files: pool.c the supervisor, pool_worker.c a worker's side, pool_old.c the workers of earlier programs,
 * pool_check.c the look before a reload, pool_upgrade.c the change of program.
 */
#ifndef CONSIGN_LIB_POOL_H
#define CONSIGN_LIB_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"

struct pool_program;

struct pool_options {
    int workers;
    int grace_ms;      /* from the request to stop to SIGKILL */
    int64_t retire_ms; /* how long a retired worker goes on before it is asked to stop */
    /* A worker's life; it returns when it was asked to stop or to retire (0) or cannot go on (not 0). */
    int (*work)(int slot, void *arg);
    void *arg;
    /* Called in the supervisor after the worker in that slot ended, however it did; may be NULL. Not called
     * for workers that an earlier program started. */
    void (*ended)(int slot, void *arg);
    void (*reloads)(void *arg); /* called in the supervisor when a reload begins; may be NULL */
    void (*upgrades)(void *arg); /* called in the supervisor just before it becomes the next program; may be NULL */
    void (*tick)(void *arg); /* called in the supervisor about once a second; may be NULL */
    const struct pool_program *program; /* how to reload (pool_upgrade.h); NULL: SIGHUP does nothing */
};

/* Runs until asked to stop; with no workers of its own, also until the last one of an earlier program ended. Returns the
 * exit status of the program: 0 when it was asked. */
int pool_run(const struct pool_options *options);

/* In a worker: whether it was asked to stop. Looks at pending signals; cheap. The first call of this or of
 * the two below says that the worker is ready: what it needs must be there by then. */
bool pool_worker_stopping(void);

/* In a worker: whether it is to take no more work: it was retired or asked to stop. Cheap. */
bool pool_worker_retiring(void);

/* In a worker: waits until fd is readable, a stop is asked for, it is retired, or timeout_ms passed (-1: for
 * ever). One that was retired before still waits for its time, but not for ever. Signals get through only here.
 * True: fd is readable. fd may be -1. */
bool pool_worker_wait(int fd, int timeout_ms);

/* For pool_worker_wait_turn(): a socket that all workers listen on, and what one of them waits by. */
struct pool_share {
    int socket;
    int epoll;
};

/* In a worker: prepares out for a socket, before the worker confines itself. False: errno tells. */
bool pool_worker_share(struct pool_share *out, int socket);

/* What pool_worker_wait_turn() found; both may be. */
enum pool_turn { POOL_TURN_NONE = 0, POOL_TURN_SOCKET = 1, POOL_TURN_OWN = 2 };

/* As pool_worker_wait(), but of the workers that wait for the same socket one is woken for a connection, not all
 * (EPOLLEXCLUSIVE). POOL_TURN_SOCKET: this is the one, and it must look at the socket even when it is to end, because nobody
 * else was told. One that is killed or stopped just then looks no more: so the others wait with a time limit. `own` is a
 * connection of the worker's that is waited for too (POOL_TURN_OWN: it is readable or ended), or -1. Woken is who has no
 * connection of its own, else who has had one for longest. */
unsigned pool_worker_wait_turn(const struct pool_share *share, int own, int timeout_ms);

#endif
