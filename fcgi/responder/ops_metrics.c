/*
 * ops_metrics: GET /metrics. What there is stands in metric.c.
 *
 * What each worker keeps for itself (the key sets) is the answering worker's; all of them are read within seconds.
 */
#include <string.h>

#include "lib/clock.h"
#include "responder/figures.h"
#include "responder/handlers.h"
#include "responder/metric.h"
#include "responder/store_figures.h"
#include "responder/traffic.h"

#define OPS_METRICS_BYTES (512u * 1024u)
#define OPS_DATABASE_MS 2000 /* the pool's own figures don't wait long for the others */

/* One sample for each issuer. Their names are settings, not tenants'. */
static void ops_add_issuers(struct call *c, struct str *out, enum metric metric, bool open,
                            int64_t (*value)(const struct issuer *))
{
    const struct issuers *list = c->worker->issuers;
    metric_begin(out, metric, open);
    for (int i = 0; i < list->count; i++) {
        struct str labels = STR_INIT(8192);
        str_append_text(&labels, "issuer=");
        str_append_json(&labels, list->issuer[i].name, strlen(list->issuer[i].name));
        metric_sample(out, metric, labels.data, value(&list->issuer[i]));
        str_free(&labels);
    }
}

static int64_t ops_issuer_keys(const struct issuer *one)
{
    return one->keys == NULL ? 0 : jwks_count(one->keys);
}

static int64_t ops_issuer_refused(const struct issuer *one)
{
    return one->refused;
}

static int64_t ops_issuer_age(const struct issuer *one)
{
    return one->loaded_ms == 0 ? -1 : (clock_wall_ms() - one->loaded_ms) / 1000;
}

static void ops_add_tokens(struct call *c, struct str *out, bool open)
{
    uint64_t hits, misses;
    token_cache_figures(c->worker->cache, &hits, &misses);
    metric_begin(out, METRIC_TOKEN_LOOKUPS, open);
    metric_sample(out, METRIC_TOKEN_LOOKUPS, "outcome=\"hit\"", (int64_t)hits);
    metric_sample(out, METRIC_TOKEN_LOOKUPS, "outcome=\"miss\"", (int64_t)misses);
    metric_single(out, METRIC_TOKEN_ENTRIES, open, token_cache_size(c->worker->cache, clock_wall_ms() / 1000));
    metric_single(out, METRIC_TOKEN_SLOTS, open, TOKEN_CACHE_SLOTS);
    issuers_refresh(c->worker->issuers, c->arena);
    ops_add_issuers(c, out, METRIC_KEY_SET_KEYS, open, ops_issuer_keys);
    ops_add_issuers(c, out, METRIC_KEY_SET_REFUSED, open, ops_issuer_refused);
    ops_add_issuers(c, out, METRIC_KEY_SET_AGE, open, ops_issuer_age);
}

static void ops_add_pool(struct call *c, struct str *out, bool open)
{
    struct figures_view v = figures_read(c->worker->figures, clock_monotonic_ms());
    metric_single(out, METRIC_WORKERS, open, v.workers);
    metric_single(out, METRIC_WORKERS_BUSY, open, v.busy);
    metric_single(out, METRIC_WORKERS_ENDED, open, (int64_t)v.ended);
    metric_single_milli(out, METRIC_START_TIME, open, v.started_ms);
    if (v.queue >= 0) {
        metric_single(out, METRIC_QUEUE_CONNECTIONS, open, v.queue);
        metric_single(out, METRIC_QUEUE_LIMIT, open, v.queue_most);
    }
    metric_single_milli(out, METRIC_QUEUE_WAIT, open, v.wait_ms);
    metric_single_milli(out, METRIC_POOL_FULL, open, v.full_ms);
}

enum fault ops_handle_metrics(struct call *c)
{
    const char *accept = request_param(&c->request, "HTTP_ACCEPT");
    bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    struct str out = STR_INIT(OPS_METRICS_BYTES);
    traffic_write(c->worker->traffic, &out, open);
    ops_add_pool(c, &out, open);
    ops_add_tokens(c, &out, open);
    db_set_budget(c->worker->db, OPS_DATABASE_MS);
    store_figures_look(c->worker->store, c->worker->db, c->arena, clock_monotonic_ms());
    store_figures_write(c->worker->store, &out, open);
    str_append_text(&out, "# EOF\n");
    c->reply.status = 200;
    c->reply.content_type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8";
    c->reply.length = out.length;
    c->reply.body = out.overflow ? NULL : arena_copy(c->arena, out.data, out.length);
    str_free(&out);
    return c->reply.body == NULL ? FAULT_MEMORY : FAULT_NONE;
}
