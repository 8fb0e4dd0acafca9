/*
 * policy_document: merge policies as clients see them. See policy_document.h.
 */
#include "responder/policy_document.h"

#include <string.h>

#include "core/stmt_api.h"

enum fault policy_view_read(struct call *c, const struct db_rows *rows, int row, struct policy_view *out)
{
    *out = (struct policy_view){.id = db_text(rows, row, POLICY_ID),
                                .name = db_null(rows, row, POLICY_NAME) ? NULL : db_text(rows, row, POLICY_NAME),
                                .version = db_int(rows, row, POLICY_VERSION),
                                .active_on_edge = db_bool(rows, row, POLICY_ACTIVE_ON_EDGE),
                                .is_default = db_bool(rows, row, POLICY_DEFAULT),
                                .updated_ms = db_int(rows, row, POLICY_UPDATED)};
    return policy_read(c->arena, db_text(rows, row, POLICY_RULES), &out->rules);
}

enum fault policy_views_load(struct call *c, int64_t version, struct policy_view **views, int *count)
{
    struct db_rows rows;
    const char *const params[] = {version == 0 ? NULL : arena_int(c->arena, version)};
    bool default_taken = false;
    enum fault fault = call_db(c, &STMT_POLICY_LIST, params, 1, &rows);
    if (fault != FAULT_NONE)
        return fault;
    struct policy_view *all = arena_alloc(c->arena, ((size_t)rows.count + 1) * sizeof *all);
    if (all == NULL)
        return FAULT_MEMORY;
    for (int i = 0; i < rows.count; i++)
        default_taken = default_taken || db_bool(&rows, i, POLICY_DEFAULT);
    *count = 0;
    if (version <= 1)
        all[(*count)++] = (struct policy_view){
            .id = POLICY_BUILT_IN, .name = POLICY_BUILT_IN, .version = 1, .is_default = !default_taken};
    for (int i = 0; i < rows.count; i++) {
        if (db_null(&rows, i, POLICY_VERSION))
            continue;
        fault = policy_view_read(c, &rows, i, &all[(*count)++]);
        if (fault != FAULT_NONE)
            return fault;
    }
    *views = all;
    return FAULT_NONE;
}

const struct policy_view *policy_views_find(const struct policy_view *views, int count, const char *id)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(views[i].id, id) == 0)
            return &views[i];
    }
    return NULL;
}

/* {"<member>": "<value>"} */
static struct json_object *policy_pair(const char *member, const char *value)
{
    struct json_object *pair = json_object_new_object();
    jsonio_add_text(pair, member, value);
    return pair;
}

static struct json_object *policy_merge(const struct policy *rules)
{
    struct json_object *merge = policy_pair("type", rules->precedence ? "dataSetPrecedence" : "timestampOrdered");
    if (!rules->precedence)
        return merge;
    struct json_object *order = json_object_new_array();
    for (uint32_t i = 0; i < rules->datasets; i++)
        json_object_array_add(order, json_object_new_string(rules->dataset[i]));
    json_object_object_add(merge, "order", order);
    return merge;
}

struct json_object *policy_document(const struct call *c, const struct policy_view *view)
{
    struct json_object *d = json_object_new_object();
    if (d == NULL)
        return NULL;
    jsonio_add_text(d, "id", view->id);
    jsonio_add_text(d, "name", view->name);
    jsonio_add_text(d, "imsOrgId", c->scope.ims_org_id);
    struct json_object *sandbox = policy_pair("sandboxId", c->scope.sandbox_name);
    jsonio_add_text(sandbox, "sandboxName", c->scope.sandbox_name);
    json_object_object_add(d, "sandbox", sandbox);
    json_object_object_add(d, "schema", policy_pair("name", POLICY_CLASS));
    jsonio_add_int(d, "version", view->version);
    json_object_object_add(d, "identityGraph", policy_pair("type", view->rules.graph ? "pdg" : "none"));
    json_object_object_add(d, "attributeMerge", policy_merge(&view->rules));
    json_object_object_add(d, "isActiveOnEdge", json_object_new_boolean(view->active_on_edge));
    json_object_object_add(d, "default", json_object_new_boolean(view->is_default));
    jsonio_add_int(d, "updateEpoch", view->updated_ms / 1000); /* the reference counts seconds here */
    return d;
}
