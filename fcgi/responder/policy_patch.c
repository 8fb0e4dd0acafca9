/*
 * policy_patch: JSON Patch, applied. See policy_patch.h.
 */
#include "responder/policy_patch.h"

#include <string.h>

/* SECURITY: an array copied into itself doubles, and a hundred of these would be 2^100. */
#define PATCH_DOCUMENT_MAX 65536u

struct patch_target {
    struct json_object *parent;
    const char *token;
};

static enum fault patch_fail(struct arena *a, const struct policy_step *step, enum fault fault, const char *member,
                             const char *detail, struct spec_refusal *refusal)
{
    const char *pointer = arena_printf(a, "%s/%s", step->pointer, member);
    *refusal = (struct spec_refusal){pointer == NULL ? "" : pointer, detail};
    return fault;
}

/* Whether the token is an index of the array that is at most `most`: digits without a leading zero, or "-" for
 * the place after the last (RFC 6901 section 4, RFC 6902 section 4.1). */
static bool patch_index(const char *token, struct json_object *array, size_t most, size_t *out)
{
    size_t digits = strspn(token, "0123456789");
    *out = 0;
    if (strcmp(token, "-") == 0)
        *out = json_object_array_length(array);
    else if (digits == 0 || digits > 6 || token[digits] != '\0' || (digits > 1 && *token == '0'))
        return false;
    for (size_t i = 0; i < digits; i++)
        *out = *out * 10 + (size_t)(token[i] - '0');
    return *out <= most;
}

/* The member or element that the token names in `parent`; false when there is none. */
static bool patch_child(struct json_object *parent, const char *token, struct json_object **out)
{
    size_t index;
    if (json_object_is_type(parent, json_type_object))
        return json_object_object_get_ex(parent, token, out) != 0;
    if (!json_object_is_type(parent, json_type_array) || json_object_array_length(parent) == 0 ||
        !patch_index(token, parent, json_object_array_length(parent) - 1, &index))
        return false;
    *out = json_object_array_get_idx(parent, index);
    return true;
}

/* The value at a place; false when there is none. */
static bool patch_find(struct json_object *document, const struct policy_place *place, struct json_object **out)
{
    *out = document;
    for (int i = 0; i < place->count; i++) {
        if (!patch_child(*out, place->token[i], out))
            return false;
    }
    return true;
}

/* The object or array that a place lies in; false when there is none. */
static bool patch_aim(struct json_object *document, const struct policy_place *place, struct patch_target *out)
{
    struct policy_place parent = *place;
    parent.count--;
    out->token = place->token[place->count - 1];
    return patch_find(document, &parent, &out->parent) && (json_object_is_type(out->parent, json_type_object) ||
                                                           json_object_is_type(out->parent, json_type_array));
}

/* Puts a value, which it takes, where add wants it: elements of an array move up. False: no such place. */
static bool patch_insert(const struct patch_target *target, struct json_object *value)
{
    struct json_object *parent = target->parent;
    size_t index = 0;
    if (json_object_is_type(parent, json_type_object))
        return json_object_object_add(parent, target->token, value) == 0;
    size_t count = json_object_array_length(parent);
    if (!patch_index(target->token, parent, count, &index) || json_object_array_add(parent, NULL) != 0) {
        json_object_put(value);
        return false;
    }
    for (size_t i = count; i > index; i--)
        json_object_array_put_idx(parent, i, json_object_get(json_object_array_get_idx(parent, i - 1)));
    json_object_array_put_idx(parent, index, value);
    return true;
}

/* Takes away what patch_child() finds. */
static void patch_delete(const struct patch_target *target)
{
    size_t index = 0;
    if (json_object_is_type(target->parent, json_type_object))
        json_object_object_del(target->parent, target->token);
    else if (patch_index(target->token, target->parent, json_object_array_length(target->parent), &index))
        json_object_array_del_idx(target->parent, index, 1);
}

/* RFC 6902 section 4.6: numbers are equal by value, however they are written. */
static bool patch_equal(struct json_object *a, struct json_object *b)
{
    bool numbers = (json_object_is_type(a, json_type_int) || json_object_is_type(a, json_type_double)) &&
                   (json_object_is_type(b, json_type_int) || json_object_is_type(b, json_type_double));
    if (numbers)
        return json_object_get_double(a) >= json_object_get_double(b) &&
               json_object_get_double(a) <= json_object_get_double(b);
    return json_object_equal(a, b) != 0;
}

