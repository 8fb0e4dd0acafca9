/*
 * collection_envelope: what is around the records of a streaming request. See collection_envelope.h.
 */
#include "responder/collection_envelope.h"

#include <string.h>

#include "lib/jscan.h"
#include "profile/record.h"

/* Around a record: its message's body, the message, the list, the object that holds it. */
#define ENVELOPE_DEPTH 4u
#define ENVELOPE_BYTES (1024u * 1024u) /* contract.md section 3 */

/* The scanner of this process; a process works on one text at a time. */
static struct jscan scan;

static bool envelope_refuse(struct collection_refusal *refusal, const char *pointer, const char *reason)
{
    *refusal = (struct collection_refusal){pointer, reason};
    return false;
}

/* The member, which must be an object when it is there; 0 for none, or null. */
static bool envelope_object(uint32_t object, const char *name, const char *pointer, uint32_t *out,
                            struct collection_refusal *refusal)
{
    *out = jscan_member(&scan, object, name);
    if (*out != 0 && scan.node[*out].type == JSCAN_NULL)
        *out = 0;
    return *out == 0 || scan.node[*out].type == JSCAN_OBJECT || envelope_refuse(refusal, pointer, "must be an object");
}

/* A member of `object` (0: none) that is this text when it is there. */
static bool envelope_fits(uint32_t object, const char *name, const char *wanted, const char *pointer, const char *reason,
                          struct collection_refusal *refusal)
{
    uint32_t value = object == 0 ? 0 : jscan_member(&scan, object, name);
    if (value == 0 || scan.node[value].type == JSCAN_NULL)
        return true;
    if (scan.node[value].type != JSCAN_STRING)
        return envelope_refuse(refusal, pointer, "must be a string");
    return jscan_string_equals(&scan, value, wanted, strlen(wanted)) || envelope_refuse(refusal, pointer, reason);
}

/* Where a message says which schema it follows. */
struct envelope_schema {
    const char *ref_pointer;
    const char *id_pointer;
};

static const struct envelope_schema IN_HEADER = {"/header/schemaRef", "/header/schemaRef/id"};
static const struct envelope_schema IN_META = {"/body/xdmMeta/schemaRef", "/body/xdmMeta/schemaRef/id"};

/* The string node of schemaRef.id in `object` (0: there is none), 0 for none. */
static bool envelope_schema(uint32_t object, const struct envelope_schema *where, uint32_t *id,
                            struct collection_refusal *refusal)
{
    uint32_t ref = 0;
    *id = 0;
    if (object != 0 && !envelope_object(object, "schemaRef", where->ref_pointer, &ref, refusal))
        return false;
    *id = ref == 0 ? 0 : jscan_member(&scan, ref, "id");
    if (*id != 0 && scan.node[*id].type == JSCAN_NULL)
        *id = 0;
    return *id == 0 || scan.node[*id].type == JSCAN_STRING ||
           envelope_refuse(refusal, where->id_pointer, "must be a string");
}

/* A string node as plain text in the arena. NULL: no memory. */
static char *envelope_text(struct arena *a, uint32_t string)
{
    char *text = arena_alloc(a, scan.node[string].end - scan.node[string].begin + 1);
    if (text != NULL)
        text[jscan_string_copy(&scan, string, text)] = '\0';
    return text;
}

/* The schema that header and xdmMeta name, if any. */
static bool envelope_read_schema(struct arena *a, uint32_t header, uint32_t meta, struct collection_message *m)
{
    uint32_t first, second;
    if (!envelope_schema(header, &IN_HEADER, &first, &m->refusal) || !envelope_schema(meta, &IN_META, &second, &m->refusal))
        return false;
    uint32_t id = first != 0 ? first : second;
    if (id == 0)
        return true;
    m->schema = envelope_text(a, id);
    m->schema_pointer = first != 0 ? IN_HEADER.id_pointer : IN_META.id_pointer;
    if (first == 0 || second == 0 || m->schema == NULL)
        return true; /* without memory the arena says so */
    return jscan_string_equals(&scan, second, m->schema, strlen(m->schema)) ||
           envelope_refuse(&m->refusal, IN_META.id_pointer, "must be the schema that the header names");
}

static bool envelope_take(uint32_t record, const char *pointer, const struct collection_expected *expected,
                          struct collection_message *m)
{
    const struct jscan_node *node = &scan.node[record];
    m->record = scan.text + node->begin;
    m->length = node->end - node->begin;
    m->record_pointer = pointer;
    return m->length <= expected->record_bytes ||
           envelope_refuse(&m->refusal, pointer, "is longer than the largest record that is taken");
}

