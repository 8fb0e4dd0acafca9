/*
 * catalog_list: what the lists of datasets and batches share. See catalog_list.h.
 */
#include "responder/catalog_list.h"

#include <string.h>

#include "core/ident.h"

#define CATALOG_LIMIT_DEFAULT 20
#define CATALOG_LIMIT_MOST 100
#define CATALOG_START_MOST INT64_C(1000000000)

enum fault catalog_query(struct call *c, struct query *out)
{
    if (query_parse(c->arena, c->request.query, out))
        return FAULT_NONE;
    return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
}

enum fault catalog_read_one(struct call *c, size_t digits, const struct stmt *stmt, struct db_rows *rows,
                            const char **properties)
{
    struct query q;
    const char *const params[] = {c->segment[0]};
    enum fault fault = catalog_query(c, &q);
    if (fault != FAULT_NONE)
        return fault;
    *properties = query_get(&q, "properties");
    if (!ident_is_hex(c->segment[0], digits))
        return FAULT_NOT_FOUND;
    fault = call_db(c, stmt, params, 1, rows);
    return fault == FAULT_NONE && rows->count != 1 ? FAULT_NOT_FOUND : fault;
}

/* orderBy is <asc|desc>:<created|updated|name>. */
static bool catalog_read_order(const char *text, bool by_name, struct catalog_list *out)
{
    static const char *const FIELDS[CATALOG_SORT_COUNT] = {"created", "updated", "name"};
    if (strncmp(text, "asc:", 4) == 0)
        out->descending = false;
    else if (strncmp(text, "desc:", 5) == 0)
        out->descending = true;
    else
        return false;
    text += out->descending ? 5 : 4;
    int count = by_name ? CATALOG_SORT_COUNT : CATALOG_SORT_NAME;
    for (int i = 0; i < count; i++) {
        if (strcmp(FIELDS[i], text) == 0) {
            out->sort = (enum catalog_sort)i;
            return true;
        }
    }
    return false;
}

enum fault catalog_list_read(struct call *c, const struct query *q, bool by_name, struct catalog_list *out)
{
    *out = (struct catalog_list){.limit = CATALOG_LIMIT_DEFAULT, .sort = CATALOG_SORT_CREATED, .descending = true};
    const char *limit = query_get(q, "limit"), *start = query_get(q, "start"), *order = query_get(q, "orderBy");
    if (limit != NULL && !query_number(limit, 1, CATALOG_LIMIT_MOST, &out->limit))
        return call_refuse(c, FAULT_MALFORMED, NULL, "limit: a number from 1 to 100");
    if (start != NULL && !query_number(start, 0, CATALOG_START_MOST, &out->start))
        return call_refuse(c, FAULT_MALFORMED, NULL, "start: a number of rows from 0");
    if (order != NULL && !catalog_read_order(order, by_name, out))
        return call_refuse(c, FAULT_MALFORMED, NULL,
                           by_name ? "orderBy: asc or desc, a colon, then created, updated or name"
                                   : "orderBy: asc or desc, a colon, then created or updated");
    out->properties = query_get(q, "properties");
    return FAULT_NONE;
}

bool catalog_listed(const char *list, const char *name)
{
    size_t wanted = strlen(name);
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (length == wanted && strncmp(list, name, length) == 0)
            return true;
        list += length + (list[length] != '\0');
    }
    return false;
}

void catalog_keep_properties(struct json_object *object, const char *properties)
{
    if (properties == NULL || *properties == '\0')
        return;
    struct json_object_iterator at = json_object_iter_begin(object), end = json_object_iter_end(object);
    const char *dropped[64];
    int count = 0;
    for (; !json_object_iter_equal(&at, &end) && count < 64; json_object_iter_next(&at)) {
        if (!catalog_listed(properties, json_object_iter_peek_name(&at)))
            dropped[count++] = json_object_iter_peek_name(&at);
    }
    for (int i = 0; i < count; i++)
        json_object_object_del(object, dropped[i]);
}

void catalog_add_tenant(struct call *c, struct json_object *object)
{
    jsonio_add_text(object, "imsOrg", c->scope.ims_org_id);
    jsonio_add_text(object, "sandboxId", c->scope.sandbox_name);
}
