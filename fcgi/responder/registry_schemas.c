/*
 * registry_schemas: registering, reading and listing a tenant's schemas (contract.md section 1).
 *
 * A list shows whole documents whatever the Accept header asks for; a page ends early where they pass 2 MiB.
 */
#include <string.h>

#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/handlers.h"
#include "responder/registry_id.h"
#include "responder/registry_page.h"
#include "responder/registry_request.h"

#define SCHEMAS_PAGE_BYTES "2097152" /* of documents */
/* A stored document is a request's, printed anew, and may be some bytes longer. */
#define SCHEMAS_LIMITS ((struct jscan_limits){.depth = 16, .bytes = 2u * 1024u * 1024u})

static void schema_add_base(struct call *c, struct json_object *d, const struct db_rows *rows, int row)
{
    const char *number = db_text(rows, row, SCHEMA_COLUMN_ID);
    jsonio_add_text(d, "$id", registry_schema_id(c, number));
    jsonio_add_text(d, "meta:altId", registry_alt_id(c, number));
    jsonio_add_text(d, "meta:resourceType", "schemas");
    jsonio_add_text(d, "version",
                    arena_printf(c->arena, "1.%s", arena_int(c->arena, db_int(rows, row, SCHEMA_COLUMN_VERSION) - 1)));
}

/* A string of the tape, as plain text in the arena. */
static const char *schema_string(struct call *c, const struct jscan *scan, uint32_t string)
{
    char *plain = arena_alloc(c->arena, scan->node[string].end - scan->node[string].begin + 1);
    if (plain != NULL)
        plain[jscan_string_copy(scan, string, plain)] = '\0';
    return plain;
}

/* All that the stored document refers to, the class at least. */
static enum fault schema_extends(struct call *c, const char *stored, size_t length, const char *class_id,
                                 struct json_object *extends)
{
    struct jscan scan = JSCAN_INIT;
    bool named = false;
    if (jscan_document(&scan, stored, length, SCHEMAS_LIMITS) != JSCAN_OK) {
        jscan_free(&scan);
        return FAULT_INTERNAL;
    }
    uint32_t all = jscan_member(&scan, 0, "allOf");
    for (uint32_t entry = all + 1; all != 0 && entry < scan.node[all].next; entry = scan.node[entry].next) {
        const char *reference = schema_string(c, &scan, jscan_member(&scan, entry, "$ref"));
        if (reference != NULL)
            json_object_array_add(extends, json_object_new_string(reference));
        named = named || (reference != NULL && strcmp(reference, class_id) == 0);
    }
    if (!named)
        json_object_array_add(extends, json_object_new_string(class_id));
    jscan_free(&scan);
    return FAULT_NONE;
}

static struct json_object *schema_metadata(const struct db_rows *rows, int row)
{
    struct json_object *about = json_object_new_object();
    jsonio_add_int(about, "repo:createdDate", db_int(rows, row, SCHEMA_COLUMN_CREATED));
    jsonio_add_int(about, "repo:lastModifiedDate", db_int(rows, row, SCHEMA_COLUMN_UPDATED));
    jsonio_add_text(about, "xdm:createdClientId", db_text(rows, row, SCHEMA_COLUMN_CLIENT));
    jsonio_add_text(about, "xdm:lastModifiedClientId", db_text(rows, row, SCHEMA_COLUMN_CLIENT));
    return about;
}

/* The members that the service makes, as text. */
static enum fault schema_own(struct call *c, const struct db_rows *rows, int row, const char **out, size_t *length)
{
    struct json_object *d = jsonio_own(c->arena, json_object_new_object()), *extends = json_object_new_array();
    const char *class_id = registry_class_id(db_text(rows, row, SCHEMA_COLUMN_CLASS));
    schema_add_base(c, d, rows, row);
    jsonio_add_text(d, "meta:class", class_id);
    json_object_object_add(d, "meta:extends", extends);
    json_object_object_add(d, "meta:abstract", json_object_new_boolean(0));
    json_object_object_add(d, "meta:extensible", json_object_new_boolean(0));
    registry_add_tenant(c, d);
    json_object_object_add(d, "meta:registryMetadata", schema_metadata(rows, row));
    enum fault fault = schema_extends(c, db_text(rows, row, SCHEMA_COLUMN_DOCUMENT),
                                      db_length(rows, row, SCHEMA_COLUMN_DOCUMENT), class_id, extends);
    *out = fault == FAULT_NONE ? jsonio_print(c->arena, d, length) : NULL;
    return fault == FAULT_NONE && *out == NULL ? FAULT_MEMORY : fault;
}

