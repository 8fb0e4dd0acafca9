/*
 * record_identity: the identities of a record: of its identityMap, and of the members that descriptors name.
 */
#include "profile/record_internal.h"

#include <stdio.h>
#include <string.h>

static bool record_is_boolean(const struct jscan *scan, uint32_t node)
{
    return scan->node[node].type == JSCAN_TRUE || scan->node[node].type == JSCAN_FALSE;
}

/* Adds an identity; false when there are too many. */
static bool record_add(struct record *r, const struct record_text *ns, const struct record_text *id, uint32_t entry)
{
    if (r->identities == RECORD_IDENTITIES_MAX)
        return record_refuse(r, "identity", "more identities than the limit of 1000");
    r->identity[r->identities++] = (struct record_identity){.ns = ns->bytes,
                                                            .id = id->bytes,
                                                            .ns_length = (uint32_t)ns->length,
                                                            .id_length = (uint32_t)id->length,
                                                            .entry = entry};
    return true;
}

/* Checks one entry of a namespace's array and adds it. */
static bool record_read_entry(struct record *r, const struct record_text *ns, uint32_t entry)
{
    const struct jscan *scan = &r->scan;
    struct record_text text;
    if (scan->node[entry].type != JSCAN_OBJECT)
        return record_refuse(r, "identity", "an entry of identityMap is not an object");
    uint32_t id = jscan_member(scan, entry, "id");
    uint32_t primary = jscan_member(scan, entry, "primary");
    uint32_t state = jscan_member(scan, entry, "authenticatedState");
    if (id == 0 || !record_take_text(r, id, RECORD_VALUE_MAX, &text))
        return record_refuse(r, "identity", "the id of an identity is not a string of 1 to 1024 bytes");
    if (primary != 0 && !record_is_boolean(scan, primary))
        return record_refuse(r, "identity", "primary of an identity is not a boolean");
    if (state != 0 && scan->node[state].type != JSCAN_STRING)
        return record_refuse(r, "identity", "authenticatedState of an identity is not a string");
    if (!record_add(r, ns, &text, entry))
        return false;
    if (primary != 0 && scan->node[primary].type == JSCAN_TRUE) {
        if (r->marked != 0)
            return record_refuse(r, "identity", "several identities are marked primary");
        r->marked = r->identities;
    }
    return true;
}

/* Checks one namespace with its entries. */
static bool record_read_namespace(struct record *r, uint32_t name)
{
    const struct jscan *scan = &r->scan;
    struct record_text ns;
    uint32_t list = name + 1;
    if (!record_take_text(r, name, RECORD_NAMESPACE_MAX, &ns))
        return record_refuse(r, "identity", "a namespace is not a string of 1 to 255 bytes");
    if (scan->node[list].type != JSCAN_ARRAY)
        return record_refuse(r, "identity", "a namespace of identityMap does not hold an array");
    for (uint32_t entry = list + 1; entry < scan->node[list].next; entry = scan->node[entry].next) {
        if (!record_read_entry(r, &ns, entry))
            return false;
    }
    return true;
}

bool record_read_map(struct record *r)
{
    const struct jscan *scan = &r->scan;
    bool needed = r->schema == NULL || r->schema->identities == 0;
    uint32_t map = jscan_member(scan, 0, "identityMap");
    r->identities = r->primary = r->marked = r->map = 0;
    if (map == 0 || (!needed && scan->node[map].type == JSCAN_NULL))
        return !needed || record_refuse(r, "identity", "no identityMap");
    if (scan->node[map].type != JSCAN_OBJECT)
        return record_refuse(r, "identity", "identityMap is not an object");
    r->map = map;
    for (uint32_t name = map + 1; name < scan->node[map].next; name = scan->node[name + 1].next) {
        if (!record_read_namespace(r, name))
            return false;
    }
    return !needed || r->identities > 0 || record_refuse(r, "identity", "identityMap holds no identity");
}

