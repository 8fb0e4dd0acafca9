/*
 * ops: what operators and load balancers ask, on the loopback listener only.
 */
#include "core/stmt_api.h"
#include "responder/handlers.h"

/* The process serves. */
enum fault ops_handle_health(struct call *c)
{
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(body, "status", "up");
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
