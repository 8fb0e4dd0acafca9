/*
 * test_routes: which path and method is which route, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* the responder is no part of the archive */
#include "responder/query.c"
#include "responder/routes.c"

#define N(array) (sizeof(array) / sizeof(array)[0])

/* The handlers: routes only keeps their addresses. */
#define HANDLER(name)                                                                                                  \
    enum fault name(struct call *c)                                                                                    \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        return FAULT_NONE;                                                                                             \
    }
HANDLER(dataset_handle_create)
HANDLER(dataset_handle_list)
HANDLER(dataset_handle_get)
HANDLER(dataset_handle_change)
HANDLER(dataset_handle_delete)
HANDLER(system_job_handle_create)
HANDLER(system_job_handle_list)
HANDLER(system_job_handle_get)
HANDLER(batch_handle_list)
HANDLER(batch_handle_get)
HANDLER(import_handle_create)
HANDLER(import_handle_action)
HANDLER(import_handle_put_file)
HANDLER(import_handle_patch_file)
HANDLER(collection_handle_one)
HANDLER(collection_handle_batch)
HANDLER(job_handle_create)
HANDLER(job_handle_get)
HANDLER(job_handle_cancel)
HANDLER(job_handle_list)
HANDLER(policy_handle_create)
HANDLER(policy_handle_list)
HANDLER(policy_handle_get)
HANDLER(policy_handle_replace)
HANDLER(policy_handle_patch)
HANDLER(policy_handle_delete)
HANDLER(policy_handle_bulk_get)
HANDLER(schema_handle_create)
HANDLER(schema_handle_list)
HANDLER(schema_handle_get)
HANDLER(descriptor_handle_create)
HANDLER(descriptor_handle_list)
HANDLER(descriptor_handle_get)
HANDLER(union_handle_list)
HANDLER(union_handle_get)
HANDLER(entity_handle_get)
HANDLER(entity_handle_get_many)
HANDLER(entity_handle_remove)
HANDLER(file_handle_list)
HANDLER(file_handle_meta)
HANDLER(file_handle_failed)
HANDLER(file_handle_get)
HANDLER(preview_handle_get)
HANDLER(sandbox_handle_list)
HANDLER(sandbox_handle_get)
HANDLER(ims_handle_token)
HANDLER(ims_handle_jwks)
HANDLER(ops_handle_health)
HANDLER(ops_handle_ready)
HANDLER(ops_handle_metrics)

static struct arena *arena;
static struct call call;
static const char *allow;

