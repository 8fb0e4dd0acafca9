/*
 * merge: the working memory of a merge, what is asked of it, and the order of the steps. See merge.h.
 *
 * Scan every fragment, unite the identities (merge_identity), write the fold (merge_fold).
 */
#include "profile/merge.h"

#include <stdlib.h>
#include <string.h>

#include "profile/merge_internal.h"
#include "lib/log.h"

/* What is kept from profile to profile, about 3 MiB in all. An outlier's memory above this is given back. */
#define KEEP_SOURCES 64u
#define KEEP_TAPE_BYTES ((size_t)1536 * 1024) /* of all tapes with their scratch memory */
#define KEEP_ITEMS 16384u
#define KEEP_TABLE_SLOTS 65536u
#define KEEP_TEXT_BYTES ((size_t)128 * 1024)

struct merge *merge_new(void)
{
    struct merge *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    siphash_draw_key(&m->key);
    m->index = merge_index_new();
    if (m->index == NULL) {
        free(m);
        return NULL;
    }
    return m;
}

void merge_free(struct merge *m)
{
    if (m == NULL)
        return;
    for (uint32_t i = 0; i < m->sources; i++)
        jscan_free(&m->scan[i]);
    merge_index_free(m->index);
    free(m->scan);
    free(m->source);
    free(m->maps);
    free(m->item);
    free(m->table);
    str_free(&m->identity_map);
    str_free(&m->identities);
    str_free(&m->namespaces);
    free(m);
}

static void text_restart(struct str *text, size_t bound)
{
    if (text->capacity > KEEP_TEXT_BYTES || text->capacity > bound)
        str_free(text);
    text->bound = bound;
    str_reset(text);
}

static size_t scan_bytes(const struct jscan *scan)
{
    return scan->capacity * sizeof *scan->node + scan->scratch_size;
}

static void sources_trim(struct merge *m)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < m->sources; i++) {
        kept += scan_bytes(&m->scan[i]);
        if (i >= KEEP_SOURCES || kept > KEEP_TAPE_BYTES) {
            kept -= scan_bytes(&m->scan[i]);
            jscan_free(&m->scan[i]);
        }
    }
    if (m->sources > KEEP_SOURCES)
        m->sources = KEEP_SOURCES;
}

/* Makes ready for a profile whose bodies have this length together. */
static void restart(struct merge *m, const struct projection *fields, size_t length)
{
    sources_trim(m);
    if (m->item_capacity > KEEP_ITEMS) {
        free(m->item);
        m->item = NULL;
        m->item_capacity = 0;
    }
    if (m->table_slots > KEEP_TABLE_SLOTS) {
        free(m->table);
        m->table = NULL;
        m->table_slots = 0;
    }
    merge_index_reset(m->index);
    /* United, the maps are never longer than they were apart. */
    text_restart(&m->identity_map, length + 1);
    text_restart(&m->identities, MERGE_VIEW_BYTES);
    text_restart(&m->namespaces, length + 1);
    m->fields = fields;
    m->count = 0;
    m->items = 0;
    m->trouble = FAULT_NONE;
    m->identity_count = 0;
    m->view_dropped = false;
    m->uniting_changed = false;
    m->memberships = 0;
    m->membership_broken = false;
}

static bool sources_grow(struct merge *m, uint32_t count)
{
    if (count <= m->sources)
        return true;
    struct jscan *scan = realloc(m->scan, count * sizeof *scan);
    if (scan == NULL)
        return false;
    m->scan = scan;
    struct project_source *source = realloc(m->source, count * sizeof *source);
    if (source == NULL)
        return false;
    m->source = source;
    struct merge_maps *maps = realloc(m->maps, count * sizeof *maps);
    if (maps == NULL)
        return false;
    m->maps = maps;
    for (uint32_t i = m->sources; i < count; i++)
        m->scan[i] = JSCAN_INIT;
    m->sources = count;
    return true;
}

static enum fault scan_fragment(struct merge *m, const struct merge_fragment *fragment, uint32_t at, uint32_t nodes)
{
    struct jscan *scan = &m->scan[at];
    struct jscan_limits limits = PROJECTION_LIMITS;

    if (nodes == 0)
        return FAULT_MALFORMED;
    limits.nodes = nodes;
    enum jscan_fault fault = jscan_document(scan, fragment->body, fragment->length, limits);
    if (fault == JSCAN_MEMORY)
        return FAULT_MEMORY;
    if (fault == JSCAN_TOO_MANY)
        return FAULT_MALFORMED;
    if (fault == JSCAN_OK && scan->node[0].type == JSCAN_OBJECT)
        return FAULT_NONE;
    log_event(LOG_ERROR, "merge_body", "fragment=%u offset=%zu reason=%s", at, scan->fault_offset,
              log_quote(fault == JSCAN_OK ? "not an object" : jscan_reason(fault)));
    return FAULT_INTERNAL;
}

