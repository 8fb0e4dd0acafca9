/*
 * project: writing values of a tape. See project.h.
 *
 * The recursion follows the document and is as deep as PROJECTION_MAX_DEPTH at most, which the
 * scan of the document has enforced.
 */
#include "profile/project.h"

#include <string.h>

struct project_source project_source_of(const struct jscan *scan)
{
    bool breaks = memchr(scan->text, '\n', scan->length) != NULL || memchr(scan->text, '\r', scan->length) != NULL;
    return (struct project_source){.scan = scan, .has_breaks = breaks};
}

/* Appends JSON text without the white space between its tokens. */
static void copy_compact(const char *at, const char *end, struct str *out)
{
    const char *begin = at;
    bool quoted = false;

    while (at < end) {
        if (*at == '\\') {
            at += 2; /* only in strings, and never the last byte */
            continue;
        }
        if (*at == '"')
            quoted = !quoted;
        if (quoted || (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t')) {
            at++;
            continue;
        }
        str_append(out, begin, (size_t)(at - begin));
        begin = ++at;
    }
    str_append(out, begin, (size_t)(end - begin));
}

void project_copy(const struct project_source *source, uint32_t value, struct str *out)
{
    const struct jscan_node *node = &source->scan->node[value];
    const char *begin = source->scan->text + node->begin;
    const char *end = source->scan->text + node->end;

    if (node->type == JSCAN_STRING)
        str_append(out, begin - 1, (size_t)(end - begin) + 2);
    else if (source->has_breaks)
        copy_compact(begin, end, out);
    else
        str_append(out, begin, (size_t)(end - begin));
}

void project_name(const struct project_source *source, uint32_t name, struct str *out)
{
    project_copy(source, name, out);
    str_append_char(out, ':');
}

void project_undo(struct str *out, size_t length)
{
    if (out->data == NULL)
        return;
    out->length = length;
    out->data[length] = '\0';
}

static bool project_object(const struct project_source *source, uint32_t object, const struct projection *projection,
                           uint32_t tree, struct str *out)
{
    const struct jscan *scan = source->scan;
    size_t start = out->length;
    bool any = false;
    uint32_t name = object + 1;

    for (uint32_t i = 0; i < scan->node[object].count; i++) {
        uint32_t child = projection_child_of(projection, tree, scan, name);
        size_t before = out->length;
        if (child != 0) {
            str_append_char(out, any ? ',' : '{');
            project_name(source, name, out);
            if (project_value(source, name + 1, projection, child, out))
                any = true;
            else
                project_undo(out, before);
        }
        name = scan->node[name + 1].next;
    }
    if (any)
        str_append_char(out, '}');
    else
        project_undo(out, start);
    return any;
}

static bool project_array(const struct project_source *source, uint32_t array, const struct projection *projection,
                          uint32_t tree, struct str *out)
{
    const struct jscan *scan = source->scan;
    size_t start = out->length;
    bool any = false;
    uint32_t element = array + 1;

    for (uint32_t i = 0; i < scan->node[array].count; i++) {
        str_append_char(out, i == 0 ? '[' : ',');
        if (project_value(source, element, projection, tree, out))
            any = true;
        else
            str_append_text(out, "{}");
        element = scan->node[element].next;
    }
    if (any)
        str_append_char(out, ']');
    else
        project_undo(out, start);
    return any;
}

bool project_value(const struct project_source *source, uint32_t value, const struct projection *projection,
                   uint32_t tree, struct str *out)
{
    if (projection->node[tree].whole) {
        project_copy(source, value, out);
        return true;
    }
    switch (source->scan->node[value].type) {
    case JSCAN_OBJECT:
        return project_object(source, value, projection, tree, out);
    case JSCAN_ARRAY:
        return project_array(source, value, projection, tree, out);
    default:
        return false;
    }
}