static enum route_match match(enum method method, const char *path, bool ops)
{
    arena_reset(arena);
    memset(&call, 0, sizeof call);
    call.arena = arena;
    call.request.method = method;
    call.request.path = path;
    call.request.ops = ops;
    allow = NULL;
    return routes_match(&call, &allow);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(65536);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#define POLICY_METHODS "GET, HEAD, PUT, PATCH, DELETE"

/* contract.md section 1, as far as this version serves it */
static const struct {
    enum method method;
    const char *path;
    const char *name;
    unsigned right;
    const char *segment[CALL_SEGMENTS_MAX];
    const char *allow; /* for a method that the path does not have */
    bool ops;
} ROUTES[] = {
    {METHOD_POST, CATALOG "/dataSets", "dataset_create", RIGHT_CATALOG_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, CATALOG "/dataSets", "dataset_list", RIGHT_CATALOG_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, CATALOG "/dataSets/d1", "dataset_get", RIGHT_CATALOG_READ, {"d1"}, "GET, HEAD, PATCH, DELETE", false},
    {METHOD_PATCH, CATALOG "/dataSets/d1", "dataset_change", RIGHT_CATALOG_WRITE, {"d1"}, "GET, HEAD, PATCH, DELETE", false},
    {METHOD_DELETE, CATALOG "/dataSets/d1", "dataset_delete", RIGHT_CATALOG_WRITE, {"d1"}, "GET, HEAD, PATCH, DELETE", false},
    {METHOD_GET, CATALOG "/batches", "batch_list", RIGHT_CATALOG_READ, {0}, "GET, HEAD", false},
    {METHOD_GET, CATALOG "/batches/b1", "batch_get", RIGHT_CATALOG_READ, {"b1"}, "GET, HEAD", false},
    {METHOD_POST, UPS "/export/jobs", "job_create", RIGHT_EXPORT_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, UPS "/export/jobs", "job_list", RIGHT_EXPORT_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, UPS "/export/jobs/24115", "job_get", RIGHT_EXPORT_READ, {"24115"}, "GET, HEAD, DELETE", false},
    {METHOD_DELETE, UPS "/export/jobs/24115", "job_cancel", RIGHT_EXPORT_WRITE, {"24115"}, "GET, HEAD, DELETE", false},
    {METHOD_POST, POLICIES, "policy_create", RIGHT_PROFILE_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, POLICIES, "policy_list", RIGHT_PROFILE_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_POST, POLICIES "/bulk-get", "policy_bulk_get", RIGHT_PROFILE_READ, {0}, "POST", false},
    {METHOD_GET, POLICIES "/p1", "policy_get", RIGHT_PROFILE_READ, {"p1"}, POLICY_METHODS, false},
    {METHOD_PUT, POLICIES "/p1", "policy_replace", RIGHT_PROFILE_WRITE, {"p1"}, POLICY_METHODS, false},
    {METHOD_PATCH, POLICIES "/p1", "policy_patch", RIGHT_PROFILE_WRITE, {"p1"}, POLICY_METHODS, false},
    {METHOD_DELETE, POLICIES "/p1", "policy_delete", RIGHT_PROFILE_WRITE, {"p1"}, POLICY_METHODS, false},
    {METHOD_GET, UPS "/access/entities", "entity_get", RIGHT_PROFILE_READ, {0}, "GET, HEAD, POST, DELETE", false},
    {METHOD_POST, UPS "/access/entities", "entity_get_many", RIGHT_PROFILE_READ, {0}, "GET, HEAD, POST, DELETE", false},
    {METHOD_DELETE, UPS "/access/entities", "entity_remove", RIGHT_PROFILE_WRITE, {0}, "GET, HEAD, POST, DELETE", false},
    {METHOD_POST, UPS "/system/jobs", "system_job_create", RIGHT_PROFILE_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, UPS "/system/jobs", "system_job_list", RIGHT_PROFILE_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, UPS "/system/jobs/j1", "system_job_get", RIGHT_PROFILE_READ, {"j1"}, "GET, HEAD", false},
    {METHOD_POST, IMPORT "/batches", "import_create", RIGHT_INGEST_WRITE, {0}, "POST", false},
    {METHOD_POST, IMPORT "/batches/b1", "import_action", RIGHT_INGEST_WRITE, {"b1"}, "POST", false},
    {METHOD_PUT, IMPORT "/batches/b1/datasets/d1/files/f.json", "import_put", RIGHT_INGEST_WRITE, {"b1", "d1", "f.json"}, "PUT, PATCH", false},
    {METHOD_PATCH, IMPORT "/batches/b1/datasets/d1/files/f.json", "import_patch", RIGHT_INGEST_WRITE, {"b1", "d1", "f.json"}, "PUT, PATCH", false},
    {METHOD_POST, IMPORT "/collection/d1", "collection_put", RIGHT_INGEST_WRITE, {"d1"}, "POST", false},
    {METHOD_POST, IMPORT "/collection/batch/d1", "collection_batch", RIGHT_INGEST_WRITE, {"d1"}, "POST", false},
    {METHOD_GET, ACCESS "/batches/b1/files", "file_list", RIGHT_FILES_READ, {"b1"}, "GET, HEAD", false},
    {METHOD_GET, ACCESS "/batches/b1/meta", "file_meta", RIGHT_FILES_READ, {"b1"}, "GET, HEAD", false},
    {METHOD_GET, ACCESS "/batches/b1/failed", "file_failed", RIGHT_FILES_READ, {"b1"}, "GET, HEAD", false},
    {METHOD_GET, ACCESS "/files/f1", "file_get", RIGHT_FILES_READ, {"f1"}, "GET, HEAD", false},
    {METHOD_GET, ACCESS "/datasets/d1/preview", "dataset_preview", RIGHT_FILES_READ, {"d1"}, "GET, HEAD", false},
    {METHOD_GET, SANDBOXES, "sandbox_list", 0, {0}, "GET, HEAD", false},
    {METHOD_GET, SANDBOXES "/prod", "sandbox_get", 0, {"prod"}, "GET, HEAD", false},
    {METHOD_POST, REGISTRY "/schemas", "schema_create", RIGHT_SCHEMA_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, REGISTRY "/schemas", "schema_list", RIGHT_SCHEMA_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, REGISTRY "/schemas/https%3A%2F%2Fns.adobe.com%2Fa%2Fschemas%2F0f", "schema_get", RIGHT_SCHEMA_READ,
     {"https://ns.adobe.com/a/schemas/0f"}, "GET, HEAD", false},
    {METHOD_POST, REGISTRY "/descriptors", "descriptor_create", RIGHT_SCHEMA_WRITE, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, REGISTRY "/descriptors", "descriptor_list", RIGHT_SCHEMA_READ, {0}, "POST, GET, HEAD", false},
    {METHOD_GET, REGISTRY "/descriptors/0f", "descriptor_get", RIGHT_SCHEMA_READ, {"0f"}, "GET, HEAD", false},
    {METHOD_GET, REGISTRY "/unions", "union_list", RIGHT_SCHEMA_READ, {0}, "GET, HEAD", false},
    {METHOD_GET, REGISTRY "/unions/u", "union_get", RIGHT_SCHEMA_READ, {"u"}, "GET, HEAD", false},
    {METHOD_POST, "/ims/token/v3", "token", 0, {0}, "POST", false},
    {METHOD_GET, "/ims/jwks", "jwks", 0, {0}, "GET, HEAD", false},
    {METHOD_GET, "/health", "health", 0, {0}, "GET, HEAD", true},
    {METHOD_GET, "/ready", "ready", 0, {0}, "GET, HEAD", true},
    {METHOD_GET, "/metrics", "metrics", 0, {0}, "GET, HEAD", true},
};

static void assert_found(size_t i, enum method method, const char *path)
{
    if (match(method, path, ROUTES[i].ops) != ROUTE_FOUND)
        fail_msg("not found: %s", path);
    assert_string_equal(call.route->name, ROUTES[i].name);
    assert_int_equal(call.route->right, ROUTES[i].right);
    for (int s = 0; s < CALL_SEGMENTS_MAX; s++) {
        if (ROUTES[i].segment[s] == NULL)
            assert_null(call.segment[s]);
        else
            assert_string_equal(call.segment[s], ROUTES[i].segment[s]);
    }
}

static void finds_every_route(void **state)
{
    char path[256];
    (void)state;
    for (size_t i = 0; i < N(ROUTES); i++) {
        assert_found(i, ROUTES[i].method, ROUTES[i].path);
        snprintf(path, sizeof path, "%s/", ROUTES[i].path);
        assert_found(i, ROUTES[i].method, path);
        if (ROUTES[i].method == METHOD_GET)
            assert_found(i, METHOD_HEAD, path);
    }
}

/* Every row of the program's table is asked for above, and the tenant's gate stands before all of /data/. */
static void knows_the_whole_table(void **state)
{
    (void)state;
    assert_int_equal(N(ROUTES), ROUTE_COUNT);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        bool data = strncmp(TABLE[i].pattern, "/data/", 6) == 0;
        assert_int_equal(TABLE[i].gate == ROUTE_TENANT, data);
        assert_int_equal(TABLE[i].right != 0, data && strncmp(TABLE[i].pattern, SANDBOXES, strlen(SANDBOXES)) != 0);
        assert_non_null(TABLE[i].handle);
    }
}

