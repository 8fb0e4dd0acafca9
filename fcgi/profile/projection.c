/*
 * projection: compiling and searching the tree of selected names. See projection.h.
 *
 * The dots of the paths become NUL bytes in a copy of the string, which sorts every path directly
 * before its extensions; a name cannot hold a NUL. The tree is then cut out of the sorted paths
 * level by level: each node owns a range of them. No recursion, so that a path of 30,000 segments
 * is as harmless as any other.
 */
#include "profile/projection.h"

#include <stdlib.h>
#include <string.h>

#include "profile/project.h"
#include "lib/jscan_name.h"

struct path {
    const char *bytes; /* segments, a NUL between them */
    size_t length;
};

/* The paths that a tree node stands for: they agree in their first `depth` bytes. */
struct range {
    uint32_t first;
    uint32_t end;
    size_t depth;
};

static enum fault refuse(struct projection_error *error, size_t offset, const char *reason)
{
    *error = (struct projection_error){offset, reason};
    return FAULT_MALFORMED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Checks the path of bytes [begin, end) of the string at `names` and cuts it into segments. */
static enum fault split_path(char *names, size_t begin, size_t end, struct projection_error *error)
{
    size_t segment = begin;
    if (begin == end)
        return refuse(error, begin, "empty path");
    for (size_t i = begin; i < end; i++) {
        unsigned char c = (unsigned char)names[i];
        if (c < 0x20 || c == 0x7f)
            return refuse(error, i, "control character in a path");
        if (c != '.')
            continue;
        if (i == segment)
            return refuse(error, i, "empty name in a path");
        names[i] = '\0';
        segment = i + 1;
    }
    if (segment == end)
        return refuse(error, end - 1, "path ends with a dot");
    return FAULT_NONE;
}

/* Cuts the string into paths; at most PROJECTION_MAX_PATHS. */
static enum fault split_paths(char *names, size_t length, struct path *path, uint32_t *count,
                              struct projection_error *error)
{
    size_t begin = 0;
    *count = 0;
    for (;;) {
        const char *comma = memchr(names + begin, ',', length - begin);
        size_t next = comma == NULL ? length : (size_t)(comma - names);
        size_t end = next;
        while (begin < end && is_blank(names[begin]))
            begin++;
        while (end > begin && is_blank(names[end - 1]))
            end--;
        if (*count == PROJECTION_MAX_PATHS)
            return refuse(error, begin, "too many paths");
        enum fault fault = split_path(names, begin, end, error);
        if (fault != FAULT_NONE)
            return fault;
        path[(*count)++] = (struct path){names + begin, end - begin};
        if (next == length)
            return FAULT_NONE;
        begin = next + 1;
    }
}

static int compare_paths(const void *a, const void *b)
{
    const struct path *x = a;
    const struct path *y = b;
    int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* The length of the name that begins at byte `depth` of the path. */
static size_t name_length(const struct path *path, size_t depth)
{
    return strnlen(path->bytes + depth, path->length - depth);
}

/* Gives `parent` its children: one for each different name at its depth. */
static void cut_children(struct projection *projection, struct range *range, uint32_t parent, const struct path *path)
{
    struct projection_node *node = &projection->node[parent];
    struct range own = range[parent];

    /* The shortest path of the range comes first. It ends here: the path before its dot. */
    if (own.depth > path[own.first].length) {
        node->whole = true;
        return;
    }
    node->child = projection->count;
    uint32_t first = own.first;
    while (first < own.end) {
        const char *name = path[first].bytes + own.depth;
        size_t length = name_length(&path[first], own.depth);
        uint32_t end = first + 1;
        while (end < own.end && name_length(&path[end], own.depth) == length &&
               memcmp(path[end].bytes + own.depth, name, length) == 0)
            end++;
        range[projection->count] = (struct range){first, end, own.depth + length + 1};
        projection->node[projection->count++] =
            (struct projection_node){.name = (uint32_t)(name - projection->names), .name_length = (uint32_t)length};
        first = end;
    }
    node->children = projection->count - node->child;
}

static enum fault build_tree(struct projection *projection, struct path *path, uint32_t count, size_t most_nodes)
{
    struct range *range = malloc(most_nodes * sizeof *range);
    projection->node = calloc(most_nodes, sizeof *projection->node);
    if (range == NULL || projection->node == NULL) {
        free(range);
        return FAULT_MEMORY;
    }
    qsort(path, count, sizeof *path, compare_paths);
    projection->count = 1;
    range[0] = (struct range){0, count, 0};
    for (uint32_t i = 0; i < projection->count; i++)
        cut_children(projection, range, i, path);
    free(range);
    return FAULT_NONE;
}

static enum fault compile_paths(struct projection *projection, const char *fields, size_t length,
                                struct projection_error *error)
{
    struct path path[PROJECTION_MAX_PATHS];
    uint32_t count;
    size_t most_nodes = 2;

    projection->names = malloc(length);
    if (projection->names == NULL)
        return FAULT_MEMORY;
    memcpy(projection->names, fields, length);
    enum fault fault = split_paths(projection->names, length, path, &count, error);
    if (fault != FAULT_NONE)
        return fault;
    for (size_t i = 0; i < length; i++)
        most_nodes += fields[i] == '.' || fields[i] == ',';
    return build_tree(projection, path, count, most_nodes);
}

enum fault projection_compile(struct projection *projection, const char *fields, size_t length,
                              struct projection_error *error)
{
    size_t blank = 0;
    *projection = PROJECTION_INIT;
    *error = (struct projection_error){0, ""};
    if (length > PROJECTION_MAX_BYTES)
        return refuse(error, PROJECTION_MAX_BYTES, "too long");
    while (blank < length && is_blank(fields[blank]))
        blank++;
    if (blank < length)
        return compile_paths(projection, fields, length, error);
    projection->node = calloc(1, sizeof *projection->node);
    if (projection->node == NULL)
        return FAULT_MEMORY;
    projection->count = 1;
    projection->node[0].whole = true;
    return FAULT_NONE;
}

void projection_free(struct projection *projection)
{
    free(projection->node);
    free(projection->names);
    *projection = PROJECTION_INIT;
}

bool projection_is_all(const struct projection *projection)
{
    return projection->node[0].whole;
}

uint32_t projection_child(const struct projection *projection, uint32_t parent, const char *name, size_t length)
{
    uint32_t low = projection->node[parent].child;
    uint32_t high = low + projection->node[parent].children;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct projection_node *node = &projection->node[middle];
        size_t common = node->name_length < length ? node->name_length : length;
        int order = memcmp(name, projection->names + node->name, common);
        if (order == 0)
            order = (length > node->name_length) - (length < node->name_length);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

uint32_t projection_child_of(const struct projection *projection, uint32_t parent, const struct jscan *scan,
                             uint32_t name)
{
    uint32_t low = projection->node[parent].child;
    uint32_t high = low + projection->node[parent].children;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct projection_node *node = &projection->node[middle];
        int order = jscan_string_compare(scan, name, projection->names + node->name, node->name_length);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

/* Whether the projection has the leaf `name` under `parent`, or all of parent. */
static bool selects_leaf(const struct projection *projection, uint32_t parent, const char *name)
{
    if (projection->node[parent].whole)
        return true;
    uint32_t child = projection_child(projection, parent, name, strlen(name));
    return child != 0 && projection->node[child].whole;
}

struct projection_view projection_view(const struct projection *projection)
{
    struct projection_view view = {false, false, false};
    uint32_t identities = projection_child(projection, 0, "identities", strlen("identities"));
    if (identities == 0)
        return view;
    uint32_t space = projection_child(projection, identities, "namespace", strlen("namespace"));
    view.id = selects_leaf(projection, identities, "id");
    view.primary = selects_leaf(projection, identities, "primary");
    view.code = projection->node[identities].whole || (space != 0 && selects_leaf(projection, space, "code"));
    return view;
}

enum fault projection_write_document(const struct projection *projection, struct jscan *scan, const char *body,
                                     size_t length, struct str *out)
{
    if (jscan_document(scan, body, length, PROJECTION_LIMITS) != JSCAN_OK || scan->node[0].type != JSCAN_OBJECT)
        return FAULT_INTERNAL;
    struct project_source source = project_source_of(scan);
    if (!project_value(&source, 0, projection, 0, out))
        str_append_text(out, "{}");
    return out->overflow ? FAULT_MEMORY : FAULT_NONE;
}
