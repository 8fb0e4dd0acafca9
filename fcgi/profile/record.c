/*
 * record: what the store has to know of one ingested record. See record.h.
 */
#include "profile/record.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "profile/record_internal.h"

void record_free(struct record *record)
{
    jscan_free(&record->scan);
    str_free(&record->made);
    free(record->plain);
}

bool record_refuse(struct record *r, const char *code, const char *reason)
{
    r->code = code;
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    return false;
}

void record_size_reason(char *out, size_t size, size_t most_bytes)
{
    snprintf(out, size, "the record is longer than the limit of %zu bytes", most_bytes);
}

bool record_make_room(struct record *r)
{
    /* no string of the record is unescaped more than twice, and each descriptor writes one number at most */
    size_t wanted = 2 * r->body_length + (size_t)SCHEMA_IDENTITIES_MAX * SCHEMA_NUMBER_TEXT_MAX;
    if (wanted <= r->plain_size)
        return true;
    if (r->plain_used > 0)
        return false; /* texts point into it */
    free(r->plain);
    r->plain = malloc(wanted);
    r->plain_size = r->plain == NULL ? 0 : wanted;
    return r->plain != NULL;
}

bool record_take_text(struct record *r, uint32_t string, size_t most, struct record_text *out)
{
    const struct jscan_node *node = &r->scan.node[string];
    size_t length = node->end - node->begin;
    if (node->type != JSCAN_STRING || length == 0)
        return false;
    out->bytes = r->scan.text + node->begin;
    out->length = length;
    if (node->escaped != 0) {
        if (length > 6 * most || !record_make_room(r))
            return false;
        char *plain = r->plain + r->plain_used;
        out->bytes = plain;
        out->length = jscan_string_copy(&r->scan, string, plain);
        r->plain_used += out->length;
    }
    return out->length <= most;
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
    struct record_text stamp;
    if (id == 0 || !record_take_text(r, id, RECORD_VALUE_MAX, &r->event_id))
        return record_refuse(r, "event_id", "_id is not a string of 1 to 1024 bytes");
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

/* The text's tape, of an object. */
static bool record_scan(struct record *r, const char *text, size_t length)
{
    struct jscan_limits limits = {.depth = RECORD_DEPTH, .bytes = r->most_bytes};
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
    return r->scan.node[0].type == JSCAN_OBJECT || record_refuse(r, "json", "the record is not a JSON object");
}

bool record_read(struct record *r, const char *text, size_t length)
{
    uint32_t at[SCHEMA_IDENTITIES_MAX];
    r->body = text;
    r->body_length = length;
    r->plain_used = 0;
    r->event_id = (struct record_text){"", 0};
    r->time_ms = 0;
    if (!record_scan(r, text, length) || !record_read_map(r))
        return false;
    if (r->schema != NULL && !schema_check(r->schema, &r->scan, at, r->reason, sizeof r->reason)) {
        r->code = "schema";
        return false;
    }
    if (!record_read_identities(r, at) || !(r->event ? record_read_event(r) : record_check_profile(r)))
        return false;
    return r->schema == NULL || record_write_body(r);
}
