/*
 * registry_descriptors: which members of a schema are identities (contract.md section 1).
 *
 * A descriptor rules the records that are loaded after it was made; what was stored before stays as it is.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "profile/schema.h"
#include "responder/handlers.h"
#include "responder/registry_id.h"
#include "responder/registry_page.h"
#include "responder/registry_request.h"

#define DESCRIPTOR_TYPE "xdm:descriptorIdentity"
#define DESCRIPTOR_PROPERTY_MAX 1024 /* bytes */

struct descriptor_request {
    const char *schema; /* its number */
    const char *property;
    const char *ns;
    const char *ns_by; /* xdm:code or xdm:id */
    bool primary;
};

static enum fault descriptor_required(struct call *c, struct json_object *body, const char *name, const char **out)
{
    enum fault fault = registry_text(c, body, name, out);
    if (fault == FAULT_NONE && *out == NULL)
        return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/%s", name), "is required");
    return fault;
}

/* xdm:sourceVersion and xdm:isPrimary, both optional. */
static enum fault descriptor_read_rest(struct call *c, struct json_object *body, struct descriptor_request *out)
{
    bool has_version, has_primary;
    struct json_object *version = jsonio_member(body, "xdm:sourceVersion", &has_version);
    struct json_object *primary = jsonio_member(body, "xdm:isPrimary", &has_primary);
    if (has_version && (!json_object_is_type(version, json_type_int) || json_object_get_int64(version) != 1))
        return call_refuse(c, FAULT_MALFORMED, "/xdm:sourceVersion", "must be 1");
    if (has_primary && !json_object_is_type(primary, json_type_boolean))
        return call_refuse(c, FAULT_MALFORMED, "/xdm:isPrimary", "must be a boolean");
    out->primary = has_primary && json_object_get_boolean(primary);
    return FAULT_NONE;
}

