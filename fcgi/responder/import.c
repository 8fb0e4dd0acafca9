/*
 * import: batch ingestion (contract.md section 1): open a batch, put files into it, complete or
 * abort it. The files are streamed into the inbox; the spooler loads them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/batch_document.h"
#include "responder/handlers.h"
#include "responder/query.h"
#include "responder/upload.h"

#define IMPORT_NAME_MAX 255

/* The body: {datasetId, inputFormat: {format: "json"}}. */
static enum fault import_read(struct call *c, struct json_object *body, const char **dataset)
{
    bool present;
    *dataset = jsonio_member_text(body, "datasetId");
    (void)jsonio_member(body, "datasetId", &present);
    if (*dataset == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", present ? "must be a string" : "is required");
    if (!ident_is_hex(*dataset, IDENT_DATASET_DIGITS))
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", "must be the id of a dataset of this sandbox");
    struct json_object *format = jsonio_member(body, "inputFormat", &present);
    if (present && !json_object_is_type(format, json_type_object))
        return call_refuse(c, FAULT_MALFORMED, "/inputFormat", "must be an object");
    if (!present)
        return FAULT_NONE;
    const char *name = jsonio_member_text(format, "format");
    (void)jsonio_member(format, "format", &present);
    if (present && name == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/inputFormat/format", "must be a string");
    if (name != NULL && strcmp(name, "json") != 0)
        return call_refuse(c, FAULT_NOT_SUPPORTED, "/inputFormat/format", "only json is offered by this version");
    return FAULT_NONE;
}

static enum fault import_create_refusal(struct call *c, enum fault fault)
{
    if (fault == FAULT_NOT_FOUND)
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", "must be the id of a dataset of this sandbox");
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, "/datasetId", "a union dataset is exported into, not ingested into");
    return call_key_refusal(c, fault);
}

enum fault import_handle_create(struct call *c)
{
    struct json_object *body;
    struct db_rows rows;
    const char *dataset, *key, *digest;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = import_read(c, body, &dataset);
    if (fault == FAULT_NONE)
        fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char batch[IDENT_BATCH_DIGITS + 1];
    crypto_random_hex(batch, IDENT_BATCH_DIGITS / 2);
    const char *const params[] = {batch, dataset, c->scope.client_id, key, digest};
    fault = call_db(c, &STMT_BATCH_CREATE, params, 5, &rows);
    if (fault != FAULT_NONE)
        return import_create_refusal(c, fault);
    if (rows.count != 1)
        return FAULT_INTERNAL;
    struct json_object *answer = jsonio_own(c->arena, batch_document(c, &rows, 0));
    c->audit.object = db_text(&rows, 0, BATCH_ID);
    const char *path = arena_printf(c->arena, "/data/foundation/catalog/batches/%s", c->audit.object);
    reply_header(&c->reply, "Location", call_link(c, path));
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 201, answer);
}

enum fault import_handle_action(struct call *c)
{
    struct query q;
    struct db_rows rows;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *action = query_get(&q, "action");
    bool complete = action != NULL && strcmp(action, "COMPLETE") == 0;
    if (!complete && (action == NULL || strcmp(action, "ABORT") != 0))
        return call_refuse(c, FAULT_MALFORMED, NULL, "action: COMPLETE or ABORT");
    c->audit.action = complete ? "import_complete" : "import_abort";
    if (!ident_is_hex(c->segment[0], IDENT_BATCH_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0]};
    enum fault fault = call_db(c, complete ? &STMT_BATCH_COMPLETE : &STMT_BATCH_ABORT, params, 1, &rows);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "the batch is not in the state loading");
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "id", c->segment[0]);
    jsonio_add_text(answer, "status", db_text(&rows, 0, 0));
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}

/* Enters the stored object; what it replaces is removed, and so is the object itself when it cannot be
 * entered. When the outcome is unknown it stays: the spooler's sweep knows what the database says. */
static enum fault import_enter(struct call *c, const struct upload *up, const char *name)
{
    struct db_rows rows;
    const char *const params[] = {c->segment[0], c->segment[1], name, up->object, arena_int(c->arena, up->bytes)};
    enum fault fault = call_db(c, &STMT_BATCH_UPLOAD, params, 5, &rows);
    if (fault == FAULT_NONE && !db_null(&rows, 0, 0))
        upload_remove(c, c->segment[0], db_text(&rows, 0, 0));
    if (fault != FAULT_NONE && fault != FAULT_DB_UNAVAILABLE)
        upload_remove(c, c->segment[0], up->object);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "the batch is not in the state loading");
    return fault;
}

/* Whether the batch takes files; asked before the body is stored, and once more when it is entered. */
static enum fault import_check_batch(struct call *c)
{
    struct db_rows rows;
    if (!ident_is_hex(c->segment[0], IDENT_BATCH_DIGITS) || !ident_is_hex(c->segment[1], IDENT_DATASET_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0]};
    enum fault fault = call_db(c, &STMT_BATCH_GET, params, 1, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count != 1 || strcmp(db_text(&rows, 0, BATCH_KIND), "ingest") != 0 ||
        strcmp(db_text(&rows, 0, BATCH_DATASET), c->segment[1]) != 0)
        return FAULT_NOT_FOUND;
    if (strcmp(db_text(&rows, 0, BATCH_STATUS), "loading") != 0)
        return call_refuse(c, FAULT_STATE, NULL, "the batch is not in the state loading");
    return FAULT_NONE;
}

enum fault import_handle_put_file(struct call *c)
{
    const char *name = c->segment[2];
    struct upload up;
    if (strlen(name) > IMPORT_NAME_MAX || strpbrk(name, "/\\") != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return call_refuse(c, FAULT_MALFORMED, NULL, "the file name: 1 to 255 bytes without a slash, not . or ..");
    enum fault fault = import_check_batch(c);
    if (fault == FAULT_NONE)
        fault = upload_store(c, c->segment[0], &up);
    if (fault == FAULT_NONE)
        fault = import_enter(c, &up, name);
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "name", name);
    jsonio_add_int(answer, "length", up.bytes);
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}
