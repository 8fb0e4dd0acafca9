/*
 * schema_lookup: members of a compiled schema by their names.
 */
#include <string.h>

#include "lib/jscan_name.h"
#include "profile/schema_internal.h"

uint32_t schema_member(const struct schema *schema, uint32_t parent, const char *name, size_t length)
{
    uint32_t low = schema->node[parent].member, high = low + schema->node[parent].members;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct schema_node *node = &schema->node[middle];
        int order = memcmp(name, node->name, length < node->name_length ? length : node->name_length);
        if (order == 0 && length == node->name_length)
            return middle;
        if (order > 0 || (order == 0 && length > node->name_length))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint32_t schema_member_of(const struct schema *schema, uint32_t parent, const struct jscan *scan, uint32_t name)
{
    uint32_t low = schema->node[parent].member, high = low + schema->node[parent].members;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct schema_node *node = &schema->node[middle];
        int order = jscan_string_compare(scan, name, node->name, node->name_length);
        if (order == 0)
            return middle;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

unsigned schema_types_at(const struct schema *schema, const char *path, size_t length)
{
    uint32_t at = 0;
    if (schema == NULL)
        return 0;
    for (const char *end = path + length;; path++) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        const char *stop = dot == NULL ? end : dot;
        uint32_t member = schema_member(schema, at, path, (size_t)(stop - path));
        at = member != 0 ? member : schema->node[at].value;
        if (at == 0 || dot == NULL)
            return at == 0 ? 0 : schema->node[at].types;
        path = dot;
    }
}