/* Notes where the fragment's maps are. */
static void find_maps(struct merge *m, uint32_t fragment)
{
    const struct jscan *scan = &m->scan[fragment];
    uint32_t identity = jscan_member(scan, 0, "identityMap");
    uint32_t membership = jscan_member(scan, 0, "segmentMembership");

    m->maps[fragment] = (struct merge_maps){identity, membership};
    if (scan->node[identity].type != JSCAN_OBJECT) {
        m->maps[fragment].identity = 0;
        m->uniting_changed = true;
    }
    if (scan->node[membership].type != JSCAN_OBJECT) {
        m->maps[fragment].membership = 0;
        m->membership_broken = true;
    }
}

/* Tapes beyond what would be kept are cut to what they hold, so that all together stay near their bound. */
static enum fault scan_fragments(struct merge *m, const struct merge_fragment *fragment, uint32_t count)
{
    uint32_t nodes = (uint32_t)(MERGE_TAPE_BYTES / sizeof(struct jscan_node)); /* left */
    size_t taken = 0;

    if (!sources_grow(m, count))
        return FAULT_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        enum fault fault = scan_fragment(m, &fragment[i], i, nodes);
        if (fault != FAULT_NONE)
            return fault;
        nodes -= m->scan[i].count;
        taken += scan_bytes(&m->scan[i]);
        if (taken > KEEP_TAPE_BYTES)
            jscan_trim(&m->scan[i]);
        m->source[i] = project_source_of(&m->scan[i]);
        find_maps(m, i);
        merge_survey_membership(m, i);
    }
    return FAULT_NONE;
}

/* The members of a tape that merging may hold side by side: those of arrays never meet. */
static size_t count_members(const struct jscan *scan)
{
    size_t members = 0;
    for (uint32_t i = 0; i < scan->count;) {
        const struct jscan_node *node = &scan->node[i];
        if (node->type == JSCAN_OBJECT)
            members += node->count;
        i = node->type == JSCAN_ARRAY ? node->next : i + 1;
    }
    return members;
}

static bool has_too_many_members(const struct merge *m, uint32_t count)
{
    size_t nodes = 0;
    size_t members = 0;
    for (uint32_t i = 0; i < count; i++)
        nodes += m->scan[i].count;
    if (count < 2 || nodes / 2 <= MERGE_MEMBERS_MAX) /* a member takes two nodes */
        return false;
    for (uint32_t i = 0; i < count; i++)
        members += count_members(&m->scan[i]);
    return members > MERGE_MEMBERS_MAX;
}

static enum fault read_fragments(struct merge *m, const struct merge_fragment *fragment, size_t count)
{
    if (count > MERGE_MAX_FRAGMENTS)
        return FAULT_MALFORMED;
    enum fault fault = scan_fragments(m, fragment, (uint32_t)count);
    if (fault != FAULT_NONE)
        return fault;
    if (m->memberships > MERGE_MEMBERS_MAX || has_too_many_members(m, (uint32_t)count))
        return FAULT_MALFORMED;
    if (!merge_index_reserve(m->index, m->memberships))
        return FAULT_MEMORY;
    m->count = (uint32_t)count;
    m->view = projection_view(m->fields);
    merge_unite_identities(m);
    if (m->identity_map.overflow || m->namespaces.overflow)
        return FAULT_MEMORY;
    return m->identities.overflow ? FAULT_MALFORMED : m->trouble;
}

enum fault merge_read(struct merge *m, const struct merge_fragment *fragment, size_t count,
                      const struct projection *fields)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += fragment[i].length;
    restart(m, fields, length);
    enum fault fault = read_fragments(m, fragment, count);
    if (fault != FAULT_NONE)
        restart(m, fields, 0);
    return fault;
}

enum fault merge_write(struct merge *m, struct str *out)
{
    m->items = 0;
    m->trouble = FAULT_NONE;
    if (m->view_dropped)
        return FAULT_MALFORMED;
    if (m->count == 1 && projection_is_all(m->fields) && !m->uniting_changed && !m->membership_broken)
        project_copy(&m->source[0], 0, out);
    else
        merge_write_profile(m, out);
    if (m->trouble != FAULT_NONE)
        return m->trouble;
    return out->overflow ? FAULT_MEMORY : FAULT_NONE;
}

uint32_t merge_identity_count(const struct merge *m)
{
    return m->identity_count;
}

bool merge_next_namespace(const struct merge *m, size_t *cursor, const char **name, size_t *length)
{
    if (*cursor >= m->namespaces.length)
        return false;
    *name = m->namespaces.data + *cursor;
    *length = strlen(*name);
    *cursor += *length + 1;
    return true;
}
