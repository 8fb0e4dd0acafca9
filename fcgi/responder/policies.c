/*
 * policies: creating, reading, changing and deleting merge policies (contract.md section 1). The list is in
 * policy_list.c.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/handlers.h"
#include "responder/policy_document.h"
#include "responder/policy_patch.h"
#include "responder/query.h"

#define POLICY_PATCH_TRIES 5
#define POLICY_IDS_MAX 100 /* of a bulk-get */
#define POLICY_ID_BYTES 255

static const char *policy_boolean(bool value)
{
    return value ? "true" : "false";
}

static enum fault policy_answer(struct call *c, const struct policy_view *view)
{
    struct json_object *document = jsonio_own(c->arena, policy_document(c, view));
    return document == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, document);
}

/* The policy that a statement has made or changed. */
static enum fault policy_answer_row(struct call *c, const struct db_rows *rows)
{
    struct policy_view view;
    enum fault fault = policy_view_read(c, rows, 0, &view);
    if (fault != FAULT_NONE)
        return fault;
    c->audit.object = view.id;
    return policy_answer(c, &view);
}

/* Which dataset of the order the database does not take. It has found one a moment ago, and looks again only to
 * tell which: a good order costs nothing for it. */
static enum fault policy_refuse_order(struct call *c, const char *datasets)
{
    struct db_rows rows;
    const char *const params[] = {datasets};
    enum fault fault = call_db(c, &STMT_POLICY_STRANGER, params, 1, &rows);
    if (fault != FAULT_NONE)
        return fault;
    const char *pointer = rows.count == 0
                              ? "/attributeMerge/order"
                              : arena_printf(c->arena, "/attributeMerge/order/%s", db_text(&rows, 0, 0));
    return call_refuse(c, FAULT_MALFORMED, pointer, "must be a dataset of profile records of this sandbox");
}

/* The built-in policy is nobody's to change. */
static enum fault policy_check_own(struct call *c)
{
    if (strcmp(c->segment[0], POLICY_BUILT_IN) == 0)
        return call_refuse(c, FAULT_STATE, NULL, "this merge policy is built in; it cannot be changed or deleted");
    return ident_is_uuid(c->segment[0]) ? FAULT_NONE : FAULT_NOT_FOUND;
}

enum fault policy_handle_create(struct call *c)
{
    struct policy_request r;
    struct spec_refusal refusal = {NULL, NULL};
    struct db_rows rows;
    const char *key, *digest;
    enum fault fault = policy_parse_request(c->arena, c->body, c->body_length, &r, &refusal);
    if (fault != FAULT_NONE)
        return call_refuse(c, fault, refusal.pointer, refusal.detail);
    fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char id[CRYPTO_UUID_TEXT];
    crypto_uuid(id);
    const char *const params[] = {id, POLICY_CLASS, r.name, r.rules, r.datasets, policy_boolean(r.active_on_edge),
                                  policy_boolean(r.is_default), c->scope.client_id, key, digest};
    fault = call_db(c, &STMT_POLICY_CREATE, params, sizeof params / sizeof *params, &rows);
    if (fault == FAULT_MALFORMED)
        return policy_refuse_order(c, r.datasets);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "an organisation has at most 5 merge policies of a class, over all its "
                                           "sandboxes; the built-in one is not counted");
    if (fault != FAULT_NONE)
        return call_key_refusal(c, fault);
    if (rows.count != 1)
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the merge policy that this Idempotency-Key made is gone");
    return policy_answer_row(c, &rows);
}

enum fault policy_handle_get(struct call *c)
{
    struct query q;
    struct policy_view *views;
    int count = 0;
    int64_t version = 0;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *wanted = query_get(&q, "version");
    if (wanted != NULL && !query_number(wanted, 1, INT32_MAX, &version))
        return call_refuse(c, FAULT_MALFORMED, NULL, "version: a number from 1");
    enum fault fault = policy_views_load(c, version, &views, &count);
    if (fault != FAULT_NONE)
        return fault;
    const struct policy_view *view = policy_views_find(views, count, c->segment[0]);
    return view == NULL ? FAULT_NOT_FOUND : policy_answer(c, view);
}

/* Stores new content of the policy that the path names. `from` is what the content was made of, NULL for a
 * whole replacement. FAULT_DB_CONFLICT: it is not that any more. */
static enum fault policy_store(struct call *c, const struct policy_request *r, const struct policy_view *from,
                               struct db_rows *rows)
{
    const char *version = from == NULL ? NULL : arena_int(c->arena, from->version);
    const char *was_default = from == NULL ? NULL : policy_boolean(from->is_default);
    const char *const params[] = {c->segment[0], version, was_default, r->name, r->rules, r->datasets,
                                  policy_boolean(r->active_on_edge), policy_boolean(r->is_default)};
    enum fault fault = call_db(c, &STMT_POLICY_REPLACE, params, sizeof params / sizeof *params, rows);
    if (fault == FAULT_MALFORMED)
        return policy_refuse_order(c, r->datasets);
    return fault == FAULT_NONE && rows->count != 1 ? FAULT_DB_CONFLICT : fault;
}

