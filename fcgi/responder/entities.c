/*
 * entities: looking at profiles and events, and removing a profile (contract.md section 1). The reading of requests
 * and the documents are in entities_*.c, see entities.h.
 */
#include "responder/entities.h"

#include <stdlib.h>

#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/handlers.h"

static void entity_release_buffer(void *buffer)
{
    str_free(buffer);
}

struct str *entity_buffer(struct call *c, size_t bound)
{
    struct str *buffer = arena_alloc(c->arena, sizeof *buffer);
    if (buffer == NULL)
        return NULL;
    *buffer = STR_INIT(bound);
    return arena_own(c->arena, buffer, entity_release_buffer) ? buffer : NULL;
}

enum fault entity_policy_refusal(struct call *c, const struct entity_request *r, enum fault fault)
{
    if (fault != FAULT_POLICY)
        return fault;
    return call_refuse(c, FAULT_MALFORMED, r->many ? "/mergePolicyId" : NULL,
                       r->many ? "is no merge policy of this sandbox"
                               : "mergePolicyId: is no merge policy of this sandbox");
}

static enum fault entity_answer(struct call *c, const struct entity_request *r)
{
    return r->events ? entity_answer_events(c, r) : entity_answer_profiles(c, r);
}

enum fault entity_handle_get(struct call *c)
{
    struct entity_request r;
    enum fault fault = entity_read_query(c, &r);
    return fault == FAULT_NONE ? entity_answer(c, &r) : fault;
}

enum fault entity_handle_get_many(struct call *c)
{
    struct entity_request r;
    enum fault fault = entity_read_body(c, &r);
    return fault == FAULT_NONE ? entity_answer(c, &r) : fault;
}

enum fault entity_handle_remove(struct call *c)
{
    struct entity_name name;
    struct db_rows rows;
    enum fault fault = entity_read_removal(c, &name);
    if (fault != FAULT_NONE)
        return fault;
    char *job = arena_alloc(c->arena, CRYPTO_UUID_TEXT);
    if (job == NULL)
        return FAULT_MEMORY;
    crypto_uuid(job);
    const char *const params[] = {name.ns, name.id, job, c->scope.client_id};
    fault = call_db(c, &STMT_ENTITY_REMOVE, params, sizeof params / sizeof *params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    c->audit.object = job;
    c->reply.status = 202;
    reply_header(&c->reply, "Location", call_link(c, arena_printf(c->arena, "/data/core/ups/system/jobs/%s", job)));
    return FAULT_NONE;
}
