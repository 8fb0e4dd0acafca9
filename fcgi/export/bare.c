/*
 * bare: the profile of an identity that has events only. See bare.h.
 */
#include "export/bare.h"

#include <stdbool.h>

#include "export/projection.h"
#include "lib/log.h"

/* Tape indices of the strings that name an identity; 0: none. */
struct bare_identity {
    uint32_t ns;
    uint32_t id;
    bool marked;
};

static void bare_look_at_list(const struct jscan *scan, uint32_t ns, struct bare_identity *found)
{
    uint32_t list = ns + 1;
    if (scan->node[list].type != JSCAN_ARRAY)
        return;
    for (uint32_t entry = list + 1; entry < scan->node[list].next; entry = scan->node[entry].next) {
        uint32_t id = jscan_member(scan, entry, "id");
        uint32_t primary = jscan_member(scan, entry, "primary");
        bool marked = primary != 0 && scan->node[primary].type == JSCAN_TRUE;
        if (id != 0 && scan->node[id].type == JSCAN_STRING && (marked || !found->marked))
            *found = (struct bare_identity){.ns = ns, .id = id, .marked = marked};
    }
}

static struct bare_identity bare_find(const struct jscan *scan)
{
    struct bare_identity found = {0};
    uint32_t map = jscan_member(scan, 0, "identityMap");
    if (map == 0 || scan->node[map].type != JSCAN_OBJECT)
        return found;
    for (uint32_t ns = map + 1; ns < scan->node[map].next; ns = scan->node[ns + 1].next)
        bare_look_at_list(scan, ns, &found);
    return found;
}

/* The string as it stands in the text, escapes and all. */
static void bare_put_string(const struct jscan *scan, uint32_t string, struct str *out)
{
    const struct jscan_node *node = &scan->node[string];
    str_append_char(out, '"');
    str_append(out, scan->text + node->begin, node->end - node->begin);
    str_append_char(out, '"');
}

enum fault bare_write_profile(struct jscan *scan, const char *event, size_t length, struct str *out)
{
    struct bare_identity found = {0};
    if (jscan_document(scan, event, length, PROJECTION_LIMITS) == JSCAN_OK)
        found = bare_find(scan);
    if (found.id == 0) {
        log_event(LOG_ERROR, "stored_event", "reason=\"no primary identity\"");
        return FAULT_INTERNAL;
    }
    str_append_text(out, "{\"identityMap\":{");
    bare_put_string(scan, found.ns, out);
    str_append_text(out, ":[{\"id\":");
    bare_put_string(scan, found.id, out);
    str_append_text(out, ",\"primary\":true}]}}");
    return out->overflow ? FAULT_MEMORY : FAULT_NONE;
}