static void names_the_methods_of_a_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(ROUTES); i++) {
        assert_int_equal(match(METHOD_OTHER, ROUTES[i].path, ROUTES[i].ops), ROUTE_NO_METHOD);
        assert_string_equal(allow, ROUTES[i].allow);
        assert_null(call.route);
        if (strstr(ROUTES[i].allow, "PATCH") != NULL)
            continue;
        assert_int_equal(match(METHOD_PATCH, ROUTES[i].path, ROUTES[i].ops), ROUTE_NO_METHOD);
        assert_string_equal(allow, ROUTES[i].allow);
    }
    assert_int_equal(match(METHOD_GET, POLICIES "/bulk-get", false), ROUTE_NO_METHOD); /* it is no policy's id */
    assert_string_equal(allow, "POST");
    assert_int_equal(match(METHOD_HEAD, "/ims/token/v3", false), ROUTE_NO_METHOD);
    assert_int_equal(match(METHOD_GET, IMPORT "/batches/b1/", false), ROUTE_NO_METHOD);
    assert_string_equal(allow, "POST");
    assert_int_equal(match(METHOD_POST, UPS "/export/jobs/726", false), ROUTE_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD, DELETE");
}

static void each_listener_has_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(ROUTES); i++) {
        assert_int_equal(match(ROUTES[i].method, ROUTES[i].path, !ROUTES[i].ops), ROUTE_NO_PATH);
        assert_int_equal(match(METHOD_OTHER, ROUTES[i].path, !ROUTES[i].ops), ROUTE_NO_PATH);
    }
}

