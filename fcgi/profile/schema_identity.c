/*
 * schema_identity: which members of a schema are identities.
 */
#include <string.h>

#include "lib/log.h"
#include "profile/schema_internal.h"

#define SCHEMA_IDENTITY_TYPES ((uint32_t)(SCHEMA_STRING | SCHEMA_INTEGER | SCHEMA_NUMBER | SCHEMA_DATE | SCHEMA_DATETIME))

static enum fault identity_malformed(struct schema_reader *r, const char *pointer, const char *detail)
{
    *r->refusal = (struct spec_refusal){pointer, detail};
    return FAULT_MALFORMED;
}

/* The name that the path's segment from `at` to `end` writes (RFC 6901); 0 bytes: it writes none. */
static size_t identity_name(const char *at, const char *end, char out[SCHEMA_NAME_MAX])
{
    size_t length = 0;
    for (; at < end; at++) {
        char c = *at;
        if (length == SCHEMA_NAME_MAX)
            return 0;
        if (c == '~') {
            at++;
            if (at == end || (*at != '0' && *at != '1'))
                return 0;
            c = *at == '0' ? '~' : '/';
        }
        out[length++] = c;
    }
    return length;
}

/* The member at the path, reached through objects; 0: there is none. */
static uint32_t identity_member(const struct schema *schema, const char *path)
{
    uint32_t at = 0;
    if (*path != '/')
        return 0;
    while (*path == '/') {
        const char *begin = path + 1, *end = begin + strcspn(begin, "/");
        char name[SCHEMA_NAME_MAX];
        size_t length = identity_name(begin, end, name);
        if (schema->node[at].types != 0 && (schema->node[at].types & SCHEMA_OBJECT) == 0)
            return 0;
        at = length == 0 ? 0 : schema_member(schema, at, name, length);
        if (at == 0)
            return 0;
        path = end;
    }
    return at;
}

static enum fault identity_add(struct schema_reader *r, const char *property, const char *ns, uint32_t ns_length,
                               bool primary)
{
    struct schema *s = r->schema;
    uint32_t at = identity_member(s, property);
    if (at == 0)
        return identity_malformed(r, "/xdm:sourceProperty", "must name a member of the schema, through objects only");
    struct schema_node *node = &s->node[at];
    uint32_t types = node->types & ~(uint32_t)SCHEMA_NULL;
    if (types == 0 || (types & ~SCHEMA_IDENTITY_TYPES) != 0)
        return identity_malformed(r, "/xdm:sourceProperty", "must name a string, an integer or a number");
    if (node->identity != 0)
        return identity_malformed(r, "/xdm:sourceProperty", "names a member that is an identity already");
    if (ns_length < 1 || ns_length > SCHEMA_NAMESPACE_MAX)
        return identity_malformed(r, "/xdm:namespace", "must have 1 to 255 bytes");
    if (primary && s->primary != 0)
        return identity_malformed(r, "/xdm:isPrimary", "the schema has a primary identity already");
    if (s->identities == SCHEMA_IDENTITIES_MAX)
        return identity_malformed(r, "/xdm:sourceProperty", "the schema has 100 identities already");
    s->identity[s->identities++] =
        (struct schema_identity){.property = property, .ns = ns, .ns_length = ns_length, .primary = primary};
    node->identity = (uint16_t)s->identities;
    if (primary)
        s->primary = s->identities;
    return FAULT_NONE;
}

/* One object of the list. */
static enum fault identity_read(struct schema_reader *r, uint32_t at)
{
    const struct jscan *scan = &r->scan;
    uint32_t property = jscan_member(scan, at, "property"), ns = jscan_member(scan, at, "namespace");
    uint32_t primary = jscan_member(scan, at, "primary"), length = 0, ns_length = 0;
    if (property == 0 || ns == 0 || scan->node[property].type != JSCAN_STRING || scan->node[ns].type != JSCAN_STRING) {
        log_event(LOG_ERROR, "schema_identities", "reason=form");
        return FAULT_INTERNAL;
    }
    const char *path = schema_text(r, property, &length), *space = schema_text(r, ns, &ns_length);
    if (path == NULL || space == NULL)
        return FAULT_MEMORY;
    return identity_add(r, path, space, ns_length, primary != 0 && scan->node[primary].type == JSCAN_TRUE);
}

enum fault schema_read_identities(struct schema_reader *r, const char *identities)
{
    const struct jscan_limits limits = {.depth = 2, .bytes = SCHEMA_DOCUMENT_MAX};
    enum jscan_fault broken = jscan_document(&r->scan, identities, strlen(identities), limits);
    if (broken != JSCAN_OK || r->scan.node[0].type != JSCAN_ARRAY) {
        log_event(LOG_ERROR, "schema_identities", "reason=\"%s\"", jscan_reason(broken));
        return broken == JSCAN_MEMORY ? FAULT_MEMORY : FAULT_INTERNAL;
    }
    enum fault fault = FAULT_NONE;
    for (uint32_t at = 1; fault == FAULT_NONE && at < r->scan.node[0].next; at = r->scan.node[at].next)
        fault = identity_read(r, at);
    return fault;
}