enum fault policy_handle_replace(struct call *c)
{
    struct policy_request r;
    struct spec_refusal refusal = {NULL, NULL};
    struct db_rows rows;
    enum fault fault = policy_check_own(c);
    if (fault != FAULT_NONE)
        return fault;
    fault = policy_parse_request(c->arena, c->body, c->body_length, &r, &refusal);
    if (fault != FAULT_NONE)
        return call_refuse(c, fault, refusal.pointer, refusal.detail);
    fault = policy_store(c, &r, NULL, &rows);
    return fault == FAULT_NONE ? policy_answer_row(c, &rows) : fault;
}

/* Reads the policy, applies the patch and stores what came out, unless somebody else has changed it meanwhile. */
static enum fault policy_try_patch(struct call *c, const struct policy_patch *patch, struct db_rows *rows)
{
    struct policy_request r;
    struct policy_view *views;
    struct spec_refusal refusal = {NULL, NULL};
    int count = 0;
    enum fault fault = policy_views_load(c, 0, &views, &count);
    if (fault != FAULT_NONE)
        return fault;
    const struct policy_view *view = policy_views_find(views, count, c->segment[0]);
    if (view == NULL)
        return FAULT_NOT_FOUND;
    struct json_object *document = jsonio_own(c->arena, policy_document(c, view));
    if (document == NULL)
        return FAULT_MEMORY;
    fault = policy_patch_apply(c->arena, patch, &document, &refusal);
    if (fault == FAULT_NONE)
        fault = policy_parse_document(c->arena, document, &r, &refusal);
    if (fault != FAULT_NONE)
        return call_refuse(c, fault, refusal.pointer, refusal.detail);
    return policy_store(c, &r, view, rows);
}

enum fault policy_handle_patch(struct call *c)
{
    struct policy_patch patch;
    struct spec_refusal refusal = {NULL, NULL};
    struct db_rows rows;
    enum fault fault = policy_check_own(c);
    if (fault != FAULT_NONE)
        return fault;
    fault = policy_patch_read(c->arena, c->body, c->body_length, &patch, &refusal);
    if (fault != FAULT_NONE)
        return call_refuse(c, fault, refusal.pointer, refusal.detail);
    fault = FAULT_DB_CONFLICT;
    for (int i = 0; i < POLICY_PATCH_TRIES && fault == FAULT_DB_CONFLICT; i++)
        fault = policy_try_patch(c, &patch, &rows);
    return fault == FAULT_NONE ? policy_answer_row(c, &rows) : fault;
}

enum fault policy_handle_delete(struct call *c)
{
    struct db_rows rows;
    const char *const params[] = {c->segment[0]};
    enum fault fault = policy_check_own(c);
    if (fault != FAULT_NONE)
        return fault;
    fault = call_db(c, &STMT_POLICY_DELETE, params, 1, &rows);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "an export job that has not ended uses this merge policy");
    if (fault == FAULT_NONE)
        c->reply.status = 200; /* without a body, as in the reference */
    return fault;
}

/* What a bulk-get says of an id that is nobody's, or somebody else's. */
static struct json_object *policy_absent(void)
{
    const struct fault_row *row = fault_row(FAULT_NOT_FOUND);
    struct json_object *absent = json_object_new_object();
    jsonio_add_text(absent, "type", "/problems/not-found");
    jsonio_add_text(absent, "title", row->title);
    jsonio_add_int(absent, "status", row->status);
    return absent;
}

/* The ids of a bulk-get, checked: an array of objects with an id each. */
static enum fault policy_read_ids(struct call *c, struct json_object **out)
{
    struct json_object *body;
    enum fault fault = call_body_object(c, &body);
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *ids = *out = jsonio_member(body, "ids", NULL);
    size_t count = json_object_is_type(ids, json_type_array) ? json_object_array_length(ids) : 0;
    if (count < 1 || count > POLICY_IDS_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/ids", "must be an array of 1 to 100 objects with an id");
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(ids, i);
        const char *id = json_object_is_type(item, json_type_object) ? jsonio_member_text(item, "id") : NULL;
        if (id == NULL || strlen(id) > POLICY_ID_BYTES)
            return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/ids/%zu/id", i),
                               "must be a string of at most 255 bytes");
    }
    return FAULT_NONE;
}

enum fault policy_handle_bulk_get(struct call *c)
{
    struct json_object *ids;
    struct policy_view *views;
    int count = 0;
    enum fault fault = policy_read_ids(c, &ids);
    if (fault == FAULT_NONE)
        fault = policy_views_load(c, 0, &views, &count);
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    struct json_object *results = json_object_new_object();
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        const char *id = jsonio_member_text(json_object_array_get_idx(ids, i), "id");
        const struct policy_view *view = policy_views_find(views, count, id);
        json_object_object_add(results, id, view == NULL ? policy_absent() : policy_document(c, view));
    }
    json_object_object_add(answer, "results", results);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 207, answer);
}
