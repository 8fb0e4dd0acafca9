/*
 * figures: what the pool is doing, in memory that the supervisor and its workers share. Shown by GET /health and /metrics.
 *
 * Each worker writes its own slot and nobody else's, so nothing is locked and a worker that is killed leaves no
 * count behind. The supervisor looks about once a second (figures_look): at the length of the queue, which a worker
 * may not ask for (queue_depth.h), and whether the pool has been full for long.
 *
 * Workers of the program before a reload are not in it.
 */
#ifndef CONSIGN_RESPONDER_FIGURES_H
#define CONSIGN_RESPONDER_FIGURES_H

#include <stdint.h>

struct figures;

struct figures_view {
    int workers;         /* slots */
    int busy;            /* workers that have a request, the asking one included */
    int queue;           /* connections that no worker has taken yet, at the supervisor's last look; -1: not known */
    int queue_most;      /* its bound (the socket's backlog); -1: not known */
    int64_t wait_ms;     /* the longest that a request taken in the last one to two seconds waited for its worker */
    int64_t full_ms;     /* how long no worker has found the queue empty; 0 while one waits for work */
    uint64_t requests;   /* taken since the supervisor's start */
    uint64_t ended;      /* workers that ended since then */
    int64_t started_ms;  /* that start, wall time */
};

/* For so many workers. NULL: no memory. Never freed: it lives as long as the pool. */
struct figures *figures_new(int workers);

/* In a worker, its own slot: it found the queue empty and waits from now_ms on (monotonic); it stopped waiting. */
void figures_waits(struct figures *f, int slot);
void figures_wakes(struct figures *f, int slot, int64_t now_ms);

/* In a worker: it has a request; the request had waited so long for it; it is through with it. */
void figures_begin(struct figures *f, int slot);
void figures_waited(struct figures *f, int slot, int64_t age_ms);
void figures_end(struct figures *f, int slot);

/* In the supervisor: the worker in that slot ended, however it did. */
void figures_ended(struct figures *f, int slot, int64_t now_ms);

/* In the supervisor, about once a second: asks the kernel for the queue of listen_fd, begins a new second of waits, and
 * logs pool_full when the pool has been full for long, at most every ten seconds. */
void figures_look(struct figures *f, int listen_fd, int64_t now_ms);

/* What is known at now_ms (monotonic). */
struct figures_view figures_read(const struct figures *f, int64_t now_ms);

#endif
