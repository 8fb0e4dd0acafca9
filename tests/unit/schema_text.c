/*
 * schema_text: a small reader of types. See schema_text.h.
 */
#include "schema_text.h"

#include <stdlib.h>
#include <string.h>

#include "profile/projection.h"
#include "lib/jscan.h"

static bool read_scalar(const struct jscan *scan, uint32_t at, enum rowschema_kind *kind)
{
    static const struct {
        const char *name;
        enum rowschema_kind kind;
    } known[] = {{"boolean", ROWSCHEMA_BOOLEAN}, {"integer", ROWSCHEMA_INTEGER}, {"number", ROWSCHEMA_NUMBER},
                 {"date-time", ROWSCHEMA_MOMENT}, {"string", ROWSCHEMA_STRING},  {"json", ROWSCHEMA_JSON}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *kind = known[i].kind;
        if (jscan_string_equals(scan, at, known[i].name, strlen(known[i].name)))
            return true;
    }
    return false;
}

static bool read_type(struct rowschema *schema, char **names, const struct jscan *scan, uint32_t node, uint32_t at);

static bool read_members(struct rowschema *schema, char **names, const struct jscan *scan, uint32_t node,
                         uint32_t object)
{
    uint32_t count = scan->node[object].count;
    uint32_t first = schema->count;
    uint32_t name = object + 1;
    schema->count += count;
    schema->node[node].kind = ROWSCHEMA_GROUP;
    schema->node[node].child = first;
    schema->node[node].children = count;
    for (uint32_t i = 0; i < count; i++, name = scan->node[name + 1].next) {
        schema->node[first + i].name = *names;
        schema->node[first + i].name_length = (uint32_t)jscan_string_copy(scan, name, *names);
        *names += schema->node[first + i].name_length + 1;
        if (!read_type(schema, names, scan, first + i, name + 1))
            return false;
    }
    return true;
}

static bool read_type(struct rowschema *schema, char **names, const struct jscan *scan, uint32_t node, uint32_t at)
{
    if (scan->node[at].type == JSCAN_STRING) {
        schema->leaves++;
        return read_scalar(scan, at, &schema->node[node].kind);
    }
    uint32_t object = jscan_member(scan, at, "object");
    uint32_t array = jscan_member(scan, at, "array");
    uint32_t map = jscan_member(scan, at, "map");
    if (object != 0)
        return read_members(schema, names, scan, node, object);
    if (array == 0 && map == 0)
        return false;
    schema->node[node].kind = array != 0 ? ROWSCHEMA_LIST : ROWSCHEMA_MAP;
    schema->node[node].child = schema->count++;
    schema->node[node].children = 1;
    schema->node[schema->node[node].child].name = "";
    schema->leaves += map != 0 ? 1 : 0;
    return read_type(schema, names, scan, schema->node[node].child, array != 0 ? array : map);
}

bool schema_text_read(struct rowschema *schema, const char *text, size_t length)
{
    struct jscan scan = JSCAN_INIT;
    *schema = ROWSCHEMA_INIT;
    if (jscan_document(&scan, text, length, PROJECTION_LIMITS) == JSCAN_OK) {
        schema->node = calloc(scan.count + 1, sizeof *schema->node);
        schema->names = calloc(1, 2 * length + 1);
    }
    bool good = schema->node != NULL && schema->names != NULL && scan.node[0].type == JSCAN_OBJECT;
    if (good) {
        char *names = schema->names;
        schema->node[0].name = "";
        schema->count = 1;
        good = read_members(schema, &names, &scan, 0, 0);
    }
    jscan_free(&scan);
    return good;
}

void schema_text_free(struct rowschema *schema)
{
    free(schema->node);
    free(schema->names);
    *schema = ROWSCHEMA_INIT;
}
