/*
 * ops: what operators and load balancers ask, on the loopback listener only. Metrics: ops_metrics.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/object_store.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "responder/figures.h"
#include "responder/handlers.h"

#define OPS_READY_MS 3000 /* for the database: who asks asks again soon, and gives up before long */

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

/* Each of these answers NULL, or what is wrong for the client to read. */

static const char *ops_database(struct call *c)
{
    struct db_rows rows;
    db_set_budget(c->worker->db, OPS_READY_MS);
    if (db_call(c->worker->db, c->arena, 0, &STMT_READY, NULL, &rows) != FAULT_NONE)
        return "it does not answer, takes no writes, or is not migrated";
    return db_bool(&rows, 0, 0) ? "it takes no writes" : NULL;
}

/* Without keys of an issuer every token of its clients is refused, and for good in their eyes: better that another pool
 * is asked, if there is one. */
static const char *ops_keys(struct call *c)
{
    struct issuers *list = c->worker->issuers;
    issuers_refresh(list, c->arena);
    for (int i = 0; i < list->count; i++) {
        if (list->issuer[i].keys == NULL || jwks_count(list->issuer[i].keys) == 0)
            return arena_printf(c->arena, "there is none of the issuer %s", list->issuer[i].name);
    }
    return NULL;
}

static const char *ops_inbox(struct call *c)
{
    (void)c;
    return access(conf_text(CONF_INBOX_DIR), W_OK | X_OK) == 0 ? NULL : strerror(errno);
}

/* nginx reads it as another user; it is there, or it is not. An object store is somebody else's service, and is not asked. */
static const char *ops_lake(struct call *c)
{
    struct stat s;
    (void)c;
    return object_store() != NULL || stat(conf_text(CONF_LAKE_DIR), &s) == 0 ? NULL : strerror(errno);
}

/* The service can do its work, or what it lacks, all of it. */
enum fault ops_handle_ready(struct call *c)
{
    static const struct {
        const char *name;
        const char *(*wrong)(struct call *c);
    } NEEDS[] = {{"database", ops_database}, {"keys", ops_keys}, {"inbox", ops_inbox}, {"lake", ops_lake}};
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    const char *told = NULL;
    jsonio_add_text(body, "status", "ready");
    for (size_t i = 0; i < sizeof NEEDS / sizeof *NEEDS; i++) {
        const char *wrong = NEEDS[i].wrong(c);
        if (wrong != NULL)
            told = told == NULL ? arena_printf(c->arena, "%s: %s", NEEDS[i].name, wrong)
                                : arena_printf(c->arena, "%s; %s: %s", told, NEEDS[i].name, wrong);
        jsonio_add_text(body, NEEDS[i].name, "up");
    }
    if (told != NULL) {
        log_event(LOG_WARN, "not_ready", "reason=%s", log_quote(told));
        return call_refuse(c, FAULT_NOT_READY, NULL, told);
    }
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}
