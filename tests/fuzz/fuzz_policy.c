/*
 * fuzz_policy: the bodies of merge policies: of POST and PUT, and the JSON Patch of a PATCH.
 *
 * The input is a body, and after a NUL byte a patch. An accepted body becomes rules that the spooler's reader
 * takes and finds the same in, and an array that the database reads as the same ids. A patch does the same to
 * the same document every time, what it makes is JSON and bounded, and goes through the check of bodies. A
 * refusal has a pointer and a rule.
 */
#include <stdlib.h>

#include "core/ident.h"
#include "core/policy.h"
#include "fuzz.h"
#include "responder/policy_patch.h"

#define DOCUMENT_MAX 65536u

static const char DOCUMENT[] =
    "{\"id\":\"10648288-cda5-11e8-a8d5-f2801f1b9fd1\",\"name\":\"n\",\"imsOrgId\":\"o\",\"sandbox\":{\"sandboxId\":\"s\"},"
    "\"schema\":{\"name\":\"_xdm.context.profile\"},\"version\":3,\"identityGraph\":{\"type\":\"none\"},\"attributeMerge\":"
    "{\"type\":\"dataSetPrecedence\",\"order\":[\"5b76f86b85d0e00000be5c8b\",\"5b76f8d787a6af01e2ceda18\"]},"
    "\"isActiveOnEdge\":false,\"default\":true,\"updateEpoch\":1}";

static void check_refusal(enum fault fault, const struct spec_refusal *refusal, bool state_allowed)
{
    INVARIANT(fault == FAULT_MALFORMED || (state_allowed && fault == FAULT_STATE));
    INVARIANT(refusal->pointer != NULL && (*refusal->pointer == '\0' || *refusal->pointer == '/'));
    INVARIANT(refusal->detail != NULL && *refusal->detail != '\0' && fuzz_is_text(refusal->detail, strlen(refusal->detail)));
}

/* The array text is the ids of the rules between braces. */
static void check_array(const char *array, const struct policy *policy)
{
    INVARIANT(array != NULL && *array++ == '{');
    for (uint32_t i = 0; i < policy->datasets; i++) {
        INVARIANT(ident_is_hex(policy->dataset[i], IDENT_DATASET_DIGITS));
        INVARIANT(strncmp(array, policy->dataset[i], IDENT_DATASET_DIGITS) == 0);
        array += IDENT_DATASET_DIGITS;
        INVARIANT(*array++ == (i + 1 == policy->datasets ? '}' : ','));
        for (uint32_t k = 0; k < i; k++)
            INVARIANT(strcmp(policy->dataset[k], policy->dataset[i]) != 0);
    }
    INVARIANT(*array == '\0');
}

static void check_accepted(struct arena *arena, const struct policy_request *request)
{
    struct policy policy;
    INVARIANT(request->rules != NULL && fuzz_is_json(request->rules, strlen(request->rules), 3));
    INVARIANT(policy_read(arena, request->rules, &policy) == FAULT_NONE);
    INVARIANT(policy.precedence == (policy.datasets > 0) && policy.datasets <= POLICY_DATASETS_MAX);
    if (policy.precedence)
        check_array(request->datasets, &policy);
    else
        INVARIANT(request->datasets == NULL);
    if (request->name != NULL)
        INVARIANT(*request->name != '\0' && strlen(request->name) <= 4 * POLICY_NAME_MAX &&
                  fuzz_is_text(request->name, strlen(request->name)));
}

static void check_body(struct arena *arena, const char *body, size_t length)
{
    struct policy_request request;
    struct spec_refusal refusal = {NULL, NULL};
    enum fault fault = policy_parse_request(arena, body, length, &request, &refusal);
    if (fault != FAULT_NONE) {
        check_refusal(fault, &refusal, false);
        return;
    }
    INVARIANT(fuzz_is_json(body, length, 16));
    check_accepted(arena, &request);
}

/* The document after the patch, as text; NULL when it was refused. */
static const char *apply(struct arena *arena, const struct policy_patch *patch, struct json_object **document)
{
    struct jsonio_refusal broken;
    struct spec_refusal refusal = {NULL, NULL};
    size_t length = 0;
    INVARIANT(jsonio_parse(arena, DOCUMENT, sizeof DOCUMENT - 1, JSCAN_REQUEST_LIMITS, document, &broken) == FAULT_NONE);
    enum fault fault = policy_patch_apply(arena, patch, document, &refusal);
    if (fault != FAULT_NONE) {
        check_refusal(fault, &refusal, true);
        return NULL;
    }
    const char *text = jsonio_print(arena, *document, &length);
    INVARIANT(text != NULL && length <= DOCUMENT_MAX && fuzz_is_json(text, length, 64));
    return text;
}

static void check_patch(struct arena *arena, const char *body, size_t length)
{
    struct policy_patch patch;
    struct policy_request request;
    struct spec_refusal refusal = {NULL, NULL};
    struct json_object *document = NULL, *other = NULL;
    enum fault fault = policy_patch_read(arena, body, length, &patch, &refusal);
    if (fault != FAULT_NONE) {
        check_refusal(fault, &refusal, false);
        return;
    }
    INVARIANT(fuzz_is_json(body, length, 16) && patch.count <= POLICY_PATCH_STEPS_MAX);
    const char *first = apply(arena, &patch, &document), *second = apply(arena, &patch, &other);
    INVARIANT((first == NULL) == (second == NULL));
    if (first == NULL)
        return;
    INVARIANT(strcmp(first, second) == 0);
    fault = policy_parse_document(arena, document, &request, &refusal);
    if (fault == FAULT_NONE)
        check_accepted(arena, &request);
    else
        check_refusal(fault, &refusal, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    const char *body = (const char *)data;
    const char *end = size == 0 ? NULL : memchr(body, '\0', size);
    size_t length = end == NULL ? size : (size_t)(end - body);
    if (arena == NULL)
        arena = arena_new(32u << 20);
    arena_reset(arena);
    check_body(arena, body, length);
    if (end != NULL)
        check_patch(arena, end + 1, size - length - 1);
    arena_reset(arena);
    return 0;
}
