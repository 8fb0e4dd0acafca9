/*
 * record_body: the body that is stored, when identityMap does not tell all identities of the record.
 *
 * Everything else keeps its bytes. Entries of identityMap keep theirs too, but for the mark `primary`.
 */
#include <string.h>

#include "profile/record_internal.h"

/* Whether identityMap as it stands holds all identities and tells the primary one. */
static bool record_map_is_whole(const struct record *r)
{
    for (uint32_t i = 0; i < r->identities; i++) {
        if (r->identity[i].entry == 0)
            return false;
    }
    return r->marked != 0 ? r->marked - 1 == r->primary : r->identities == 1;
}

static void record_copy(struct record *r, size_t begin, size_t end)
{
    str_append(&r->made, r->scan.text + begin, end - begin);
}

/* An entry as it was given, with another mark if that must be. */
static void record_write_entry(struct record *r, uint32_t i)
{
    const struct jscan *scan = &r->scan;
    uint32_t entry = r->identity[i].entry;
    const struct jscan_node *node = &scan->node[entry];
    uint32_t mark = jscan_member(scan, entry, "primary");
    bool is = mark != 0 && scan->node[mark].type == JSCAN_TRUE, primary = i == r->primary;
    if (is == primary) {
        record_copy(r, node->begin, node->end);
    } else if (mark != 0) {
        record_copy(r, node->begin, scan->node[mark].begin);
        str_append_text(&r->made, primary ? "true" : "false");
        record_copy(r, scan->node[mark].end, node->end);
    } else {
        record_copy(r, node->begin, node->end - 1); /* it has an id, so a comma is right */
        str_append_text(&r->made, ",\"primary\":true}");
    }
}

static void record_write_new(struct record *r, uint32_t i)
{
    str_append_text(&r->made, "{\"id\":");
    str_append_json(&r->made, r->identity[i].id, r->identity[i].id_length);
    str_append_text(&r->made, i == r->primary ? ",\"primary\":true}" : "}");
}

static bool record_same_namespace(const struct record_identity *a, const struct record_identity *b)
{
    return a->ns_length == b->ns_length && memcmp(a->ns, b->ns, a->ns_length) == 0;
}

/* Writes the identities from `from` on that have the namespace of `like` and stand in no entry, separated by commas;
 * `any` tells whether something stands before them. */
static void record_write_more(struct record *r, uint32_t from, const struct record_identity *like, bool any)
{
    for (uint32_t i = from; i < r->identities; i++) {
        if (!record_same_namespace(&r->identity[i], like))
            continue;
        if (any)
            str_append_char(&r->made, ',');
        record_write_new(r, i);
        any = true;
    }
}

/* The namespaces of the map that was given, each with what it lacks. Answers how many. */
static uint32_t record_write_given(struct record *r, uint32_t mapped)
{
    const struct jscan *scan = &r->scan;
    uint32_t i = 0, namespaces = 0;
    for (uint32_t name = r->map + 1; r->map != 0 && name < scan->node[r->map].next; name = scan->node[name + 1].next) {
        const struct jscan_node *list = &scan->node[name + 1];
        struct record_text ns;
        if (!record_take_text(r, name, RECORD_NAMESPACE_MAX, &ns))
            continue; /* it was taken before */
        struct record_identity like = {.ns = ns.bytes, .ns_length = (uint32_t)ns.length};
        if (namespaces++ > 0)
            str_append_char(&r->made, ',');
        record_copy(r, scan->node[name].begin - 1u, scan->node[name].end + 1u);
        str_append_text(&r->made, ":[");
        for (uint32_t entry = 0; entry < list->count; entry++, i++) {
            if (entry > 0)
                str_append_char(&r->made, ',');
            record_write_entry(r, i);
        }
        record_write_more(r, mapped, &like, list->count > 0);
        str_append_char(&r->made, ']');
    }
    return namespaces;
}

/* Whether a namespace was written already: it is in the map, or an earlier new identity has it. */
static bool record_is_written(const struct record *r, uint32_t mapped, uint32_t i)
{
    for (uint32_t k = mapped; k < i; k++) {
        if (record_same_namespace(&r->identity[k], &r->identity[i]))
            return true;
    }
    const struct jscan *scan = &r->scan;
    for (uint32_t name = r->map + 1; r->map != 0 && name < scan->node[r->map].next; name = scan->node[name + 1].next) {
        if (jscan_string_equals(scan, name, r->identity[i].ns, r->identity[i].ns_length))
            return true;
    }
    return false;
}

static void record_write_map(struct record *r)
{
    uint32_t mapped = 0;
    while (mapped < r->identities && r->identity[mapped].entry != 0)
        mapped++;
    str_append_char(&r->made, '{');
    uint32_t namespaces = record_write_given(r, mapped);
    for (uint32_t i = mapped; i < r->identities; i++) {
        if (record_is_written(r, mapped, i))
            continue;
        if (namespaces++ > 0)
            str_append_char(&r->made, ',');
        str_append_json(&r->made, r->identity[i].ns, r->identity[i].ns_length);
        str_append_text(&r->made, ":[");
        record_write_more(r, i, &r->identity[i], false);
        str_append_char(&r->made, ']');
    }
    str_append_char(&r->made, '}');
}

bool record_write_body(struct record *r)
{
    struct jscan_limits limits = {.depth = RECORD_DEPTH, .bytes = r->most_bytes};
    if (record_map_is_whole(r))
        return true;
    const struct jscan_node *document = &r->scan.node[0];
    uint32_t map = jscan_member(&r->scan, 0, "identityMap");
    r->made.bound = (size_t)r->most_bytes + 1;
    str_reset(&r->made);
    if (map != 0) {
        record_copy(r, document->begin, r->scan.node[map].begin);
        record_write_map(r);
        record_copy(r, r->scan.node[map].end, document->end);
    } else {
        record_copy(r, document->begin, document->end - 1);
        str_append_text(&r->made, ",\"identityMap\":"); /* after the member that holds an identity */
        record_write_map(r);
        str_append_char(&r->made, '}');
    }
    if (r->made.overflow) {
        r->code = "size";
        record_size_reason(r->reason, sizeof r->reason, r->most_bytes);
        return false;
    }
    r->body = r->made.data;
    r->body_length = r->made.length;
    /* what is observed of a record is observed of what is stored */
    return jscan_document(&r->scan, r->body, r->body_length, limits) == JSCAN_OK ||
           record_refuse(r, "json", jscan_reason(JSCAN_MEMORY));
}