static bool record_refuse_member(struct record *r, const char *property, const char *rule)
{
    size_t cut = strlen(property);
    if (cut > SCHEMA_POINTER_MAX) { /* at a character, not in one */
        cut = SCHEMA_POINTER_MAX;
        while (cut > 0 && ((unsigned char)property[cut] & 0xc0) == 0x80)
            cut--;
    }
    r->code = "identity";
    snprintf(r->reason, sizeof r->reason, "%.*s %s", (int)cut, property, rule);
    return false;
}

/* The decimal text of a number that is an identity. */
static bool record_take_number(struct record *r, uint32_t node, struct record_text *out)
{
    static const char BOUND[] = "9007199254740992";
    const struct jscan_node *at = &r->scan.node[node];
    struct schema_number n = schema_number_read(r->scan.text + at->begin, at->end - at->begin);
    struct schema_number bound = schema_number_read(BOUND, sizeof BOUND - 1), size = n;
    size.negative = false;
    if (n.count > RECORD_DIGITS_MAX || (schema_number_is_integral(&n) && schema_number_compare(&size, &bound) > 0))
        return false;
    if (!record_make_room(r))
        return false;
    char *plain = r->plain + r->plain_used;
    *out = (struct record_text){plain, schema_number_write(&n, plain)};
    r->plain_used += out->length;
    return out->length > 0;
}

/* The identity that equals this one: 1 + its place; 0: none. */
static uint32_t record_find(const struct record *r, const struct record_text *ns, const struct record_text *id)
{
    for (uint32_t i = 0; i < r->identities; i++) {
        const struct record_identity *one = &r->identity[i];
        if (one->id_length == id->length && one->ns_length == ns->length &&
            memcmp(one->id, id->bytes, id->length) == 0 && memcmp(one->ns, ns->bytes, ns->length) == 0)
            return i + 1;
    }
    return 0;
}

/* Takes the identity of a descriptor, whose value is at `node`; *place is 1 + which identity of the record it is. */
static bool record_read_member(struct record *r, const struct schema_identity *member, uint32_t node, uint32_t *place)
{
    struct record_text ns = {member->ns, member->ns_length}, id;
    enum jscan_type type = (enum jscan_type)r->scan.node[node].type;
    if (type == JSCAN_STRING) {
        if (!record_take_text(r, node, RECORD_VALUE_MAX, &id))
            return record_refuse_member(r, member->property, "must have 1 to 1024 bytes: it is an identity");
    } else if (type == JSCAN_INTEGER || type == JSCAN_NUMBER) {
        if (!record_take_number(r, node, &id))
            return record_refuse_member(r, member->property, "is no number for an identity");
    } else {
        return record_refuse_member(r, member->property, "must be a string or a number: it is an identity");
    }
    *place = record_find(r, &ns, &id);
    if (*place != 0)
        return true;
    *place = r->identities + 1;
    return record_add(r, &ns, &id, 0);
}

/* Chooses the primary identity; `named` is 1 + that of the schema's primary descriptor, 0: absent. `mapped` identities
 * are of identityMap. */
static bool record_choose_primary(struct record *r, uint32_t named, uint32_t mapped)
{
    bool wanted = r->schema != NULL && r->schema->primary != 0;
    uint32_t place = named;
    if (place == 0)
        place = r->marked;
    if (place == 0 && !wanted && (mapped == 1 || (mapped == 0 && r->identities == 1)))
        place = 1;
    if (r->identities == 0)
        return record_refuse(r, "identity", "no identity, neither in identityMap nor in a member of a descriptor");
    if (place == 0)
        return record_refuse(r, "identity", "no primary identity");
    r->primary = place - 1;
    return true;
}

bool record_read_identities(struct record *r, const uint32_t *at)
{
    uint32_t mapped = r->identities, named = 0, place = 0;
    for (uint32_t i = 0; r->schema != NULL && i < r->schema->identities; i++) {
        const struct schema_identity *member = &r->schema->identity[i];
        if (at[i] == 0)
            continue;
        if (!record_read_member(r, member, at[i], &place))
            return false;
        if (member->primary)
            named = place;
    }
    return record_choose_primary(r, named, mapped);
}
