/*
 * merge_identity: the united identityMap of a profile, its `identities` view and its counts.
 *
 * Runs before the fold, which then puts the finished text where `identityMap` stands.
 */
#include "profile/merge_internal.h"

/* Appends the name as plain UTF-8 and a NUL; no accepted string holds one. */
static void remember_namespace(struct merge *m, const struct merge_item *space)
{
    const struct jscan *scan = &m->scan[space->fragment];
    const struct jscan_node *name = &scan->node[space->name];
    struct str *list = &m->namespaces;
    size_t start = list->length;

    str_append(list, scan->text + name->begin, name->end - name->begin);
    if (list->overflow)
        return;
    if (name->escaped != 0)
        list->length = start + jscan_string_copy(scan, space->name, list->data + start);
    str_append_char(list, '\0');
}

/* Whether the strongest fragment that says anything about `primary` says true. */
static bool is_primary(const struct merge *m, uint32_t entry)
{
    bool primary = false;
    for (uint32_t i = entry; i != MERGE_NONE; i = m->item[i].newer) {
        const struct jscan *scan = &m->scan[m->item[i].fragment];
        uint32_t value = jscan_member(scan, m->item[i].value, "primary");
        if (value != 0)
            primary = scan->node[value].type == JSCAN_TRUE;
    }
    return primary;
}

/* Appends one element of the view. */
static void view_identity(struct merge *m, uint32_t space, uint32_t entry)
{
    const struct merge_item *name = &m->item[space];
    const struct merge_item *id = &m->item[entry];
    struct str *out = &m->identities;
    const char *comma = "";

    if (!m->view.id && !m->view.code && !m->view.primary)
        return;
    if (m->identity_count >= MERGE_VIEW_IDENTITIES) {
        m->view_dropped = true;
        return;
    }
    str_append_char(out, out->length == 0 ? '[' : ',');
    str_append_char(out, '{');
    if (m->view.id) {
        str_append_text(out, "\"id\":");
        project_copy(&m->source[id->fragment], id->name, out);
        comma = ",";
    }
    if (m->view.code) {
        str_append_text(out, comma);
        str_append_text(out, "\"namespace\":{\"code\":");
        project_copy(&m->source[name->fragment], name->name, out);
        str_append_char(out, '}');
        comma = ",";
    }
    if (m->view.primary) {
        str_append_text(out, comma);
        str_append_text(out, is_primary(m, entry) ? "\"primary\":true" : "\"primary\":false");
    }
    str_append_char(out, '}');
}

/* Adds the entries of one fragment's array to the group, each under its id. */
static void collect_entries(struct merge *m, struct merge_group *group, const struct merge_item *space)
{
    const struct jscan *scan = &m->scan[space->fragment];
    uint32_t array = space->value;
    struct merge_item one = {.fragment = space->fragment, .value = array + 1, .tree = MERGE_WHOLE};

    for (uint32_t i = 0; i < scan->node[array].count; i++) {
        one.name = jscan_member(scan, one.value, "id");
        if (one.name != 0 && scan->node[one.name].type == JSCAN_STRING)
            merge_group_add(m, group, &one);
        else
            m->uniting_changed = true;
        one.value = scan->node[one.value].next;
    }
}

/* Writes the united array of one namespace. */
static void write_namespace(struct merge *m, uint32_t space)
{
    struct merge_group group = merge_group_open(m, merge_chain_width(m, space));
    for (uint32_t i = space; i != MERGE_NONE; i = m->item[i].newer) {
        struct merge_item one = m->item[i]; /* a copy: collecting may move the items */
        collect_entries(m, &group, &one);
    }
    uint32_t end = m->items;
    if (group.first < end)
        remember_namespace(m, &m->item[space]);

    str_append_char(&m->identity_map, '[');
    for (uint32_t i = group.first; i < end; i++) {
        if (m->item[i].follows) {
            m->uniting_changed = true;
            continue;
        }
        if (i > group.first)
            str_append_char(&m->identity_map, ',');
        (void)merge_write_chain(m, i, &m->identity_map);
        view_identity(m, space, i);
        m->identity_count++;
    }
    str_append_char(&m->identity_map, ']');
    merge_group_close(m, &group);
}

/* Adds the namespaces of one fragment's identityMap to the group. */
static void collect_namespaces(struct merge *m, struct merge_group *group, uint32_t fragment, uint32_t map)
{
    const struct jscan *scan = &m->scan[fragment];
    struct merge_item one = {.fragment = (uint16_t)fragment, .name = map + 1, .tree = MERGE_WHOLE};

    merge_group_begin_object(m, group);
    for (uint32_t i = 0; i < scan->node[map].count; i++) {
        one.value = one.name + 1;
        if (scan->node[one.value].type == JSCAN_ARRAY)
            merge_group_add(m, group, &one);
        else
            m->uniting_changed = true;
        one.name = scan->node[one.value].next;
    }
}

void merge_unite_identities(struct merge *m)
{
    size_t most = 0;
    bool any = false;

    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t map = m->maps[i].identity;
        any = any || map != 0;
        most += map != 0 ? m->scan[i].node[map].count : 0;
    }
    if (!any)
        return;
    struct merge_group group = merge_group_open(m, most);
    for (uint32_t i = 0; i < m->count; i++)
        if (m->maps[i].identity != 0)
            collect_namespaces(m, &group, i, m->maps[i].identity);
    uint32_t end = m->items;
    str_append_char(&m->identity_map, '{');
    for (uint32_t i = group.first; i < end; i++) {
        if (m->item[i].follows)
            continue;
        if (i > group.first)
            str_append_char(&m->identity_map, ',');
        project_name(&m->source[m->item[i].fragment], m->item[i].name, &m->identity_map);
        write_namespace(m, i);
    }
    str_append_char(&m->identity_map, '}');
    merge_group_close(m, &group);
    if (m->identities.length > 0)
        str_append_char(&m->identities, ']');
}
