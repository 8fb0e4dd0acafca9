/*
 * ops: what operators and load balancers ask, on the loopback listener only.
 */
#include <string.h>

#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "responder/figures.h"
#include "responder/handlers.h"

#define OPS_METRICS_BYTES (64u * 1024u)

/* A member of a map, a number or null when it is not known (-1). */
static void ops_add_known(struct json_object *map, const char *name, int64_t n)
{
    if (n < 0)
        json_object_object_add(map, name, NULL);
    else
        jsonio_add_int(map, name, n);
}

/* The process serves, and how busy it is (figures.h). */
enum fault ops_handle_health(struct call *c)
{
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    struct json_object *workers = json_object_new_object(), *queue = json_object_new_object();
    struct figures_view v = figures_read(c->worker->figures, clock_monotonic_ms());
    jsonio_add_text(body, "status", "up");
    json_object_object_add(body, "workers", workers);
    jsonio_add_int(workers, "total", v.workers);
    jsonio_add_int(workers, "busy", v.busy);
    json_object_object_add(body, "queue", queue);
    ops_add_known(queue, "depth", v.queue);
    ops_add_known(queue, "limit", v.queue_most);
    jsonio_add_int(queue, "longestWaitMs", v.wait_ms);
    jsonio_add_int(queue, "fullMs", v.full_ms);
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}

/* The service can do its work: the database answers to our role and holds our schema. The signing
 * key was loaded before the pool started. */
enum fault ops_handle_ready(struct call *c)
{
    struct db_rows rows;
    enum fault fault = db_call(c->worker->db, c->arena, 0, &STMT_PING, NULL, &rows);
    if (fault != FAULT_NONE)
        return call_refuse(c, FAULT_DB_UNAVAILABLE, NULL, "the database does not answer, or is not migrated");
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(body, "status", "ready");
    jsonio_add_text(body, "database", "up");
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}

/* One sample for each issuer. */
static void ops_add_issuers(const struct issuers *list, struct str *out, const char *name,
                            int64_t (*value)(const struct issuer *))
{
    for (int i = 0; i < list->count; i++) {
        str_printf(out, "%s{issuer=", name);
        str_append_json(out, list->issuer[i].name, strlen(list->issuer[i].name));
        str_printf(out, "} %lld\n", (long long)value(&list->issuer[i]));
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

/* OpenMetrics text. What is kept by each worker (the key sets) is the answering worker's. */
enum fault ops_handle_metrics(struct call *c)
{
    struct str out = STR_INIT(OPS_METRICS_BYTES);
    uint64_t hits, misses;
    issuers_refresh(c->worker->issuers, c->arena);
    token_cache_figures(c->worker->cache, &hits, &misses);
    str_append_text(&out, "# TYPE consign_token_cache_lookups counter\n"
                          "# HELP consign_token_cache_lookups Tokens looked up in the cache of verified ones.\n");
    str_printf(&out, "consign_token_cache_lookups_total{outcome=\"hit\"} %llu\n", (unsigned long long)hits);
    str_printf(&out, "consign_token_cache_lookups_total{outcome=\"miss\"} %llu\n", (unsigned long long)misses);
    str_append_text(&out, "# TYPE consign_key_set_keys gauge\n# HELP consign_key_set_keys Usable keys of an issuer.\n");
    ops_add_issuers(c->worker->issuers, &out, "consign_key_set_keys", ops_issuer_keys);
    str_append_text(&out, "# TYPE consign_key_set_refused gauge\n"
                          "# HELP consign_key_set_refused 1 while the file is no good and an older set is used.\n");
    ops_add_issuers(c->worker->issuers, &out, "consign_key_set_refused", ops_issuer_refused);
    str_append_text(&out, "# TYPE consign_key_set_age_seconds gauge\n# UNIT consign_key_set_age_seconds seconds\n"
                          "# HELP consign_key_set_age_seconds Time since the set was read; -1: never.\n");
    ops_add_issuers(c->worker->issuers, &out, "consign_key_set_age_seconds", ops_issuer_age);
    str_append_text(&out, "# EOF\n");
    c->reply.status = 200;
    c->reply.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    c->reply.length = out.length;
    c->reply.body = out.overflow ? NULL : arena_copy(c->arena, out.data, out.length);
    str_free(&out);
    return c->reply.body == NULL ? FAULT_MEMORY : FAULT_NONE;
}
