/*
 * record: what the store has to know of one ingested record. See record.h.
 */
#include "profile/record.h"

#include <stdio.h>

#include "lib/clock.h"

void record_free(struct record *record)
{
    jscan_free(&record->scan);
}

static bool record_refuse(struct record *r, const char *code, const char *reason)
{
    r->code = code;
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    return false;
}

void record_size_reason(char *out, size_t size, size_t most_bytes)
{
    snprintf(out, size, "the record is longer than the limit of %zu bytes", most_bytes);
}

/* Unescapes a string of 1 to `most` bytes. False: it is not one. */
static bool record_take_text(struct record *r, uint32_t string, size_t most, struct record_text *out)
{
    char plain[RECORD_ESCAPED_MAX];
    const struct jscan_node *node = &r->scan.node[string];
    if (node->type != JSCAN_STRING || node->end - node->begin > sizeof plain)
        return false;
    size_t length = jscan_string_copy(&r->scan, string, plain);
    if (length == 0 || length > most)
        return false;
    for (size_t i = 0; i < length; i++)
        out->bytes[i] = plain[i];
    out->length = length;
    return true;
}

/* Checks one entry of a namespace's array and notes it; counts in *marked those with primary: true. */
static bool record_see_entry(struct record *r, uint32_t ns, uint32_t entry, uint32_t *marked)
{
    const struct jscan *scan = &r->scan;
    if (scan->node[entry].type != JSCAN_OBJECT)
        return record_refuse(r, "identity", "an entry of identityMap is not an object");
    uint32_t id = jscan_member(scan, entry, "id");
    uint32_t primary = jscan_member(scan, entry, "primary");
    uint32_t state = jscan_member(scan, entry, "authenticatedState");
    if (id == 0 || !record_take_text(r, id, RECORD_VALUE_MAX, &r->value))
        return record_refuse(r, "identity", "the id of an identity is not a string of 1 to 1024 bytes");
    if (primary != 0 && scan->node[primary].type != JSCAN_TRUE && scan->node[primary].type != JSCAN_FALSE)
        return record_refuse(r, "identity", "primary of an identity is not a boolean");
    if (state != 0 && scan->node[state].type != JSCAN_STRING)
        return record_refuse(r, "identity", "authenticatedState of an identity is not a string");

    if (r->identities == RECORD_IDENTITIES_MAX)
        return record_refuse(r, "identity", "more identities in identityMap than the limit of 1000");
    if (primary != 0 && scan->node[primary].type == JSCAN_TRUE) {
        r->primary = r->identities;
        ++*marked;
    }
    r->identity[r->identities++] = (struct record_identity){.ns = ns, .id = id};
    return true;
}

/* Checks one namespace with its entries. */
static bool record_see_namespace(struct record *r, uint32_t ns, uint32_t *marked)
{
    const struct jscan *scan = &r->scan;
    uint32_t list = ns + 1;
    if (!record_take_text(r, ns, RECORD_NAMESPACE_MAX, &r->ns))
        return record_refuse(r, "identity", "a namespace is not a string of 1 to 255 bytes");
    if (scan->node[list].type != JSCAN_ARRAY)
        return record_refuse(r, "identity", "a namespace of identityMap does not hold an array");
    for (uint32_t entry = list + 1; entry < scan->node[list].next; entry = scan->node[entry].next) {
        if (!record_see_entry(r, ns, entry, marked))
            return false;
    }
    return true;
}

static bool record_read_identity(struct record *r)
{
    const struct jscan *scan = &r->scan;
    uint32_t marked = 0, map = jscan_member(scan, 0, "identityMap");
    r->identities = r->primary = 0;
    if (map == 0 || scan->node[map].type != JSCAN_OBJECT)
        return record_refuse(r, "identity", map == 0 ? "no identityMap" : "identityMap is not an object");
    for (uint32_t ns = map + 1; ns < scan->node[map].next; ns = scan->node[ns + 1].next) {
        if (!record_see_namespace(r, ns, &marked))
            return false;
    }
    if (r->identities == 0)
        return record_refuse(r, "identity", "identityMap holds no identity");
    if (marked > 1)
        return record_refuse(r, "identity", "several identities are marked primary");
    if (marked == 0 && r->identities > 1)
        return record_refuse(r, "identity", "no primary identity");
    return record_take_text(r, r->identity[r->primary].ns, RECORD_NAMESPACE_MAX, &r->ns) &&
           record_take_text(r, r->identity[r->primary].id, RECORD_VALUE_MAX, &r->value);
}

/* Whether an object's values are objects; with `below`, of objects too. */
static bool record_holds_objects(const struct jscan *scan, uint32_t object, bool below)
{
    if (scan->node[object].type != JSCAN_OBJECT)
        return false;
    for (uint32_t name = object + 1; name < scan->node[object].next; name = scan->node[name + 1].next) {
        if (scan->node[name + 1].type != JSCAN_OBJECT || (below && !record_holds_objects(scan, name + 1, false)))
            return false;
    }
    return true;
}

static bool record_read_event(struct record *r)
{
    const struct jscan *scan = &r->scan;
    uint32_t id = jscan_member(scan, 0, "_id");
    uint32_t time = jscan_member(scan, 0, "timestamp");
    if (id == 0 || !record_take_text(r, id, RECORD_VALUE_MAX, &r->event_id))
        return record_refuse(r, "event_id", "_id is not a string of 1 to 1024 bytes");
    struct record_text stamp = {.length = 0};
    if (time == 0 || !record_take_text(r, time, RECORD_VALUE_MAX, &stamp) ||
        !clock_parse_rfc3339(stamp.bytes, stamp.length, &r->time_ms))
        return record_refuse(r, "timestamp", "timestamp is not an RFC 3339 date-time");
    return true;
}

static bool record_check_profile(struct record *r)
{
    if (jscan_member(&r->scan, 0, "eventList") != 0)
        return record_refuse(r, "reserved", "eventList is made by the export; a profile record cannot have it");
    if (jscan_member(&r->scan, 0, "identities") != 0)
        return record_refuse(r, "reserved", "identities is a view of identityMap; a profile record cannot have it");
    uint32_t segments = jscan_member(&r->scan, 0, "segmentMembership");
    if (segments != 0 && !record_holds_objects(&r->scan, segments, true))
        return record_refuse(r, "segment", "segmentMembership is not an object of objects of objects");
    return true;
}

bool record_read(struct record *r, const char *text, size_t length, bool event)
{
    struct jscan_limits limits = {.depth = RECORD_DEPTH, .bytes = r->most_bytes};
    r->event_id.length = 0;
    r->time_ms = 0;
    enum jscan_fault fault = jscan_document(&r->scan, text, length, limits);
    if (fault == JSCAN_TOO_LONG) {
        r->code = "size";
        record_size_reason(r->reason, sizeof r->reason, r->most_bytes);
        return false;
    }
    if (fault != JSCAN_OK) {
        r->code = "json";
        snprintf(r->reason, sizeof r->reason, "%s at offset %zu", jscan_reason(fault), r->scan.fault_offset);
        return false;
    }
    if (r->scan.node[0].type != JSCAN_OBJECT)
        return record_refuse(r, "json", "the record is not a JSON object");
    return record_read_identity(r) && (event ? record_read_event(r) : record_check_profile(r));
}
