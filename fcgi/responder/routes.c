/*
 * routes: the table of paths and the matcher. See routes.h.
 */
#include "responder/routes.h"

#include <string.h>

#include "core/right.h"
#include "responder/handlers.h"
#include "responder/query.h"

#define CATALOG "/data/foundation/catalog"
#define UPS "/data/core/ups"
#define POLICIES UPS "/config/mergePolicies"
#define IMPORT "/data/foundation/import"
#define ACCESS "/data/foundation/export"
#define REGISTRY "/data/foundation/schemaregistry/tenant"
#define SANDBOXES "/data/foundation/sandbox-management/sandboxes"

static const struct route TABLE[] = {
    {METHOD_POST, CATALOG "/dataSets", ROUTE_TENANT, RIGHT_CATALOG_WRITE, ROUTE_BODY_JSON, dataset_handle_create, "dataset_create"},
    {METHOD_GET, CATALOG "/dataSets", ROUTE_TENANT, RIGHT_CATALOG_READ, ROUTE_BODY_NONE, dataset_handle_list, "dataset_list"},
    {METHOD_GET, CATALOG "/dataSets/*", ROUTE_TENANT, RIGHT_CATALOG_READ, ROUTE_BODY_NONE, dataset_handle_get, "dataset_get"},
    {METHOD_PATCH, CATALOG "/dataSets/*", ROUTE_TENANT, RIGHT_CATALOG_WRITE, ROUTE_BODY_JSON, dataset_handle_change, "dataset_change"},
    {METHOD_DELETE, CATALOG "/dataSets/*", ROUTE_TENANT, RIGHT_CATALOG_WRITE, ROUTE_BODY_NONE, dataset_handle_delete, "dataset_delete"},
    {METHOD_GET, CATALOG "/batches", ROUTE_TENANT, RIGHT_CATALOG_READ, ROUTE_BODY_NONE, batch_handle_list, "batch_list"},
    {METHOD_GET, CATALOG "/batches/*", ROUTE_TENANT, RIGHT_CATALOG_READ, ROUTE_BODY_NONE, batch_handle_get, "batch_get"},

    {METHOD_POST, UPS "/export/jobs", ROUTE_TENANT, RIGHT_EXPORT_WRITE, ROUTE_BODY_JSON, job_handle_create, "job_create"},
    {METHOD_GET, UPS "/export/jobs", ROUTE_TENANT, RIGHT_EXPORT_READ, ROUTE_BODY_NONE, job_handle_list, "job_list"},
    {METHOD_GET, UPS "/export/jobs/*", ROUTE_TENANT, RIGHT_EXPORT_READ, ROUTE_BODY_NONE, job_handle_get, "job_get"},
    {METHOD_DELETE, UPS "/export/jobs/*", ROUTE_TENANT, RIGHT_EXPORT_WRITE, ROUTE_BODY_NONE, job_handle_cancel, "job_cancel"},

    {METHOD_POST, POLICIES, ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_JSON, policy_handle_create, "policy_create"},
    {METHOD_GET, POLICIES, ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_NONE, policy_handle_list, "policy_list"},
    {METHOD_POST, POLICIES "/bulk-get", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_JSON, policy_handle_bulk_get, "policy_bulk_get"},
    {METHOD_GET, POLICIES "/*", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_NONE, policy_handle_get, "policy_get"},
    {METHOD_PUT, POLICIES "/*", ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_JSON, policy_handle_replace, "policy_replace"},
    {METHOD_PATCH, POLICIES "/*", ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_PATCH, policy_handle_patch, "policy_patch"},
    {METHOD_DELETE, POLICIES "/*", ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_NONE, policy_handle_delete, "policy_delete"},

    {METHOD_GET, UPS "/access/entities", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_NONE, entity_handle_get, "entity_get"},
    {METHOD_POST, UPS "/access/entities", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_JSON, entity_handle_get_many, "entity_get_many"},
    {METHOD_DELETE, UPS "/access/entities", ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_NONE, entity_handle_remove, "entity_remove"},

    {METHOD_POST, UPS "/system/jobs", ROUTE_TENANT, RIGHT_PROFILE_WRITE, ROUTE_BODY_JSON, system_job_handle_create, "system_job_create"},
    {METHOD_GET, UPS "/system/jobs", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_NONE, system_job_handle_list, "system_job_list"},
    {METHOD_GET, UPS "/system/jobs/*", ROUTE_TENANT, RIGHT_PROFILE_READ, ROUTE_BODY_NONE, system_job_handle_get, "system_job_get"},

    {METHOD_POST, IMPORT "/batches", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_JSON, import_handle_create, "import_create"},
    {METHOD_POST, IMPORT "/batches/*", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_NONE, import_handle_action, "import_action"},
    {METHOD_PUT, IMPORT "/batches/*/datasets/*/files/*", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_STREAM, import_handle_put_file, "import_put"},
    {METHOD_PATCH, IMPORT "/batches/*/datasets/*/files/*", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_STREAM, import_handle_patch_file, "import_patch"},

    {METHOD_POST, IMPORT "/collection/*", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_JSON, collection_handle_one, "collection_put"},
    {METHOD_POST, IMPORT "/collection/batch/*", ROUTE_TENANT, RIGHT_INGEST_WRITE, ROUTE_BODY_JSON, collection_handle_batch, "collection_batch"},

    {METHOD_GET, ACCESS "/batches/*/files", ROUTE_TENANT, RIGHT_FILES_READ, ROUTE_BODY_NONE, file_handle_list, "file_list"},
    {METHOD_GET, ACCESS "/batches/*/meta", ROUTE_TENANT, RIGHT_FILES_READ, ROUTE_BODY_NONE, file_handle_meta, "file_meta"},
    {METHOD_GET, ACCESS "/batches/*/failed", ROUTE_TENANT, RIGHT_FILES_READ, ROUTE_BODY_NONE, file_handle_failed, "file_failed"},
    {METHOD_GET, ACCESS "/files/*", ROUTE_TENANT, RIGHT_FILES_READ, ROUTE_BODY_NONE, file_handle_get, "file_get"},
    {METHOD_GET, ACCESS "/datasets/*/preview", ROUTE_TENANT, RIGHT_FILES_READ, ROUTE_BODY_NONE, preview_handle_get, "dataset_preview"},

    {METHOD_GET, SANDBOXES, ROUTE_TENANT, 0, ROUTE_BODY_NONE, sandbox_handle_list, "sandbox_list"},
    {METHOD_GET, SANDBOXES "/*", ROUTE_TENANT, 0, ROUTE_BODY_NONE, sandbox_handle_get, "sandbox_get"},

    {METHOD_POST, REGISTRY "/schemas", ROUTE_TENANT, RIGHT_SCHEMA_WRITE, ROUTE_BODY_JSON, schema_handle_create, "schema_create"},
    {METHOD_GET, REGISTRY "/schemas", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, schema_handle_list, "schema_list"},
    {METHOD_GET, REGISTRY "/schemas/*", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, schema_handle_get, "schema_get"},
    {METHOD_POST, REGISTRY "/descriptors", ROUTE_TENANT, RIGHT_SCHEMA_WRITE, ROUTE_BODY_JSON, descriptor_handle_create, "descriptor_create"},
    {METHOD_GET, REGISTRY "/descriptors", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, descriptor_handle_list, "descriptor_list"},
    {METHOD_GET, REGISTRY "/descriptors/*", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, descriptor_handle_get, "descriptor_get"},
    {METHOD_GET, REGISTRY "/unions", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, union_handle_list, "union_list"},
    {METHOD_GET, REGISTRY "/unions/*", ROUTE_TENANT, RIGHT_SCHEMA_READ, ROUTE_BODY_NONE, union_handle_get, "union_get"},

    {METHOD_POST, "/ims/token/v3", ROUTE_PUBLIC, 0, ROUTE_BODY_FORM, ims_handle_token, "token"},
    {METHOD_GET, "/ims/jwks", ROUTE_PUBLIC, 0, ROUTE_BODY_NONE, ims_handle_jwks, "jwks"},

    {METHOD_GET, "/health", ROUTE_OPS, 0, ROUTE_BODY_NONE, ops_handle_health, "health"},
    {METHOD_GET, "/ready", ROUTE_OPS, 0, ROUTE_BODY_NONE, ops_handle_ready, "ready"},
    {METHOD_GET, "/metrics", ROUTE_OPS, 0, ROUTE_BODY_NONE, ops_handle_metrics, "metrics"},
};
#define ROUTE_COUNT (sizeof TABLE / sizeof *TABLE)