static enum fault descriptor_read(struct call *c, struct json_object *body, struct descriptor_request *out)
{
    const char *type, *schema;
    *out = (struct descriptor_request){0};
    enum fault fault = descriptor_required(c, body, "@type", &type);
    if (fault == FAULT_NONE && strcmp(type, DESCRIPTOR_TYPE) != 0)
        return call_refuse(c, FAULT_NOT_SUPPORTED, "/@type", "this version offers " DESCRIPTOR_TYPE " only");
    if (fault == FAULT_NONE)
        fault = descriptor_required(c, body, "xdm:sourceSchema", &schema);
    if (fault == FAULT_NONE)
        fault = descriptor_required(c, body, "xdm:sourceProperty", &out->property);
    if (fault == FAULT_NONE)
        fault = descriptor_required(c, body, "xdm:namespace", &out->ns);
    if (fault == FAULT_NONE)
        fault = registry_text(c, body, "xdm:property", &out->ns_by);
    if (fault != FAULT_NONE)
        return fault;
    out->schema = registry_read_id(c, schema);
    if (out->schema == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/xdm:sourceSchema", "must be a schema of this sandbox");
    if (strlen(out->property) > DESCRIPTOR_PROPERTY_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/xdm:sourceProperty", "must have at most 1024 bytes");
    if (out->ns_by == NULL)
        out->ns_by = "xdm:code";
    if (strcmp(out->ns_by, "xdm:code") != 0 && strcmp(out->ns_by, "xdm:id") != 0)
        return call_refuse(c, FAULT_MALFORMED, "/xdm:property", "must be xdm:code or xdm:id");
    return descriptor_read_rest(c, body, out);
}

/* Whether the schema has such a member: it is compiled with this identity alone. */
static enum fault descriptor_check(struct call *c, const struct descriptor_request *r)
{
    struct db_rows rows;
    struct spec_refusal refusal = {NULL, NULL};
    const struct schema *compiled;
    size_t length;
    enum fault fault = call_db(c, &STMT_SCHEMA_GET, &r->schema, 1, &rows);
    if (fault == FAULT_NONE && rows.count != 1)
        return call_refuse(c, FAULT_MALFORMED, "/xdm:sourceSchema", "must be a schema of this sandbox");
    if (fault != FAULT_NONE)
        return fault;
    struct json_object *identity = json_object_new_object();
    jsonio_add_text(identity, "property", r->property);
    jsonio_add_text(identity, "namespace", r->ns);
    json_object_object_add(identity, "primary", json_object_new_boolean(r->primary));
    struct json_object *identities = jsonio_own(c->arena, json_object_new_array());
    if (identities == NULL)
        return FAULT_MEMORY;
    json_object_array_add(identities, identity);
    const char *text = jsonio_print(c->arena, identities, &length);
    if (text == NULL)
        return FAULT_MEMORY;
    fault = schema_read(c->arena, db_text(&rows, 0, SCHEMA_COLUMN_DOCUMENT), db_length(&rows, 0, SCHEMA_COLUMN_DOCUMENT),
                        text, &compiled, &refusal);
    return fault == FAULT_MALFORMED ? call_refuse(c, fault, refusal.pointer, refusal.detail) : fault;
}

/* Why the schema takes no such descriptor. The database has found out a moment ago, and looks again only to tell. */
static enum fault descriptor_refuse(struct call *c, const struct descriptor_request *r)
{
    struct db_rows rows;
    const char *const params[] = {r->schema, r->property};
    enum fault fault = call_db(c, &STMT_SCHEMA_PROPERTY, params, 2, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (db_bool(&rows, 0, 0))
        return call_refuse(c, FAULT_STATE, "/xdm:sourceProperty", "this property has an identity descriptor");
    if (r->primary && db_bool(&rows, 0, 1))
        return call_refuse(c, FAULT_STATE, "/xdm:isPrimary", "the schema has a primary identity");
    return call_refuse(c, FAULT_STATE, NULL, "a schema has at most 100 identity descriptors");
}

static struct json_object *descriptor_document(struct call *c, const struct db_rows *rows, int row)
{
    struct json_object *d = json_object_new_object();
    jsonio_add_text(d, "@id", db_text(rows, row, DESCRIPTOR_ID));
    jsonio_add_text(d, "@type", DESCRIPTOR_TYPE);
    jsonio_add_text(d, "xdm:sourceSchema", registry_schema_id(c, db_text(rows, row, DESCRIPTOR_SCHEMA)));
    jsonio_add_int(d, "xdm:sourceVersion", 1);
    jsonio_add_text(d, "xdm:sourceProperty", db_text(rows, row, DESCRIPTOR_PROPERTY));
    jsonio_add_text(d, "xdm:namespace", db_text(rows, row, DESCRIPTOR_NAMESPACE));
    jsonio_add_text(d, "xdm:property", db_text(rows, row, DESCRIPTOR_NAMESPACE_BY));
    json_object_object_add(d, "xdm:isPrimary", json_object_new_boolean(db_bool(rows, row, DESCRIPTOR_PRIMARY)));
    jsonio_add_text(d, "version", "1");
    registry_add_tenant(c, d);
    return d;
}

static enum fault descriptor_answer(struct call *c, const struct db_rows *rows, int status)
{
    struct json_object *d = jsonio_own(c->arena, descriptor_document(c, rows, 0));
    return d == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, status, d);
}

enum fault descriptor_handle_create(struct call *c)
{
    struct json_object *body;
    struct descriptor_request r;
    struct db_rows rows;
    const char *key, *digest;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = descriptor_read(c, body, &r);
    if (fault == FAULT_NONE)
        fault = call_idempotency(c, &key, &digest);
    if (fault == FAULT_NONE)
        fault = descriptor_check(c, &r);
    if (fault != FAULT_NONE)
        return fault;
    char id[REGISTRY_DIGITS + 1];
    crypto_random_hex(id, REGISTRY_DIGITS / 2);
    const char *const params[] = {id, r.schema, r.property, r.ns, r.ns_by, r.primary ? "true" : "false",
                                  c->scope.client_id, key, digest};
    fault = call_db(c, &STMT_DESCRIPTOR_CREATE, params, sizeof params / sizeof *params, &rows);
    if (fault == FAULT_STATE)
        return descriptor_refuse(c, &r);
    if (fault != FAULT_NONE)
        return call_key_refusal(c, fault);
    if (rows.count != 1)
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the descriptor that this Idempotency-Key made is gone");
    c->audit.object = db_text(&rows, 0, DESCRIPTOR_ID);
    reply_header(&c->reply, "Location",
                 call_link(c, arena_printf(c->arena, REGISTRY_PATH "descriptors/%s", c->audit.object)));
    return descriptor_answer(c, &rows, 201);
}

enum fault descriptor_handle_get(struct call *c)
{
    struct db_rows rows;
    if (!ident_is_hex(c->segment[0], REGISTRY_DIGITS))
        return FAULT_NOT_FOUND;
    enum fault fault = call_db(c, &STMT_DESCRIPTOR_GET, c->segment, 1, &rows);
    if (fault == FAULT_NONE && rows.count != 1)
        return FAULT_NOT_FOUND;
    return fault == FAULT_NONE ? descriptor_answer(c, &rows, 200) : fault;
}

enum fault descriptor_handle_list(struct call *c)
{
    struct registry_page page;
    struct db_rows rows;
    enum fault fault = registry_page_read(c, &page);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {arena_int(c->arena, page.limit + 1), page.start};
    fault = call_db(c, &STMT_DESCRIPTOR_LIST, params, 2, &rows);
    if (fault != FAULT_NONE)
        return fault;
    int shown = rows.count > page.limit ? (int)page.limit : rows.count;
    struct json_object *results = json_object_new_array();
    for (int i = 0; i < shown; i++)
        json_object_array_add(results, descriptor_document(c, &rows, i));
    return registry_page_answer(c, &page, "descriptors", results,
                                rows.count > shown ? db_text(&rows, shown - 1, DESCRIPTOR_ID) : NULL);
}
