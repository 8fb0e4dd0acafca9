/*
 * collection: streaming ingestion (contract.md section 1): messages that are durable when they are answered, and in the
 * profile store soon after. The spooler loads them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/ident.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "responder/collection_check.h"
#include "responder/collection_envelope.h"
#include "responder/collection_put.h"
#include "responder/handlers.h"
#include "responder/query.h"

#define COLLECTION_XACTION_BYTES 8 /* random, in the name of a call */

/* Whether the client waits for its records to be looked at. Both names are in use. */
static enum fault collection_read_query(struct call *c, bool *validate)
{
    static const char *const NAMES[] = {"synchronousValidation", "syncValidation"};
    struct query q;
    *validate = false;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *value = query_get(&q, NAMES[i]);
        if (value != NULL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return call_refuse(c, FAULT_MALFORMED, NULL, arena_printf(c->arena, "%s: true or false", NAMES[i]));
        *validate = *validate || (value != NULL && strcmp(value, "true") == 0);
    }
    return FAULT_NONE;
}

/* What every call begins with: its dataset, a name for it, and what its messages must fit. */
static enum fault collection_begin(struct call *c, struct collection_batch *b, struct collection_expected *expected,
                                   bool *validate)
{
    char random[2 * COLLECTION_XACTION_BYTES + 1];
    b->dataset = c->segment[0];
    *expected = (struct collection_expected){.dataset = b->dataset,
                                             .ims_org_id = c->scope.ims_org_id,
                                             .record_bytes = (size_t)conf_number(CONF_INGEST_RECORD_BYTES)};
    if (!ident_is_hex(b->dataset, IDENT_DATASET_DIGITS))
        return FAULT_NOT_FOUND;
    crypto_random_hex(random, COLLECTION_XACTION_BYTES);
    b->xaction = arena_printf(c->arena, "%lld-%s", (long long)clock_wall_ms(), random);
    return b->xaction == NULL ? FAULT_MEMORY : collection_read_query(c, validate);
}

/* Looks at the records if the client asked for it, and stores the messages that are good. */
static enum fault collection_take(struct call *c, struct collection_batch *b, bool validate)
{
    enum fault fault = validate ? collection_check(c, b->dataset, b->messages, b->count) : FAULT_NONE;
    if (fault == FAULT_NONE && collection_refused(b) < b->count)
        fault = collection_put(c, b);
    c->audit.object = b->xaction;
    return fault;
}

/* The members that every answer has. The name of a call begins with the time at which it was received. */
static struct json_object *collection_answer(struct call *c, const struct collection_batch *b, const char *name,
                                             bool validated)
{
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "inletId", b->dataset);
    jsonio_add_text(answer, name, b->xaction);
    jsonio_add_int(answer, "receivedTimeMs", strtoll(b->xaction, NULL, 10));
    if (validated) {
        struct json_object *outcome = json_object_new_object();
        jsonio_add_text(outcome, "status", "pass");
        json_object_object_add(answer, "syncValidation", outcome);
    }
    return answer;
}

enum fault collection_handle_one(struct call *c)
{
    struct collection_message message;
    struct collection_batch b = {.messages = &message, .count = 1};
    struct collection_expected expected;
    struct collection_refusal refusal;
    bool validate;
    enum fault fault = collection_begin(c, &b, &expected, &validate);
    if (fault != FAULT_NONE)
        return fault;
    fault = collection_read_one(c->arena, c->body, c->body_length, &expected, &message, &refusal);
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, refusal.pointer, refusal.reason);
    if (fault == FAULT_NONE)
        fault = collection_take(c, &b, validate);
    if (fault != FAULT_NONE)
        return fault;
    if (message.refusal.pointer != NULL)
        return call_refuse(c, FAULT_MALFORMED, message.refusal.pointer, message.refusal.reason);
    struct json_object *answer = collection_answer(c, &b, "xactionId", validate);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}

/* What became of each message, in the order of the call. */
static struct json_object *collection_responses(struct call *c, const struct collection_batch *b)
{
    struct json_object *list = json_object_new_array();
    for (uint32_t i = 0; i < b->count; i++) {
        const struct collection_refusal *refusal = &b->messages[i].refusal;
        struct json_object *one = json_object_new_object();
        if (refusal->pointer == NULL) {
            jsonio_add_text(one, "xactionId", collection_xaction(c->arena, b, i));
        } else {
            jsonio_add_int(one, "statusCode", 400);
            jsonio_add_text(one, "message", arena_printf(c->arena, "%s%s%s", refusal->pointer,
                                                         *refusal->pointer == '\0' ? "" : " ", refusal->reason));
        }
        json_object_array_add(list, one);
    }
    return list;
}

/* None was taken: a problem (contract.md section 3) that tells of each, too. */
static enum fault collection_refuse_all(struct call *c, struct json_object *responses)
{
    const struct fault_row *row = fault_row(FAULT_MALFORMED);
    struct json_object *problem = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(problem, "type", arena_printf(c->arena, "/problems/%s", row->slug));
    jsonio_add_text(problem, "title", row->title);
    jsonio_add_int(problem, "status", row->status);
    jsonio_add_text(problem, "detail", "no message was taken; responses says why");
    jsonio_add_text(problem, "requestId", c->request.id);
    jsonio_add_text(problem, "pointer", "/messages");
    json_object_object_add(problem, "responses", responses);
    c->audit.fault = FAULT_MALFORMED;
    enum fault fault = problem == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, row->status, problem);
    c->reply.content_type = "application/problem+json";
    return fault;
}

enum fault collection_handle_batch(struct call *c)
{
    struct collection_batch b = {.list = true};
    struct collection_expected expected;
    struct collection_refusal refusal;
    bool validate;
    enum fault fault = collection_begin(c, &b, &expected, &validate);
    if (fault != FAULT_NONE)
        return fault;
    fault = collection_read_many(c->arena, c->body, c->body_length, &expected, &b.messages, &b.count, &refusal);
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, refusal.pointer, refusal.reason);
    if (fault == FAULT_NONE)
        fault = collection_take(c, &b, validate);
    if (fault != FAULT_NONE)
        return fault;
    uint32_t refused = collection_refused(&b);
    if (refused == b.count)
        return collection_refuse_all(c, collection_responses(c, &b));
    struct json_object *answer = collection_answer(c, &b, "batchId", false);
    if (answer == NULL)
        return FAULT_MEMORY;
    json_object_object_add(answer, "responses", collection_responses(c, &b));
    return reply_json(&c->reply, c->arena, refused == 0 ? 200 : 207, answer);
}
