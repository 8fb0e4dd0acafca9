/*
 * merge: the working memory of a merge, what is asked of it, and the order of the steps. See merge.h.
 *
 * Scan every fragment, unite the identities (merge_identity), write the fold (merge_fold).
 */
#include "export/merge.h"

#include <stdlib.h>
#include <string.h>

#include "export/merge_internal.h"
#include "lib/log.h"

/* What is kept from profile to profile. An outlier's memory above this is given back. */
#define KEEP_SOURCES 64u
#define KEEP_TAPE_NODES 16384u
#define KEEP_SCRATCH_BYTES ((size_t)256 * 1024)
#define KEEP_ITEMS 65536u
#define KEEP_TABLE_SLOTS 65536u
#define KEEP_TEXT_BYTES ((size_t)1024 * 1024)

struct merge *merge_new(void)
{
    struct merge *m = calloc(1, sizeof *m);
    if (m != NULL)
        siphash_draw_key(&m->key);
    return m;
}

void merge_free(struct merge *m)
{
    if (m == NULL)
        return;
    for (uint32_t i = 0; i < m->sources; i++)
        jscan_free(&m->scan[i]);
    free(m->scan);
    free(m->source);
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

static void sources_trim(struct merge *m)
{
    for (uint32_t i = 0; i < m->sources; i++)
        if (i >= KEEP_SOURCES || m->scan[i].capacity > KEEP_TAPE_NODES || m->scan[i].scratch_size > KEEP_SCRATCH_BYTES)
            jscan_free(&m->scan[i]);
    if (m->sources > KEEP_SOURCES)
        m->sources = KEEP_SOURCES;
}

/* Makes ready for the next profile. */
static void restart(struct merge *m, const struct projection *fields, const struct str *out)
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
    text_restart(&m->identity_map, out->bound);
    text_restart(&m->identities, out->bound);
    text_restart(&m->namespaces, out->bound);
    m->fields = fields;
    m->items = 0;
    m->exhausted = false;
    m->identity_count = 0;
    m->uniting_changed = false;
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
    for (uint32_t i = m->sources; i < count; i++)
        m->scan[i] = JSCAN_INIT;
    m->sources = count;
    return true;
}

static enum fault scan_fragments(struct merge *m, const struct merge_fragment *fragment, uint32_t count)
{
    if (!sources_grow(m, count))
        return FAULT_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        struct jscan *scan = &m->scan[i];
        enum jscan_fault fault = jscan_document(scan, fragment[i].body, fragment[i].length, PROJECTION_LIMITS);
        if (fault == JSCAN_MEMORY)
            return FAULT_MEMORY;
        if (fault != JSCAN_OK || scan->node[0].type != JSCAN_OBJECT) {
            log_event(LOG_ERROR, "merge_body", "fragment=%u offset=%zu reason=%s", i, scan->fault_offset,
                      log_quote(fault == JSCAN_OK ? "not an object" : jscan_reason(fault)));
            return FAULT_INTERNAL;
        }
        m->source[i] = project_source_of(scan);
    }
    return FAULT_NONE;
}

/* Whether the projection has the leaf `name` under `parent`, or all of parent. */
static bool selects_leaf(const struct projection *fields, uint32_t parent, const char *name)
{
    if (fields->node[parent].whole)
        return true;
    uint32_t child = projection_child(fields, parent, name, strlen(name));
    return child != 0 && fields->node[child].whole;
}

static struct merge_view view_of(const struct projection *fields)
{
    struct merge_view view = {false, false, false};
    uint32_t identities = projection_child(fields, 0, "identities", strlen("identities"));
    if (identities == 0)
        return view;
    uint32_t space = projection_child(fields, identities, "namespace", strlen("namespace"));
    view.id = selects_leaf(fields, identities, "id");
    view.primary = selects_leaf(fields, identities, "primary");
    view.code = fields->node[identities].whole || (space != 0 && selects_leaf(fields, space, "code"));
    return view;
}

enum fault merge_profile(struct merge *m, const struct merge_fragment *fragment, size_t count,
                         const struct projection *fields, struct str *out)
{
    restart(m, fields, out);
    if (count > MERGE_MAX_FRAGMENTS)
        return FAULT_MALFORMED;
    enum fault fault = scan_fragments(m, fragment, (uint32_t)count);
    if (fault != FAULT_NONE)
        return fault;
    m->view = view_of(fields);
    merge_unite_identities(m, (uint32_t)count);
    if (count == 1 && projection_is_all(fields) && !m->uniting_changed)
        project_copy(&m->source[0], 0, out);
    else
        merge_write_profile(m, (uint32_t)count, out);
    if (m->exhausted || out->overflow || m->identity_map.overflow || m->identities.overflow || m->namespaces.overflow)
        return FAULT_MEMORY;
    return FAULT_NONE;
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