/* The document of a row; the tree is the caller's. The stored text, an object that is never empty, is put behind our
 * own members as it is: a page of documents as trees would take a hundred times their bytes. */
static enum fault schema_document(struct call *c, const struct db_rows *rows, int row, struct json_object **out)
{
    const char *own;
    size_t length;
    enum fault fault = schema_own(c, rows, row, &own, &length);
    if (fault != FAULT_NONE)
        return fault;
    const char *whole = arena_printf(c->arena, "%.*s,%s", (int)(length - 1), own,
                                     db_text(rows, row, SCHEMA_COLUMN_DOCUMENT) + 1);
    *out = whole == NULL ? NULL : jsonio_raw(whole);
    return *out == NULL ? FAULT_MEMORY : FAULT_NONE;
}

static enum fault schema_answer(struct call *c, const struct db_rows *rows, int status)
{
    struct json_object *d;
    enum fault fault = schema_document(c, rows, 0, &d);
    if (fault != FAULT_NONE)
        return fault;
    d = jsonio_own(c->arena, d);
    return d == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, status, d);
}

enum fault schema_handle_create(struct call *c)
{
    struct registry_request r;
    struct db_rows rows;
    const char *key, *digest;
    enum fault fault = registry_request_read(c, &r);
    if (fault == FAULT_NONE)
        fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char number[REGISTRY_DIGITS + 1];
    crypto_random_hex(number, REGISTRY_DIGITS / 2);
    const char *const params[] = {number, r.title, r.class, r.document, c->scope.client_id, key, digest};
    fault = call_db(c, &STMT_SCHEMA_CREATE, params, sizeof params / sizeof *params, &rows);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "a sandbox has at most 1000 schemas, of 16 MiB together");
    if (fault != FAULT_NONE)
        return call_key_refusal(c, fault);
    if (rows.count != 1)
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the schema that this Idempotency-Key made is gone");
    c->audit.object = db_text(&rows, 0, SCHEMA_COLUMN_ID);
    reply_header(&c->reply, "Location",
                 call_link(c, arena_printf(c->arena, REGISTRY_PATH "schemas/%s", c->audit.object)));
    return schema_answer(c, &rows, 201);
}

enum fault schema_handle_get(struct call *c)
{
    struct db_rows rows;
    const char *number = registry_read_id(c, c->segment[0]);
    if (number == NULL)
        return FAULT_NOT_FOUND;
    enum fault fault = call_db(c, &STMT_SCHEMA_GET, &number, 1, &rows);
    if (fault == FAULT_NONE && rows.count != 1)
        return FAULT_NOT_FOUND;
    return fault == FAULT_NONE ? schema_answer(c, &rows, 200) : fault;
}

enum fault schema_handle_list(struct call *c)
{
    struct registry_page page;
    struct db_rows rows;
    enum fault fault = registry_page_read(c, &page);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {arena_int(c->arena, page.limit + 1), page.start, SCHEMAS_PAGE_BYTES};
    fault = call_db(c, &STMT_SCHEMA_LIST, params, 3, &rows);
    if (fault != FAULT_NONE)
        return fault;
    int shown = rows.count > page.limit ? (int)page.limit : rows.count;
    struct json_object *results = json_object_new_array();
    for (int i = 0; i < shown && fault == FAULT_NONE; i++) {
        struct json_object *d;
        fault = schema_document(c, &rows, i, &d);
        if (fault == FAULT_NONE)
            json_object_array_add(results, d);
    }
    if (fault != FAULT_NONE) {
        json_object_put(results);
        return fault;
    }
    bool more = shown > 0 && db_int(&rows, 0, SCHEMA_COLUMN_FOUND) > shown;
    return registry_page_answer(c, &page, "schemas", results,
                                more ? db_text(&rows, shown - 1, SCHEMA_COLUMN_ID) : NULL);
}
