/*
 * concurrency: how many workers one tenant may hold at the same time. Called by pipeline.c, made and tidied by main.c.
 *
 * Requests of an org, or of a client, that take long (a lock, a slow disk, large pages) would in the end hold every
 * worker, and then nobody else is served: promise 9 of fcgi/README.md. So while more than one org asks, some workers are a
 * reserve that no org and no client can take; a tenant that is alone, as far as the last ten seconds tell, has the whole pool.
 * What is over the limit is not refused while it harms nobody: a worker that takes such a request waits with it for one of the
 * tenant's places, in its turn. It harms others when they may stand behind it and the tenant's requests don't move, or stand in
 * a line; what then goes on for a second is 429, until a second without it. Less than that also comes of a machine, a disk or a
 * database that stood still for a moment, and whoever is served most has most requests waiting after it. Without others it is
 * 429 after half a second.
 *
 * Where everybody waits through no fault of theirs nobody is refused: what a starting pool finds in the socket's queue has waited for
 * the workers of before or for the first connection to the database, and what waits for the workers of before waits for the
 * machine, which starts as many new ones (concurrency_spare()): a reload must not cost an answer (promise 8).
 *
 * Each worker has a slot in memory that all of them share, and says there for whom it works. There is no counter, so a worker that
 * was killed leaves nothing behind but its slot, which the supervisor clears.
 */
#ifndef CONSIGN_RESPONDER_CONCURRENCY_H
#define CONSIGN_RESPONDER_CONCURRENCY_H

#include <stdbool.h>
#include <stdint.h>

struct concurrency;

/* A request that wants a place. */
struct concurrency_claim {
    int slot;          /* of the worker */
    int org;           /* verified; more than 0 */
    const char *client; /* verified client id */
};

enum concurrency_verdict {
    CONCURRENCY_GO,     /* the place is taken; concurrency_release() gives it back */
    CONCURRENCY_WAIT,   /* ask again soon; only a turn is taken, which concurrency_release() gives back too */
    CONCURRENCY_REFUSED /* nothing is taken */
};

/* What is known of the claim's situation when it is judged. */
struct concurrency_view {
    int taken;               /* places of its org or of its client, whichever is more */
    int most;                /* that either may have */
    int elders;              /* requests of the same that have waited long enough to go first */
    int64_t youngest_ms;     /* how long ago the last of those places was taken */
    int64_t waited_ms;       /* how long the claim has waited for a place, in this worker */
    int64_t queued_ms;       /* how long the request waited for this worker before (queue_age.h) */
    bool others_wait;        /* another request is in the socket's queue and could have this worker */
    int64_t harmed_ms;       /* for how long the org's requests over the limit have harmed others */
    bool contended;          /* more than one has asked lately */
};

/* The places of so many workers, in shared memory that is never given back. `most` 0: all but a quarter of the
 * workers, at least one less than all where there are two or more. started_ms: the monotonic clock; the limit begins two
 * seconds later. NULL without memory. */
struct concurrency *concurrency_new(int workers, int most, int64_t started_ms);

/* The rule alone, without memory or clock. */
enum concurrency_verdict concurrency_judge(const struct concurrency_view *view);

/* Tries to take a place. Of the view only waited_ms, queued_ms and others_wait are the caller's to give. now_ms is the
 * monotonic clock. */
enum concurrency_verdict concurrency_take(struct concurrency *c, const struct concurrency_claim *claim,
                                          struct concurrency_view *view, int64_t now_ms);

/* Notes that somebody asks, who need not be served: an org, or a client that acts for none (org_rate_payer()). */
void concurrency_note(struct concurrency *c, int payer, int64_t now_ms);

/* Whether tenants are limited now: more than one has asked lately, and no start or reload is to be spared. */
bool concurrency_contended(const struct concurrency *c, int64_t now_ms);

/* In the supervisor: a reload begins. Nobody is refused for ten seconds; by then these workers are retired, or it failed. */
void concurrency_spare(struct concurrency *c, int64_t now_ms);

/* Gives a place or a turn back; harmless when there is none. Also for the slot of a worker that ended. */
void concurrency_release(struct concurrency *c, int slot);

#endif