static const char *const NO_PATHS[] = {
    "", "/", "//", "*", "x", "/data", "/data/", "/data/foundation/catalog", CATALOG "/", CATALOG "/datasets",
    CATALOG "/DataSets", CATALOG "/dataSet", CATALOG "/dataSetss", CATALOG "/dataSets/d1/x", CATALOG "/dataSets/d1/x/",
    UPS "/export", UPS "/export/jobs/1/2", UPS "/export/jobz", UPS "/export/job", "data/core/ups/export/jobs",
    IMPORT "/batches/b1/datasets", IMPORT "/batches/b1/datasets/d1", IMPORT "/batches/b1/datasets/d1/files",
    ACCESS "/datasets/d1", ACCESS "/datasets//preview", ACCESS "/datasets/d1/preview/x", SANDBOXES "/prod/x",
    IMPORT "/batches/b1/datasets/d1/files/", IMPORT "/batches/b1/datasets/d1/files/f/g", ACCESS "/files", ACCESS "/files/",
    ACCESS "/batches/b1", ACCESS "/batches/b1/other", ACCESS "/batches/b1/files/x", "/ims/token", "/ims/token/v2",
    "/ims/token/v3/x", "/IMS/jwks", "/ims/jwks.json", "/metricz",
    /* slashes: one at the end, no more anywhere */
    CATALOG "/dataSets//", CATALOG "//dataSets", "/" CATALOG "/dataSets", CATALOG "/dataSets//d1", CATALOG "/dataSets/d1//",
    UPS "/export/jobs//", IMPORT "/batches//datasets/d1/files/f", IMPORT "/batches/b1/datasets//files/f", "/ims//jwks",
    /* dot segments, plain and encoded */
    CATALOG "/./dataSets", CATALOG "/x/../dataSets", CATALOG "/dataSets/.", CATALOG "/dataSets/..", CATALOG "/dataSets/./",
    CATALOG "/dataSets/../", ACCESS "/batches/../files", ACCESS "/batches/./files", ACCESS "/files/..",
    IMPORT "/batches/b1/datasets/d1/files/..", CATALOG "/dataSets/%2e", CATALOG "/dataSets/%2E%2e", CATALOG "/dataSets/.%2e",
    CATALOG "/dataSets/%2e./", ACCESS "/batches/%2e%2e/files", IMPORT "/batches/b1/datasets/d1/files/%2e%2e",
    /* the fixed part is compared as it came */
    CATALOG "/data%53ets", "/data%2ffoundation/catalog/dataSets", CATALOG "%2FdataSets", CATALOG "/dataSets%2F",
    CATALOG "/dataSets%2Fd1", CATALOG "/dataSets?", "/data/foundation/catalog/dataSets%00", CATALOG "/dataSets ",
    CATALOG "/*", "/data/*/catalog/dataSets",
    /* variable segments that cannot be decoded */
    CATALOG "/dataSets/%", CATALOG "/dataSets/%4", CATALOG "/dataSets/%zz", CATALOG "/dataSets/%00", CATALOG "/dataSets/a%00b",
    CATALOG "/dataSets/%0a", CATALOG "/dataSets/%ff", CATALOG "/dataSets/%c0%ae", CATALOG "/dataSets/%ed%a0%80",
    IMPORT "/batches/b1/datasets/d1/files/%c3", UPS "/export/jobs/%7f",
};

