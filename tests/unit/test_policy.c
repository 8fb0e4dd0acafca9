/*
 * test_policy: merge policies: every member with right and wrong values and the pointer to the one at fault,
 * the stored text there and back, and JSON Patch on the document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/policy.h"
/* the responder is no part of the archive */
#include "responder/policy_patch.c"
#include "responder/policy_patch_read.c"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define A "5b76f86b85d0e00000be5c8b"
#define B "5b76f8d787a6af01e2ceda18"
#define SCHEMA "\"schema\":{\"name\":\"_xdm.context.profile\"}"
#define GRAPH(type) "\"identityGraph\":{\"type\":" type "}"
#define MERGE(members) "\"attributeMerge\":{" members "}"
#define TIME MERGE("\"type\":\"timestampOrdered\"")
#define ORDER(list) MERGE("\"type\":\"dataSetPrecedence\",\"order\":" list)
#define POLICY(graph, merge) "{" SCHEMA "," GRAPH(graph) "," merge "}"
#define WITH(members) "{" members "," SCHEMA "," GRAPH("\"none\"") "," TIME "}"
#define RULES_TIME "{\"identityGraph\":{\"type\":\"none\"},\"attributeMerge\":{\"type\":\"timestampOrdered\"}}"
#define RULES_ORDER                                                                                                    \
    "{\"identityGraph\":{\"type\":\"pdg\"},\"attributeMerge\":{\"type\":\"dataSetPrecedence\",\"order\":[\"" A         \
    "\",\"" B "\"]}}"

static struct arena *arena;
static struct policy_request request;
static struct spec_refusal refusal;
static struct policy policy;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(4u * 1024 * 1024);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static enum fault parse(const char *body)
{
    arena_reset(arena);
    refusal = (struct spec_refusal){NULL, NULL};
    return policy_parse_request(arena, body, strlen(body), &request, &refusal);
}

static void takes_the_sample_of_the_reference(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"name\":\"Loyalty members ordered by ID\",\"identityGraph\":{\"type\":\"pdg\"},"
                           "\"attributeMerge\":{\"type\":\"dataSetPrecedence\",\"order\":[\"" A "\",\"" B "\"]}," SCHEMA
                           ",\"isActiveOnEdge\":true,\"default\":true,\"id\":7,\"version\":\"x\",\"more\":[null]}"),
                     FAULT_NONE);
    assert_string_equal(request.name, "Loyalty members ordered by ID");
    assert_string_equal(request.rules, RULES_ORDER);
    assert_string_equal(request.datasets, "{" A "," B "}");
    assert_true(request.active_on_edge);
    assert_true(request.is_default);
}

static void takes_the_smallest(void **state)
{
    (void)state;
    assert_int_equal(parse(POLICY("\"none\"", TIME)), FAULT_NONE);
    assert_null(request.name);
    assert_string_equal(request.rules, RULES_TIME);
    assert_null(request.datasets);
    assert_false(request.active_on_edge);
    assert_false(request.is_default);
}

/* As a patch of the type alone leaves it. */
static void drops_an_order_that_does_not_count(void **state)
{
    (void)state;
    assert_int_equal(parse(POLICY("\"none\"", MERGE("\"type\":\"timestampOrdered\",\"order\":[1]"))), FAULT_NONE);
    assert_string_equal(request.rules, RULES_TIME);
    assert_null(request.datasets);
}

