/*
 * policy_patch_read: the reader of JSON Patch bodies. See policy_patch.h.
 */
#include <string.h>

#include "responder/policy_patch.h"

struct patch_reader {
    struct arena *arena;
    struct spec_refusal *refusal;
    const char *base; /* pointer of the operation at hand */
};

/* A refusal of a member of the operation at hand; "" is the operation. */
static enum fault patch_refuse(struct patch_reader *r, const char *member, const char *detail)
{
    const char *pointer = arena_printf(r->arena, "%s%s%s", r->base, *member == '\0' ? "" : "/", member);
    *r->refusal = (struct spec_refusal){pointer == NULL ? "" : pointer, detail};
    return FAULT_MALFORMED;
}

/* Undoes ~0 and ~1 in place (RFC 6901 section 4). False: a ~ before anything else. */
static bool patch_unescape(char *token)
{
    char *out = token;
    for (const char *p = token; *p != '\0'; p++) {
        if (*p == '~' && p[1] != '0' && p[1] != '1')
            return false;
        if (*p == '~') {
            p++;
            *out++ = *p == '0' ? '~' : '/';
        } else {
            *out++ = *p;
        }
    }
    *out = '\0';
    return true;
}

/* Cuts a JSON Pointer into its tokens. No name in the document has a dot, so a dot separates too. */
static enum fault patch_place(struct patch_reader *r, const char *member, const char *text, struct policy_place *out)
{
    *out = (struct policy_place){0};
    if (*text != '\0' && *text != '/')
        return patch_refuse(r, member, "must be a JSON Pointer: empty, or beginning with a slash");
    while (*text != '\0') {
        size_t length = strcspn(++text, "/.");
        char *token = arena_copy(r->arena, text, length);
        if (token == NULL)
            return FAULT_MEMORY;
        if (out->count == POLICY_PATCH_DEPTH_MAX)
            return patch_refuse(r, member, "leads deeper than a merge policy has members");
        if (!patch_unescape(token))
            return patch_refuse(r, member, "must be a JSON Pointer: only 0 or 1 may follow a ~");
        out->token[out->count++] = token;
        text += length;
    }
    return FAULT_NONE;
}

/* A path must be of a member that the document can have, and for writing of one that is the client's. */
static enum fault patch_check_member(struct patch_reader *r, const char *member, const struct policy_place *place,
                                     bool writes)
{
    static const char *const OWN[] = {"name",    "schema",        "identityGraph", "attributeMerge",
                                      "default", "isActiveOnEdge", "version"};
    static const char *const SERVICE[] = {"id", "imsOrgId", "sandbox", "updateEpoch"};
    if (place->count == 0)
        return FAULT_NONE;
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        if (strcmp(place->token[0], OWN[i]) == 0)
            return FAULT_NONE;
    }
    for (size_t i = 0; i < sizeof SERVICE / sizeof *SERVICE; i++) {
        if (strcmp(place->token[0], SERVICE[i]) == 0)
            return writes ? patch_refuse(r, member, "is a member that cannot be changed") : FAULT_NONE;
    }
    return patch_refuse(r, member, "is no member of a merge policy");
}

