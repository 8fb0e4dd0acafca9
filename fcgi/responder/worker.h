/*
 * worker: the life of one process of the pool.
 */
#ifndef CONSIGN_RESPONDER_WORKER_H
#define CONSIGN_RESPONDER_WORKER_H

#include "core/keys.h"
#include "responder/call.h"

struct worker_setup {
    int listen_fd;
    int workers;
    const struct keys *keys;
    struct issuers *issuers; /* the first is our own */
    struct arena *arena;     /* working memory of the supervisor */
    struct token_cache *cache;
    const struct scope_cache *scopes;
    struct call_waiting *waiting;
    struct concurrency *concurrency;
    struct org_rate *org_rate;
    struct suspect *suspect;
    struct figures *figures;
    struct traffic *traffic;
    struct store_figures *store;
};

/* For pool_options.work; arg is a struct worker_setup. One request at a time until asked to stop. */
int worker_live(int slot, void *arg);

/* Sets the watchdog anew: a worker that makes no progress for api.request_seconds ends itself. And gives the request
 * api.database_ms for what it asks the database from here on. */
void worker_progress(void);

#endif
