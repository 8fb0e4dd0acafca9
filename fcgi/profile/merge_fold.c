/*
 * merge_fold: writing what the fold of a profile's fragments comes to.
 *
 * No intermediate document is built. For every place of the result the values of all fragments are
 * collected as a chain, weakest first; what the fold would end with can be read from its end: the
 * last value if that is no object, else the objects from behind the last value that is none, merged
 * in turn. A chain that comes to a single value is copied from its fragment's text.
 *
 * The recursion follows the documents and is as deep as PROJECTION_MAX_DEPTH at most.
 */
#include <string.h>

#include "profile/merge_internal.h"

/* What to write of a member of a value of which `tree` is written; 0 for nothing. */
static uint32_t member_tree(const struct merge *m, uint32_t tree, const struct jscan *scan, uint32_t name)
{
    if (tree == MERGE_WHOLE || m->fields->node[tree].whole)
        return MERGE_WHOLE;
    return projection_child_of(m->fields, tree, scan, name);
}

/* Adds those members of an object to the group of which its tree selects something. */
static void collect_members(struct merge *m, struct merge_group *group, const struct merge_item *object)
{
    const struct jscan *scan = &m->scan[object->fragment];
    struct merge_item one = {.fragment = object->fragment, .name = object->value + 1};
    uint32_t count = scan->node[object->value].count;

    if (object->strict > 0)
        one.strict = (uint8_t)(object->strict - 1);
    merge_group_begin_object(m, group);
    for (uint32_t i = 0; i < count; i++) {
        one.value = one.name + 1;
        one.tree = member_tree(m, object->tree, scan, one.name);
        if (one.tree != 0 && (object->strict == 0 || scan->node[one.value].type == JSCAN_OBJECT))
            merge_group_add(m, group, &one);
        one.name = scan->node[one.value].next;
    }
}

/* What the result has of a member at the top of a document; 0 for nothing. */
static uint32_t top_tree(const struct merge *m, const struct jscan *scan, uint32_t name)
{
    if (jscan_string_equals(scan, name, "identityMap", strlen("identityMap")))
        return MERGE_IDENTITY_MAP;
    if (projection_is_all(m->fields))
        return MERGE_WHOLE;
    if (jscan_string_equals(scan, name, "identities", strlen("identities")))
        return 0;
    return projection_child_of(m->fields, 0, scan, name);
}

/* Whether the member is a segmentMembership with something in it that takes no part. */
static bool is_broken_membership(const struct merge *m, const struct jscan *scan, uint32_t name)
{
    return m->membership_broken && jscan_string_equals(scan, name, "segmentMembership", strlen("segmentMembership"));
}

static void collect_top(struct merge *m, struct merge_group *group, uint32_t fragment)
{
    const struct jscan *scan = &m->scan[fragment];
    struct merge_item one = {.fragment = (uint16_t)fragment, .name = 1};

    merge_group_begin_object(m, group);
    for (uint32_t i = 0; i < scan->node[0].count; i++) {
        one.value = one.name + 1;
        one.tree = top_tree(m, scan, one.name);
        one.strict = is_broken_membership(m, scan, one.name) ? MERGE_MEMBERSHIP_LEVELS : 0;
        if (one.tree != 0 && (one.strict == 0 || scan->node[one.value].type == JSCAN_OBJECT))
            merge_group_add(m, group, &one);
        one.name = scan->node[one.value].next;
    }
}

/* Writes an object of the group's chains, even an empty one; returns whether it has a member. */
static bool write_group(struct merge *m, const struct merge_group *group, struct str *out)
{
    uint32_t end = m->items;
    bool any = false;

    if (m->trouble != FAULT_NONE)
        return false;
    str_append_char(out, '{');
    for (uint32_t i = group->first; i < end; i++) {
        size_t before = out->length;
        if (m->item[i].follows)
            continue;
        if (any)
            str_append_char(out, ',');
        project_name(&m->source[m->item[i].fragment], m->item[i].name, out);
        if (merge_write_chain(m, i, out))
            any = true;
        else
            project_undo(out, before);
    }
    str_append_char(out, '}');
    return any;
}

/* Writes the merge of a chain of objects only. */
static bool write_objects(struct merge *m, uint32_t first, struct str *out)
{
    size_t before = out->length;
    uint32_t tree = m->item[first].tree;
    struct merge_group group = merge_group_open(m, merge_chain_width(m, first));

    for (uint32_t i = first; i != MERGE_NONE; i = m->item[i].newer) {
        struct merge_item one = m->item[i]; /* a copy: collecting may move the items */
        collect_members(m, &group, &one);
    }
    bool any = write_group(m, &group, out);
    merge_group_close(m, &group);
    if (any || tree == MERGE_WHOLE || m->fields->node[tree].whole)
        return true;
    project_undo(out, before);
    return false;
}

static bool write_identity_map(const struct merge *m, struct str *out)
{
    if (m->identity_map.length == 0)
        return false;
    str_append(out, m->identity_map.data, m->identity_map.length);
    if (m->identities.length > 0) {
        str_append_text(out, ",\"identities\":");
        str_append(out, m->identities.data, m->identities.length);
    }
    return true;
}

bool merge_write_chain(struct merge *m, uint32_t first, struct str *out)
{
    if (m->item[first].tree == MERGE_IDENTITY_MAP)
        return write_identity_map(m, out);
    uint32_t start = first; /* behind the last value that is no object */
    uint32_t newest = first;
    for (uint32_t i = first; i != MERGE_NONE; i = m->item[i].newer) {
        newest = i;
        if (merge_node(m, &m->item[i])->type != JSCAN_OBJECT)
            start = m->item[i].newer;
    }
    if (start != MERGE_NONE && (start != newest || m->item[start].strict > 0))
        return write_objects(m, start, out);
    const struct merge_item *item = &m->item[newest];
    const struct project_source *source = &m->source[item->fragment];
    if (item->tree != MERGE_WHOLE)
        return project_value(source, item->value, m->fields, item->tree, out);
    project_copy(source, item->value, out);
    return true;
}

void merge_write_profile(struct merge *m, struct str *out)
{
    size_t most = 0;
    for (uint32_t i = 0; i < m->count; i++)
        most += m->scan[i].node[0].count;
    struct merge_group group = merge_group_open(m, most);
    for (uint32_t i = 0; i < m->count; i++)
        collect_top(m, &group, i);
    (void)write_group(m, &group, out);
    merge_group_close(m, &group);
}