/* The reference's sample sets a boolean member by a string. */
static struct json_object *patch_boolean(struct patch_reader *r, const struct policy_step *step)
{
    const char *text = json_object_is_type(step->value, json_type_string) ? json_object_get_string(step->value) : "";
    bool flag = step->path.count == 1 && (strcmp(step->path.token[0], "default") == 0 ||
                                          strcmp(step->path.token[0], "isActiveOnEdge") == 0);
    if (!flag || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
        return step->value;
    return jsonio_own(r->arena, json_object_new_boolean(strcmp(text, "true") == 0));
}

static enum fault patch_read_value(struct patch_reader *r, struct json_object *operation, struct policy_step *out)
{
    bool present = false;
    out->value = jsonio_member(operation, "value", &present);
    if (!present)
        return patch_refuse(r, "value", "is required");
    if (out->value != NULL)
        out->value = patch_boolean(r, out);
    return FAULT_NONE;
}

/* What is left of an operation once its op and path are known. */
static enum fault patch_read_rest(struct patch_reader *r, struct json_object *operation, struct policy_step *out)
{
    if (out->op == POLICY_REMOVE)
        return out->path.count > 0 ? FAULT_NONE : patch_refuse(r, "path", "is the whole policy");
    if (out->op != POLICY_MOVE && out->op != POLICY_COPY)
        return patch_read_value(r, operation, out);
    const char *from = jsonio_member_text(operation, "from");
    if (from == NULL)
        return patch_refuse(r, "from", "is required: a JSON Pointer");
    enum fault fault = patch_place(r, "from", from, &out->from);
    if (fault == FAULT_NONE)
        fault = patch_check_member(r, "from", &out->from, out->op == POLICY_MOVE);
    if (fault == FAULT_NONE && (out->from.count == 0 || out->path.count == 0))
        return patch_refuse(r, out->from.count == 0 ? "from" : "path", "is the whole policy");
    return fault;
}

static enum fault patch_read_step(struct patch_reader *r, struct json_object *operation, struct policy_step *out)
{
    static const char *const OPS[] = {[POLICY_ADD] = "add",   [POLICY_REMOVE] = "remove", [POLICY_REPLACE] = "replace",
                                      [POLICY_MOVE] = "move", [POLICY_COPY] = "copy",     [POLICY_TEST] = "test"};
    if (!json_object_is_type(operation, json_type_object))
        return patch_refuse(r, "", "must be an object with op and path");
    const char *op = jsonio_member_text(operation, "op"), *path = jsonio_member_text(operation, "path");
    size_t known = 0;
    while (known < sizeof OPS / sizeof *OPS && (op == NULL || strcmp(op, OPS[known]) != 0))
        known++;
    if (known == sizeof OPS / sizeof *OPS)
        return patch_refuse(r, "op", "must be add, remove, replace, move, copy or test");
    if (path == NULL)
        return patch_refuse(r, "path", "is required: a JSON Pointer");
    out->op = (enum policy_op)known;
    out->pointer = r->base;
    enum fault fault = patch_place(r, "path", path, &out->path);
    if (fault == FAULT_NONE)
        fault = patch_check_member(r, "path", &out->path, out->op != POLICY_TEST);
    return fault == FAULT_NONE ? patch_read_rest(r, operation, out) : fault;
}

enum fault policy_patch_read(struct arena *a, const char *body, size_t length, struct policy_patch *out,
                             struct spec_refusal *refusal)
{
    struct patch_reader r = {a, refusal, ""};
    struct jsonio_refusal broken;
    struct json_object *tree = NULL;
    enum fault fault = jsonio_parse(a, body, length, JSCAN_REQUEST_LIMITS, &tree, &broken);
    if (fault == FAULT_MALFORMED)
        return patch_refuse(&r, "", arena_printf(a, "%s at byte %zu", broken.reason, broken.offset));
    bool array = json_object_is_type(tree, json_type_array);
    size_t count = array ? json_object_array_length(tree) : 1;
    if (fault == FAULT_NONE && !array && !json_object_is_type(tree, json_type_object))
        return patch_refuse(&r, "", "must be an array of operations");
    if (fault == FAULT_NONE && count > POLICY_PATCH_STEPS_MAX)
        return patch_refuse(&r, "", "must have at most 100 operations");
    *out = (struct policy_patch){(uint32_t)count, arena_alloc(a, (count + 1) * sizeof(struct policy_step))};
    if (fault == FAULT_NONE && out->step == NULL)
        return FAULT_MEMORY;
    for (size_t i = 0; fault == FAULT_NONE && i < count; i++) {
        r.base = array ? arena_printf(a, "/%zu", i) : "";
        fault = r.base == NULL ? FAULT_MEMORY
                               : patch_read_step(&r, array ? json_object_array_get_idx(tree, i) : tree, &out->step[i]);
    }
    return fault == FAULT_NONE && arena_exhausted(a) ? FAULT_MEMORY : fault;
}
