/*
 * record: what the store has to know of one ingested record. See record.h.
 */
#include "store/record.h"

#include <stdio.h>

#include "lib/clock.h"

/* An escaped character takes at most six bytes for one ("\u0041"). */
#define RECORD_ESCAPED_MAX (6u * RECORD_VALUE_MAX)

/* What was found while going through an identityMap. Tape indices; 0: none. */
struct record_search {
    uint32_t identities;
    uint32_t marked; /* entries with primary: true */
    uint32_t ns;     /* of the last marked entry, or of the last one while none is marked */
    uint32_t id;
};

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

/* Checks one entry of a namespace's array and notes it in the search. */
static bool record_see_entry(struct record *r, uint32_t ns, uint32_t entry, struct record_search *search)
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

    bool marked = primary != 0 && scan->node[primary].type == JSCAN_TRUE;
    if (marked || search->marked == 0) {
        search->ns = ns;
        search->id = id;
    }
    search->identities++;
    search->marked += marked;
    return true;
}

/* Checks one namespace with its entries. */
static bool record_see_namespace(struct record *r, uint32_t ns, struct record_search *search)
{
    const struct jscan *scan = &r->scan;
    uint32_t list = ns + 1;
    if (!record_take_text(r, ns, RECORD_NAMESPACE_MAX, &r->ns))
        return record_refuse(r, "identity", "a namespace is not a string of 1 to 255 bytes");
    if (scan->node[list].type != JSCAN_ARRAY)
        return record_refuse(r, "identity", "a namespace of identityMap does not hold an array");
    for (uint32_t entry = list + 1; entry < scan->node[list].next; entry = scan->node[entry].next) {
        if (!record_see_entry(r, ns, entry, search))
            return false;
    }
    return true;
}

static bool record_read_identity(struct record *r)
{
    const struct jscan *scan = &r->scan;
    struct record_search search = {0};
    uint32_t map = jscan_member(scan, 0, "identityMap");
    if (map == 0 || scan->node[map].type != JSCAN_OBJECT)
        return record_refuse(r, "identity", map == 0 ? "no identityMap" : "identityMap is not an object");
    for (uint32_t ns = map + 1; ns < scan->node[map].next; ns = scan->node[ns + 1].next) {
        if (!record_see_namespace(r, ns, &search))
            return false;
    }
    if (search.identities == 0)
        return record_refuse(r, "identity", "identityMap holds no identity");
    if (search.marked > 1)
        return record_refuse(r, "identity", "several identities are marked primary");
    if (search.marked == 0 && search.identities > 1)
        return record_refuse(r, "identity", "no primary identity");
    return record_take_text(r, search.ns, RECORD_NAMESPACE_MAX, &r->ns) &&
           record_take_text(r, search.id, RECORD_VALUE_MAX, &r->value);
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
    return true;
}

bool record_read(struct record *r, const char *text, size_t length, bool event)
{
    struct jscan_limits limits = {.depth = RECORD_DEPTH, .bytes = r->most_bytes};
    r->event_id.length = 0;
    r->time_ms = 0;
    enum jscan_fault fault = jscan_document(&r->scan, text, length, limits);
    if (fault != JSCAN_OK) {
        r->code = fault == JSCAN_TOO_LONG ? "size" : "json";
        snprintf(r->reason, sizeof r->reason, "%s at offset %zu", jscan_reason(fault), r->scan.fault_offset);
        return false;
    }
    if (r->scan.node[0].type != JSCAN_OBJECT)
        return record_refuse(r, "json", "the record is not a JSON object");
    return record_read_identity(r) && (event ? record_read_event(r) : record_check_profile(r));
}