static void finds_nothing_else(void **state)
{
    static const enum method METHODS[] = {METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE};
    (void)state;
    for (size_t i = 0; i < N(NO_PATHS); i++) {
        for (size_t m = 0; m < N(METHODS); m++) {
            enum route_match got = match(METHODS[m], NO_PATHS[i], false);
            if (got == ROUTE_FOUND)
                fail_msg("found: %s is %s", NO_PATHS[i], call.route->name);
            assert_int_not_equal(match(METHODS[m], NO_PATHS[i], true), ROUTE_FOUND);
        }
    }
    assert_int_equal(match(METHOD_GET, CATALOG "/dataSets//", false), ROUTE_NO_PATH);
    assert_int_equal(match(METHOD_GET, "/health//", true), ROUTE_NO_PATH);
    assert_int_equal(match(METHOD_GET, "/health/x", true), ROUTE_NO_PATH);
    assert_int_equal(match(METHOD_GET, "//health", true), ROUTE_NO_PATH);
}

/* A variable segment is decoded once, after the path was cut: an encoded slash is part of its value. */
static void decodes_variable_segments(void **state)
{
    static const struct {
        const char *path;
        const char *segment;
    } row[] = {
        {CATALOG "/dataSets/a%2Fb", "a/b"}, {CATALOG "/dataSets/%2F", "/"},         {CATALOG "/dataSets/%2e%2e%2fx", "../x"},
        {CATALOG "/dataSets/...", "..."},   {CATALOG "/dataSets/..a", "..a"},       {CATALOG "/dataSets/.a", ".a"},
        {CATALOG "/dataSets/a%2520b", "a%20b"}, {CATALOG "/dataSets/a+b", "a+b"}, {CATALOG "/dataSets/%C3%A9/", "\xc3\xa9"},
        {CATALOG "/dataSets/*", "*"},       {CATALOG "/dataSets/%3F", "?"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        assert_int_equal(match(METHOD_GET, row[i].path, false), ROUTE_FOUND);
        assert_string_equal(call.route->name, "dataset_get");
        assert_string_equal(call.segment[0], row[i].segment);
        assert_null(call.segment[1]);
    }
    assert_int_equal(match(METHOD_PUT, IMPORT "/batches/b%201/datasets/d%2F1/files/a%2Fb%20c.json/", false), ROUTE_FOUND);
    assert_string_equal(call.segment[0], "b 1");
    assert_string_equal(call.segment[1], "d/1");
    assert_string_equal(call.segment[2], "a/b c.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_route),         cmocka_unit_test(knows_the_whole_table),
        cmocka_unit_test(names_the_methods_of_a_path), cmocka_unit_test(each_listener_has_its_own),
        cmocka_unit_test(finds_nothing_else),        cmocka_unit_test(decodes_variable_segments),
    };
    return cmocka_run_group_tests_name("routes", tests, set_up, tear_down);
}