struct route_span {
    const char *text;
    size_t length;
};

/* Whether the path fits the pattern, segment by segment; the variable ones go to `out`. A variable
 * segment is never empty, and never "." or "..": nginx resolves those, and so would a reader. */
static bool routes_fit(const char *pattern, const char *path, struct route_span out[CALL_SEGMENTS_MAX])
{
    int variables = 0;
    memset(out, 0, CALL_SEGMENTS_MAX * sizeof *out); /* nothing of an earlier try */
    while (*pattern == '/' && *path == '/') {
        size_t wanted = strcspn(++pattern, "/"), got = strcspn(++path, "/");
        if (wanted == 1 && *pattern == '*') {
            bool dots = (got == 1 || got == 2) && strspn(path, ".") >= got;
            if (got == 0 || dots)
                return false;
            out[variables++] = (struct route_span){path, got};
        } else if (wanted != got || memcmp(pattern, path, got) != 0) {
            return false;
        }
        pattern += wanted;
        path += got;
    }
    return *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

static bool routes_serves(const struct route *route, enum method method)
{
    return route->method == method || (route->method == METHOD_GET && method == METHOD_HEAD);
}

/* As in an Allow header: a route for GET serves HEAD too. */
static const char *const METHOD_NAMES[] = {[METHOD_GET] = "GET, HEAD", [METHOD_POST] = "POST", [METHOD_PUT] = "PUT",
                                           [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE"};

/* The value of Allow for every route with this pattern. */
static const char *routes_allow(struct call *c, const char *pattern)
{
    const char *allow = NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (strcmp(TABLE[i].pattern, pattern) == 0)
            allow = allow == NULL ? METHOD_NAMES[TABLE[i].method]
                                  : arena_printf(c->arena, "%s, %s", allow, METHOD_NAMES[TABLE[i].method]);
    }
    return allow;
}

enum route_match routes_match(struct call *c, const char **allow)
{
    struct route_span span[CALL_SEGMENTS_MAX] = {{NULL, 0}};
    const struct route *other = NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = &TABLE[i];
        if ((route->gate == ROUTE_OPS) != c->request.ops || !routes_fit(route->pattern, c->request.path, span))
            continue;
        /* a path that is named in full is no id: it comes first in the table */
        if (other != NULL && strchr(other->pattern, '*') == NULL && strcmp(other->pattern, route->pattern) != 0)
            break;
        other = route;
        if (!routes_serves(route, c->request.method))
            continue;
        c->route = route;
        for (int s = 0; s < CALL_SEGMENTS_MAX && span[s].text != NULL; s++) {
            c->segment[s] = query_decode(c->arena, span[s].text, span[s].length, false);
            if (c->segment[s] == NULL || strcmp(c->segment[s], ".") == 0 || strcmp(c->segment[s], "..") == 0)
                return ROUTE_NO_PATH;
        }
        return ROUTE_FOUND;
    }
    if (other == NULL)
        return ROUTE_NO_PATH;
    *allow = routes_allow(c, other->pattern);
    return ROUTE_NO_METHOD;
}

int routes_count(void)
{
    return ROUTE_COUNT;
}

int routes_number(const struct route *route)
{
    return route == NULL ? (int)ROUTE_COUNT : (int)(route - TABLE);
}

const char *routes_name(int number)
{
    return TABLE[number].name;
}

void routes_print_table(FILE *out)
{
    fprintf(out, "| method | path | right |\n|---|---|---|\n");
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *r = &TABLE[i];
        const char *right = r->gate == ROUTE_TENANT && r->right != 0 ? right_name((enum right)r->right) : NULL;
        const char *words = r->gate == ROUTE_TENANT ? "any" : r->gate == ROUTE_OPS ? "operators' listener only" : "none";
        fprintf(out, "| %s | `%s` | %s%s%s |\n", METHOD_NAMES[r->method], r->pattern, right != NULL ? "`" : "",
                right != NULL ? right : words, right != NULL ? "`" : "");
    }
}