/* A copy of the caller's own; JSON null is NULL. */
static enum fault patch_copy(struct json_object *value, struct json_object **out)
{
    *out = NULL;
    return value == NULL || json_object_deep_copy(value, out, NULL) == 0 ? FAULT_NONE : FAULT_MEMORY;
}

/* add, and the second half of replace, move and copy; takes the value. */
static enum fault patch_put(struct arena *a, const struct policy_step *step, struct json_object **document,
                            struct json_object *value, struct spec_refusal *refusal)
{
    struct patch_target target;
    if (step->path.count == 0) {
        *document = value;
        if (value != NULL && jsonio_own(a, value) == NULL)
            return FAULT_MEMORY;
        return json_object_is_type(value, json_type_object)
                   ? FAULT_NONE
                   : patch_fail(a, step, FAULT_MALFORMED, "value", "must be an object", refusal);
    }
    if (!patch_aim(*document, &step->path, &target)) {
        json_object_put(value);
        return patch_fail(a, step, FAULT_MALFORMED, "path", "names no place in the policy", refusal);
    }
    return patch_insert(&target, value) ? FAULT_NONE
                                        : patch_fail(a, step, FAULT_MALFORMED, "path", "names no place in the policy", refusal);
}

/* Whether `from` is a place above `path`. */
static bool patch_above(const struct policy_place *from, const struct policy_place *path)
{
    if (from->count >= path->count)
        return false;
    for (int i = 0; i < from->count; i++) {
        if (strcmp(from->token[i], path->token[i]) != 0)
            return false;
    }
    return true;
}

static enum fault patch_step(struct arena *a, const struct policy_step *step, struct json_object **document,
                             struct spec_refusal *refusal)
{
    const bool moves = step->op == POLICY_MOVE, carries = moves || step->op == POLICY_COPY;
    struct json_object *found = NULL, *value = NULL;
    struct patch_target target;
    if (step->op != POLICY_ADD && !patch_find(*document, carries ? &step->from : &step->path, &found))
        return step->op == POLICY_TEST
                   ? patch_fail(a, step, FAULT_STATE, "path", "the policy has nothing there, so the test fails", refusal)
                   : patch_fail(a, step, FAULT_MALFORMED, carries ? "from" : "path", "names nothing in the policy", refusal);
    if (step->op == POLICY_TEST)
        return patch_equal(found, step->value)
                   ? FAULT_NONE
                   : patch_fail(a, step, FAULT_STATE, "value", "the policy has another value, so the test fails", refusal);
    if (moves && patch_above(&step->from, &step->path))
        return patch_fail(a, step, FAULT_MALFORMED, "path", "lies inside what is moved", refusal);
    enum fault fault = step->op == POLICY_REMOVE ? FAULT_NONE : patch_copy(carries ? found : step->value, &value);
    if (fault != FAULT_NONE)
        return fault;
    bool clears = step->op == POLICY_REMOVE || step->op == POLICY_REPLACE || moves;
    if (clears && (carries ? step->from.count : step->path.count) > 0 &&
        patch_aim(*document, carries ? &step->from : &step->path, &target))
        patch_delete(&target);
    return step->op == POLICY_REMOVE ? FAULT_NONE : patch_put(a, step, document, value, refusal);
}

enum fault policy_patch_apply(struct arena *a, const struct policy_patch *patch, struct json_object **document,
                              struct spec_refusal *refusal)
{
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < patch->count; i++) {
        size_t length = 0;
        fault = patch_step(a, &patch->step[i], document, refusal);
        if (fault == FAULT_NONE &&
            json_object_to_json_string_length(*document, JSON_C_TO_STRING_PLAIN, &length) == NULL)
            return FAULT_MEMORY;
        if (fault == FAULT_NONE && length > PATCH_DOCUMENT_MAX)
            fault = patch_fail(a, &patch->step[i], FAULT_MALFORMED, "op", "makes the policy longer than 64 KiB", refusal);
    }
    return fault;
}