static void refuses_with_a_pointer(void **state)
{
    static const struct {
        const char *body;
        const char *pointer;
    } row[] = {
        {"", ""},
        {"[]", ""},
        {"null", ""},
        {"{", ""},
        {"{\"a\":1,\"a\":2}", ""},
        {WITH("\"name\":null"), "/name"},
        {WITH("\"name\":7"), "/name"},
        {WITH("\"name\":\"\""), "/name"},
        {WITH("\"default\":\"true\""), "/default"},
        {WITH("\"default\":null"), "/default"},
        {WITH("\"default\":1"), "/default"},
        {WITH("\"isActiveOnEdge\":\"false\""), "/isActiveOnEdge"},
        {"{" GRAPH("\"none\"") "," TIME "}", "/schema"},
        {"{\"schema\":\"_xdm.context.profile\"," GRAPH("\"none\"") "," TIME "}", "/schema"},
        {"{\"schema\":{}," GRAPH("\"none\"") "," TIME "}", "/schema/name"},
        {"{\"schema\":{\"name\":null}," GRAPH("\"none\"") "," TIME "}", "/schema/name"},
        {"{\"schema\":{\"name\":\"_xdm.context.experienceevent\"}," GRAPH("\"none\"") "," TIME "}", "/schema/name"},
        {"{" SCHEMA "," TIME "}", "/identityGraph"},
        {"{" SCHEMA ",\"identityGraph\":\"none\"," TIME "}", "/identityGraph"},
        {"{" SCHEMA ",\"identityGraph\":{}," TIME "}", "/identityGraph/type"},
        {POLICY("\"coop\"", TIME), "/identityGraph/type"},
        {POLICY("\"NONE\"", TIME), "/identityGraph/type"},
        {POLICY("\"\"", TIME), "/identityGraph/type"},
        {POLICY("null", TIME), "/identityGraph/type"},
        {"{" SCHEMA "," GRAPH("\"pdg\"") "}", "/attributeMerge"},
        {"{" SCHEMA "," GRAPH("\"pdg\"") ",\"attributeMerge\":[]}", "/attributeMerge"},
        {POLICY("\"none\"", MERGE("\"order\":[]")), "/attributeMerge/type"},
        {POLICY("\"none\"", MERGE("\"type\":\"datasetPrecedence\"")), "/attributeMerge/type"},
        {POLICY("\"none\"", MERGE("\"type\":\"dataSetPrecedence\"")), "/attributeMerge/order"},
        {POLICY("\"none\"", ORDER("null")), "/attributeMerge/order"},
        {POLICY("\"none\"", ORDER("\"" A "\"")), "/attributeMerge/order"},
        {POLICY("\"none\"", ORDER("{}")), "/attributeMerge/order"},
        {POLICY("\"none\"", ORDER("[]")), "/attributeMerge/order"},
        {POLICY("\"none\"", ORDER("[null]")), "/attributeMerge/order/0"},
        {POLICY("\"none\"", ORDER("[\"" A "\",7]")), "/attributeMerge/order/1"},
        {POLICY("\"none\"", ORDER("[\"" A "\",\"" A "x\"]")), "/attributeMerge/order/1"},
        {POLICY("\"none\"", ORDER("[\"" A "\",\"5B76F8D787A6AF01E2CEDA18\"]")), "/attributeMerge/order/1"},
        {POLICY("\"none\"", ORDER("[\"" A "\",\"" B "\",\"" A "\"]")), "/attributeMerge/order/2"},
        {POLICY("\"none\"", ORDER("[\"{a,b}\"]")), "/attributeMerge/order/0"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        if (parse(row[i].body) != FAULT_MALFORMED)
            fail_msg("taken: %s", row[i].body);
        assert_string_equal(refusal.pointer, row[i].pointer);
        assert_true(*refusal.detail != '\0');
    }
}

/* Bodies with `count` dataset ids, and with a name of `count` characters of two bytes. */
static const char *of_datasets(unsigned count)
{
    static char body[8192];
    size_t used = (size_t)snprintf(body, sizeof body, "{" SCHEMA "," GRAPH("\"none\"") ",\"attributeMerge\":{\"type\":"
                                   "\"dataSetPrecedence\",\"order\":[");
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(body + used, sizeof body - used, "%s\"%024x\"", i == 0 ? "" : ",", i);
    snprintf(body + used, sizeof body - used, "]}}");
    return body;
}

static const char *of_name(size_t count)
{
    static char body[2048];
    size_t used = (size_t)snprintf(body, sizeof body, "{" SCHEMA "," GRAPH("\"none\"") "," TIME ",\"name\":\"");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(body + used, sizeof body - used, "\xc3\xa9");
    snprintf(body + used, sizeof body - used, "\"}");
    return body;
}

static void counts_to_its_limits(void **state)
{
    (void)state;
    assert_int_equal(parse(of_datasets(POLICY_DATASETS_MAX)), FAULT_NONE);
    assert_int_equal(policy_read(arena, request.rules, &policy), FAULT_NONE);
    assert_int_equal(policy.datasets, POLICY_DATASETS_MAX);
    assert_string_equal(policy.dataset[99], "000000000000000000000063");
    assert_int_equal(parse(of_datasets(POLICY_DATASETS_MAX + 1)), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/attributeMerge/order");
    assert_int_equal(parse(of_name(POLICY_NAME_MAX)), FAULT_NONE);
    assert_int_equal(parse(of_name(POLICY_NAME_MAX + 1)), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "/name");
}

static void reads_what_is_stored(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(policy_read(arena, NULL, &policy), FAULT_NONE);
    assert_true(!policy.graph && !policy.precedence && policy.datasets == 0);
    assert_int_equal(policy_read(arena, RULES_TIME, &policy), FAULT_NONE);
    assert_true(!policy.graph && !policy.precedence && policy.datasets == 0);
    assert_int_equal(policy_read(arena, RULES_ORDER, &policy), FAULT_NONE);
    assert_true(policy.graph && policy.precedence);
    assert_int_equal(policy.datasets, 2);
    assert_string_equal(policy.dataset[0], A);
    assert_string_equal(policy.dataset[1], B);
}

static void takes_nothing_else_for_stored(void **state)
{
    static const char *const TEXTS[] = {"", "null", "7", "[]", "{}", "rules", "{\"identityGraph\":{\"type\":\"none\"}}",
                                        "{" GRAPH("\"x\"") "," TIME "}", "{" GRAPH("\"none\"") "," ORDER("[]") "}"};
    (void)state;
    for (size_t i = 0; i < N(TEXTS); i++)
        assert_int_equal(policy_read(arena, TEXTS[i], &policy), FAULT_INTERNAL);
}

/* ---- JSON Patch ---- */

#define DOCUMENT                                                                                                       \
    "{\"id\":\"x\",\"name\":\"n\",\"schema\":{\"name\":\"_xdm.context.profile\"},\"version\":3,"                       \
    "\"attributeMerge\":{\"type\":\"t\",\"order\":[\"a\",\"b\"]},\"default\":false}"

static const char *patched; /* the document after patch(), as text */

static enum fault patch(const char *body)
{
    struct policy_patch steps;
    struct jsonio_refusal broken;
    struct json_object *document = NULL;
    size_t length;
    arena_reset(arena);
    refusal = (struct spec_refusal){NULL, NULL};
    patched = NULL;
    enum fault fault = policy_patch_read(arena, body, strlen(body), &steps, &refusal);
    if (fault != FAULT_NONE)
        return fault;
    for (int i = 0; i < 2; i++) { /* a patch can be applied again: it is not changed by it */
        assert_int_equal(jsonio_parse(arena, DOCUMENT, strlen(DOCUMENT), JSCAN_REQUEST_LIMITS, &document, &broken), FAULT_NONE);
        fault = policy_patch_apply(arena, &steps, &document, &refusal);
    }
    if (fault == FAULT_NONE)
        patched = jsonio_print(arena, document, &length);
    return fault;
}

/* Whether `json` is the value at `pointer` of the patched document; NULL: that nothing is there. */
static void assert_patched(const char *body, const char *pointer, const char *json)
{
    struct jsonio_refusal broken;
    struct json_object *document = NULL, *value = document;
    size_t length;
    enum fault fault = patch(body);
    if (fault != FAULT_NONE)
        fail_msg("refused: %s (%s %s)", body, refusal.pointer, refusal.detail);
    assert_int_equal(jsonio_parse(arena, patched, strlen(patched), JSCAN_REQUEST_LIMITS, &document, &broken), FAULT_NONE);
    bool found = json_pointer_get(document, pointer, &value) == 0;
    assert_int_equal(found, json != NULL);
    if (found)
        assert_string_equal(jsonio_print(arena, value, &length), json);
}

static void applies_each_operation(void **state)
{
    static const struct {
        const char *patch;
        const char *pointer;
        const char *value;
    } row[] = {
        {"[]", "/name", "\"n\""},
        {"[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"m\"}]", "/name", "\"m\""},
        {"{\"op\":\"add\",\"path\":\"/default\",\"value\":\"true\"}", "/default", "true"},
        {"[{\"op\":\"replace\",\"path\":\"/default\",\"value\":\"false\"}]", "/default", "false"},
        {"[{\"op\":\"add\",\"path\":\"/isActiveOnEdge\",\"value\":true}]", "/isActiveOnEdge", "true"},
        {"[{\"op\":\"add\",\"path\":\"/default\",\"value\":\"yes\"}]", "/default", "\"yes\""},
        {"[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"true\"}]", "/name", "\"true\""},
        {"[{\"op\":\"add\",\"path\":\"/name\",\"value\":null}]", "/name", "null"},
        {"[{\"op\":\"add\",\"path\":\"/identityGraph\",\"value\":{\"type\":\"pdg\"}}]", "/identityGraph/type", "\"pdg\""},
        {"[{\"op\":\"replace\",\"path\":\"/attributeMerge.type\",\"value\":\"u\"}]", "/attributeMerge/type", "\"u\""},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/0\",\"value\":\"c\"}]", "/attributeMerge/order", "[\"c\",\"a\",\"b\"]"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/1\",\"value\":\"c\"}]", "/attributeMerge/order", "[\"a\",\"c\",\"b\"]"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/2\",\"value\":\"c\"}]", "/attributeMerge/order", "[\"a\",\"b\",\"c\"]"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/-\",\"value\":\"c\"}]", "/attributeMerge/order", "[\"a\",\"b\",\"c\"]"},
        {"[{\"op\":\"replace\",\"path\":\"/attributeMerge/order/1\",\"value\":\"c\"}]", "/attributeMerge/order", "[\"a\",\"c\"]"},
        {"[{\"op\":\"remove\",\"path\":\"/attributeMerge/order/0\"}]", "/attributeMerge/order", "[\"b\"]"},
        {"[{\"op\":\"remove\",\"path\":\"/attributeMerge/order\"}]", "/attributeMerge/order", NULL},
        {"[{\"op\":\"remove\",\"path\":\"/name\"}]", "/name", NULL},
        {"[{\"op\":\"move\",\"from\":\"/attributeMerge/order/1\",\"path\":\"/attributeMerge/order/0\"}]",
         "/attributeMerge/order", "[\"b\",\"a\"]"},
        {"[{\"op\":\"move\",\"from\":\"/name\",\"path\":\"/name\"}]", "/name", "\"n\""},
        {"[{\"op\":\"copy\",\"from\":\"/attributeMerge/order/0\",\"path\":\"/attributeMerge/order/-\"}]",
         "/attributeMerge/order", "[\"a\",\"b\",\"a\"]"},
        {"[{\"op\":\"copy\",\"from\":\"/id\",\"path\":\"/name\"}]", "/name", "\"x\""},
        {"[{\"op\":\"test\",\"path\":\"/version\",\"value\":3.0},{\"op\":\"remove\",\"path\":\"/name\"}]", "/name", NULL},
        {"[{\"op\":\"test\",\"path\":\"/attributeMerge\",\"value\":{\"order\":[\"a\",\"b\"],\"type\":\"t\"}}]", "/name", "\"n\""},
        {"[{\"op\":\"test\",\"path\":\"\",\"value\":" DOCUMENT "}]", "/name", "\"n\""},
        {"[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"name\":\"w\"}}]", "/name", "\"w\""},
        {"[{\"op\":\"add\",\"path\":\"/schema\",\"value\":{\"a\":{}}},{\"op\":\"add\",\"path\":\"/schema/a/b\",\"value\":1}]", "/schema/a/b", "1"},
        {"[{\"op\":\"add\",\"path\":\"/schema/a~1b~0c\",\"value\":1}]", "/schema/a~1b~0c", "1"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_patched(row[i].patch, row[i].pointer, row[i].value);
}

static void refuses_patches_with_a_pointer(void **state)
{
    static const struct {
        const char *patch;
        enum fault fault;
        const char *pointer;
    } row[] = {
        {"", FAULT_MALFORMED, ""},
        {"7", FAULT_MALFORMED, ""},
        {"null", FAULT_MALFORMED, ""},
        {"[7]", FAULT_MALFORMED, "/0"},
        {"[null]", FAULT_MALFORMED, "/0"},
        {"{}", FAULT_MALFORMED, "/op"},
        {"[{\"op\":\"add\",\"path\":\"/name\",\"value\":1},{}]", FAULT_MALFORMED, "/1/op"},
        {"[{\"op\":\"merge\",\"path\":\"/name\",\"value\":1}]", FAULT_MALFORMED, "/0/op"},
        {"[{\"op\":1,\"path\":\"/name\",\"value\":1}]", FAULT_MALFORMED, "/0/op"},
        {"[{\"op\":\"add\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":1,\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"name\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/schema/a~2\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/schema/a~\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/schema/1/2/3/4/5/6/7/8\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/value"},
        {"[{\"op\":\"test\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/value"},
        {"[{\"op\":\"add\",\"path\":\"/color\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/id\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"remove\",\"path\":\"/imsOrgId\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"replace\",\"path\":\"/sandbox/sandboxName\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"move\",\"from\":\"/updateEpoch\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/from"},
        {"[{\"op\":\"move\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/from"},
        {"[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/from"},
        {"[{\"op\":\"copy\",\"from\":\"/name\",\"path\":\"\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"remove\",\"path\":\"\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]", FAULT_MALFORMED, "/0/value"},
        {"[{\"op\":\"replace\",\"path\":\"\",\"value\":null}]", FAULT_MALFORMED, "/0/value"},
        {"[{\"op\":\"remove\",\"path\":\"/isActiveOnEdge\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"replace\",\"path\":\"/isActiveOnEdge\",\"value\":true}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/identityGraph/type\",\"value\":\"pdg\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/name/x\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/3\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/01\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/x\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"add\",\"path\":\"/attributeMerge/order/99999999999999999999\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"replace\",\"path\":\"/attributeMerge/order/-\",\"value\":1}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"remove\",\"path\":\"/attributeMerge/order/2\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"copy\",\"from\":\"/attributeMerge/order/2\",\"path\":\"/name\"}]", FAULT_MALFORMED, "/0/from"},
        {"[{\"op\":\"move\",\"from\":\"/attributeMerge\",\"path\":\"/attributeMerge/x\"}]", FAULT_MALFORMED, "/0/path"},
        {"[{\"op\":\"test\",\"path\":\"/name\",\"value\":\"other\"}]", FAULT_STATE, "/0/value"},
        {"[{\"op\":\"test\",\"path\":\"/version\",\"value\":\"3\"}]", FAULT_STATE, "/0/value"},
        {"[{\"op\":\"test\",\"path\":\"/default\",\"value\":null}]", FAULT_STATE, "/0/value"},
        {"[{\"op\":\"test\",\"path\":\"/isActiveOnEdge\",\"value\":true}]", FAULT_STATE, "/0/path"},
        {"{\"op\":\"test\",\"path\":\"/name\",\"value\":\"other\"}", FAULT_STATE, "/value"},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        enum fault fault = patch(row[i].patch);
        if (fault != row[i].fault)
            fail_msg("%s: fault %d, not %d", row[i].patch, (int)fault, (int)row[i].fault);
        assert_string_equal(refusal.pointer, row[i].pointer);
        assert_true(*refusal.detail != '\0');
    }
}

/* `count` times the operation, as a patch. */
static const char *repeated(const char *operation, unsigned count)
{
    static char body[32768];
    size_t used = 0;
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(body + used, sizeof body - used, "%c%s", i == 0 ? '[' : ',', operation);
    snprintf(body + used, sizeof body - used, "]");
    return body;
}

/* A hundred doublings would fill any memory. */
static void bounds_what_a_patch_makes(void **state)
{
    static const char DOUBLE[] = "{\"op\":\"copy\",\"from\":\"/attributeMerge/order\",\"path\":\"/attributeMerge/order/-\"}";
    static const char NOTHING[] = "{\"op\":\"test\",\"path\":\"/name\",\"value\":\"n\"}";
    (void)state;
    assert_int_equal(patch(repeated(DOUBLE, POLICY_PATCH_STEPS_MAX)), FAULT_MALFORMED);
    assert_int_equal(strncmp(refusal.pointer, "/1", 2), 0);
    assert_int_equal(patch(repeated(NOTHING, POLICY_PATCH_STEPS_MAX)), FAULT_NONE);
    assert_int_equal(patch(repeated(NOTHING, POLICY_PATCH_STEPS_MAX + 1)), FAULT_MALFORMED);
    assert_string_equal(refusal.pointer, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_sample_of_the_reference), cmocka_unit_test(takes_the_smallest),
        cmocka_unit_test(drops_an_order_that_does_not_count), cmocka_unit_test(refuses_with_a_pointer),
        cmocka_unit_test(counts_to_its_limits), cmocka_unit_test(reads_what_is_stored),
        cmocka_unit_test(takes_nothing_else_for_stored), cmocka_unit_test(applies_each_operation),
        cmocka_unit_test(refuses_patches_with_a_pointer), cmocka_unit_test(bounds_what_a_patch_makes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