/* Reads the message at a node into *m. */
static void envelope_message(struct arena *a, uint32_t node, const struct collection_expected *expected,
                             struct collection_message *m)
{
    *m = (struct collection_message){.refusal = {NULL, NULL}};
    if (scan.node[node].type != JSCAN_OBJECT) {
        envelope_refuse(&m->refusal, "", "must be an object");
        return;
    }
    uint32_t body = jscan_member(&scan, node, "body"), header = jscan_member(&scan, node, "header"), meta;
    bool enveloped = body != 0 && scan.node[body].type == JSCAN_OBJECT;
    uint32_t entity = enveloped ? jscan_member(&scan, body, "xdmEntity") : 0;
    /* with both it is a message that lacks its record, and no record with members of these names */
    if (entity == 0 && !(enveloped && header != 0 && scan.node[header].type == JSCAN_OBJECT)) {
        envelope_take(node, "", expected, m);
        return;
    }
    if (entity == 0 || scan.node[entity].type != JSCAN_OBJECT) {
        envelope_refuse(&m->refusal, "/body/xdmEntity", entity == 0 ? "is required" : "must be an object");
        return;
    }
    (void)(envelope_object(node, "header", "/header", &header, &m->refusal) &&
           envelope_object(body, "xdmMeta", "/body/xdmMeta", &meta, &m->refusal) &&
           envelope_fits(header, "datasetId", expected->dataset, "/header/datasetId", "must be the dataset of the path",
                         &m->refusal) &&
           envelope_fits(header, "imsOrgId", expected->ims_org_id, "/header/imsOrgId",
                         "must be the organization of the call", &m->refusal) &&
           envelope_read_schema(a, header, meta, m) && envelope_take(entity, "/body/xdmEntity", expected, m));
}

/* Scans the body. The records are as deep as records may be; those that are too deep by what the envelope does not
 * use are refused later. */
static enum fault envelope_scan(struct arena *a, const char *body, size_t length, struct collection_refusal *refusal)
{
    struct jscan_limits limits = {.depth = RECORD_DEPTH + ENVELOPE_DEPTH, .bytes = ENVELOPE_BYTES};
    enum jscan_fault found = jscan_document(&scan, body, length, limits);
    if (found == JSCAN_MEMORY)
        return FAULT_MEMORY;
    if (found != JSCAN_OK) {
        const char *reason = arena_printf(a, "%s at byte %zu", jscan_reason(found), scan.fault_offset);
        envelope_refuse(refusal, "", reason);
        return reason == NULL ? FAULT_MEMORY : FAULT_MALFORMED;
    }
    return FAULT_NONE;
}

enum fault collection_read_one(struct arena *a, const char *body, size_t length, const struct collection_expected *expected,
                               struct collection_message *out, struct collection_refusal *refusal)
{
    enum fault fault = envelope_scan(a, body, length, refusal);
    if (fault != FAULT_NONE)
        return fault;
    envelope_message(a, 0, expected, out);
    if (arena_exhausted(a))
        return FAULT_MEMORY;
    *refusal = out->refusal;
    return refusal->pointer == NULL ? FAULT_NONE : FAULT_MALFORMED;
}

enum fault collection_read_many(struct arena *a, const char *body, size_t length, const struct collection_expected *expected,
                                struct collection_message **out, uint32_t *count, struct collection_refusal *refusal)
{
    enum fault fault = envelope_scan(a, body, length, refusal);
    if (fault != FAULT_NONE)
        return fault;
    const char *reason = NULL;
    uint32_t list = jscan_member(&scan, 0, "messages");
    if (scan.node[0].type != JSCAN_OBJECT) {
        envelope_refuse(refusal, "", "must be an object");
        return FAULT_MALFORMED;
    }
    if (list == 0)
        reason = "is required";
    else if (scan.node[list].type != JSCAN_ARRAY)
        reason = "must be an array";
    else if (scan.node[list].count == 0 || scan.node[list].count > COLLECTION_MESSAGES_MAX)
        reason = "must hold 1 to 5000 messages";
    if (reason != NULL) {
        envelope_refuse(refusal, "/messages", reason);
        return FAULT_MALFORMED;
    }
    *count = scan.node[list].count;
    *out = arena_alloc(a, *count * sizeof **out);
    if (*out == NULL)
        return FAULT_MEMORY;
    uint32_t at = list + 1;
    for (uint32_t i = 0; i < *count; i++) {
        envelope_message(a, at, expected, &(*out)[i]);
        at = scan.node[at].next;
    }
    return arena_exhausted(a) ? FAULT_MEMORY : FAULT_NONE;
}
