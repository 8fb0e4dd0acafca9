/*
 * import: batch ingestion (contract.md section 1): open a batch, complete or abort it. How files come into it is in
 * import_file.c; the spooler loads them.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/batch_document.h"
#include "responder/handlers.h"
#include "responder/query.h"

/* What the body asks for. */
struct import_order {
    const char *dataset;
    const char *format;    /* json or csv */
    const char *delimiter; /* one character */
    const char *percent;   /* of records that may be bad */
};

/* One character that can stand between fields: plain, and none that means something else in CSV. */
static bool import_is_delimiter(const char *text)
{
    return text != NULL && text[0] != '\0' && text[1] == '\0' && (text[0] == '\t' || (text[0] >= ' ' && text[0] <= '~')) &&
           text[0] != '"';
}

/* inputFormat.delimiter, or as some clients send it inputFormat.delimiters.field. */
static enum fault import_read_delimiter(struct call *c, struct json_object *format, struct import_order *out)
{
    static const char RULE[] = "must be one ASCII character: printable or a tab, no quote";
    bool present, nested;
    struct json_object *delimiters = jsonio_member(format, "delimiters", &nested);
    (void)jsonio_member(format, "delimiter", &present);
    if (present) {
        out->delimiter = jsonio_member_text(format, "delimiter");
        if (!import_is_delimiter(out->delimiter))
            return call_refuse(c, FAULT_MALFORMED, "/inputFormat/delimiter", RULE);
    } else if (nested) {
        if (!json_object_is_type(delimiters, json_type_object))
            return call_refuse(c, FAULT_MALFORMED, "/inputFormat/delimiters", "must be an object");
        (void)jsonio_member(delimiters, "field", &present);
        const char *field = jsonio_member_text(delimiters, "field");
        if (present && !import_is_delimiter(field))
            return call_refuse(c, FAULT_MALFORMED, "/inputFormat/delimiters/field", RULE);
        out->delimiter = present ? field : out->delimiter;
    }
    return FAULT_NONE;
}

/* inputFormat: {format: "json" or "csv", delimiter?} */
static enum fault import_read_format(struct call *c, struct json_object *body, struct import_order *out)
{
    bool present;
    struct json_object *format = jsonio_member(body, "inputFormat", &present);
    if (!present)
        return FAULT_NONE;
    if (!json_object_is_type(format, json_type_object))
        return call_refuse(c, FAULT_MALFORMED, "/inputFormat", "must be an object");
    const char *name = jsonio_member_text(format, "format");
    (void)jsonio_member(format, "format", &present);
    if (present && name == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/inputFormat/format", "must be a string");
    out->format = present ? name : out->format;
    if (strcmp(out->format, "json") == 0)
        return FAULT_NONE;
    if (strcmp(out->format, "csv") != 0)
        return call_refuse(c, FAULT_NOT_SUPPORTED, "/inputFormat/format", "only json and csv are offered by this version");
    return import_read_delimiter(c, format, out);
}

/* partialIngestionPercentage, also called partialIngestionPercent: of the records, how many may be bad. */
static enum fault import_read_percent(struct call *c, struct json_object *body, struct import_order *out)
{
    static const char *const NAMES[] = {"partialIngestionPercentage", "partialIngestionPercent"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        bool present;
        struct json_object *value = jsonio_member(body, NAMES[i], &present);
        if (!present)
            continue;
        bool number = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
        double percent = number ? json_object_get_double(value) : -1;
        if (!(percent >= 0 && percent <= 100))
            return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/%s", NAMES[i]), "must be a number from 0 to 100");
        out->percent = arena_printf(c->arena, "%.9f", percent);
        return FAULT_NONE;
    }
    return FAULT_NONE;
}

/* The body: {datasetId, inputFormat?, partialIngestionPercentage?, enableErrorDiagnostics?}; errors are always kept. */
static enum fault import_read(struct call *c, struct json_object *body, struct import_order *out)
{
    bool present;
    *out = (struct import_order){.dataset = jsonio_member_text(body, "datasetId"), .format = "json", .delimiter = ",",
                                 .percent = "100"};
    (void)jsonio_member(body, "datasetId", &present);
    if (out->dataset == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", present ? "must be a string" : "is required");
    if (!ident_is_hex(out->dataset, IDENT_DATASET_DIGITS))
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", "must be the id of a dataset of this sandbox");
    struct json_object *diagnostics = jsonio_member(body, "enableErrorDiagnostics", &present);
    if (present && !json_object_is_type(diagnostics, json_type_boolean))
        return call_refuse(c, FAULT_MALFORMED, "/enableErrorDiagnostics", "must be a boolean");
    enum fault fault = import_read_format(c, body, out);
    return fault == FAULT_NONE ? import_read_percent(c, body, out) : fault;
}

static enum fault import_create_refusal(struct call *c, enum fault fault)
{
    if (fault == FAULT_NOT_FOUND)
        return call_refuse(c, FAULT_MALFORMED, "/datasetId", "must be the id of a dataset of this sandbox");
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, "/datasetId", "a union dataset is exported into, not ingested into");
    if (fault == FAULT_TOO_MANY)
        return call_refuse(c, fault, NULL, "too many batches of the sandbox (5,000) or organization (10,000) are open or wait to"
                           " be loaded: complete or abort some");
    return call_key_refusal(c, fault);
}

enum fault import_handle_create(struct call *c)
{
    struct json_object *body;
    struct db_rows rows;
    struct import_order order;
    const char *key, *digest;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = import_read(c, body, &order);
    if (fault == FAULT_NONE)
        fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char batch[IDENT_BATCH_DIGITS + 1];
    crypto_random_hex(batch, IDENT_BATCH_DIGITS / 2);
    const char *const params[] = {batch, order.dataset, c->scope.client_id, key, digest,
                                  order.format, order.delimiter, order.percent};
    fault = call_db(c, &STMT_BATCH_CREATE, params, 8, &rows);
    if (fault != FAULT_NONE)
        return import_create_refusal(c, fault);
    if (rows.count != 1)
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the batch that this Idempotency-Key made is gone");
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
    if (complete && strcmp(db_text(&rows, 0, 0), "loading") == 0)
        return call_refuse(c, FAULT_STATE, NULL, "a file of the batch is not complete: pieces of it are missing");
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    jsonio_add_text(answer, "id", c->segment[0]);
    jsonio_add_text(answer, "status", db_text(&rows, 0, 0));
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}
