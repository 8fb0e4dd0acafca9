/*
 * merge_oracle: the rules of merge.h once more, slow and plain, on json-c objects.
 *
 * Builds whole documents and folds them one after the other, as the rules are worded, so that it
 * shares neither code nor method with the merge that it judges. Included by test_merge_random only.
 */
#ifndef CONSIGN_TESTS_MERGE_ORACLE_H
#define CONSIGN_TESTS_MERGE_ORACLE_H

#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "profile/merge.h"
#include "lib/clock.h"

static json_object *oracle_copy(json_object *value)
{
    json_object *copy = NULL;
    if (value != NULL)
        assert_int_equal(json_object_deep_copy(value, &copy, NULL), 0);
    return copy;
}

static bool oracle_is_object(json_object *value)
{
    return value != NULL && json_object_is_type(value, json_type_object);
}

static void oracle_fold_object(json_object *into, json_object *from)
{
    json_object_object_foreach(from, name, value)
    {
        json_object *old = NULL;
        if (json_object_object_get_ex(into, name, &old) && oracle_is_object(old) && oracle_is_object(value))
            oracle_fold_object(old, value);
        else
            json_object_object_add(into, name, oracle_copy(value));
    }
}

static json_object *oracle_entry(json_object *list, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (strcmp(json_object_get_string(json_object_object_get(entry, "id")), id) == 0)
            return entry;
    }
    return NULL;
}

static void oracle_unite(json_object *into, json_object *from)
{
    json_object_object_foreach(from, space, list)
    {
        json_object *own = NULL;
        if (!json_object_is_type(list, json_type_array))
            continue;
        if (!json_object_object_get_ex(into, space, &own)) {
            own = json_object_new_array();
            json_object_object_add(into, space, own);
        }
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            json_object *entry = json_object_array_get_idx(list, i);
            json_object *id = oracle_is_object(entry) ? json_object_object_get(entry, "id") : NULL;
            if (!json_object_is_type(id, json_type_string))
                continue;
            json_object *known = oracle_entry(own, json_object_get_string(id));
            if (known != NULL)
                oracle_fold_object(known, entry);
            else
                json_object_array_add(own, oracle_copy(entry));
        }
    }
}

/* Folds those members that are objects, and of these, `levels` deep, only what is an object again. */
static void oracle_fold_objects(json_object *into, json_object *from, int levels)
{
    json_object_object_foreach(from, name, value)
    {
        json_object *old = NULL;
        if (!oracle_is_object(value))
            continue;
        if (!json_object_object_get_ex(into, name, &old)) {
            old = json_object_new_object();
            json_object_object_add(into, name, old);
        }
        if (levels > 1)
            oracle_fold_objects(old, value, levels - 1);
        else
            oracle_fold_object(old, value);
    }
}

static void oracle_fold(json_object *into, json_object *from)
{
    json_object_object_foreach(from, name, value)
    {
        json_object *old = NULL;
        bool known = json_object_object_get_ex(into, name, &old);
        if (strcmp(name, "identityMap") == 0) {
            if (!known) {
                old = NULL;
                json_object_object_add(into, name, old); /* keeps the place, even of a broken one */
            }
            if (oracle_is_object(value)) {
                if (!oracle_is_object(old)) {
                    old = json_object_new_object();
                    json_object_object_add(into, name, old);
                }
                oracle_unite(old, value);
            }
        } else if (strcmp(name, "segmentMembership") == 0) {
            if (!oracle_is_object(value))
                continue;
            if (!known) {
                old = json_object_new_object();
                json_object_object_add(into, name, old);
            }
            oracle_fold_objects(old, value, 2);
        } else if (known && oracle_is_object(old) && oracle_is_object(value)) {
            oracle_fold_object(old, value);
        } else {
            json_object_object_add(into, name, oracle_copy(value));
        }
    }
}

/* The view of a united identityMap. */
static json_object *oracle_view(json_object *map)
{
    json_object *view = json_object_new_array();
    json_object_object_foreach(map, space, list)
    {
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            json_object *entry = json_object_array_get_idx(list, i);
            json_object *primary = json_object_object_get(entry, "primary");
            json_object *element = json_object_new_object();
            json_object *code = json_object_new_object();
            json_object_object_add(element, "id", oracle_copy(json_object_object_get(entry, "id")));
            json_object_object_add(code, "code", json_object_new_string(space));
            json_object_object_add(element, "namespace", code);
            json_object_object_add(element, "primary",
                                   json_object_new_boolean(json_object_is_type(primary, json_type_boolean) &&
                                                           json_object_get_boolean(primary)));
            json_object_array_add(view, element);
        }
    }
    return view;
}

struct oracle_paths {
    const char *path[16];
    size_t count;
};

/* The paths below the member; *whole when one of them ends with it. */
static struct oracle_paths oracle_below(const struct oracle_paths *paths, const char *name, bool *whole)
{
    struct oracle_paths below = {.count = 0};
    size_t length = strlen(name);
    *whole = false;
    for (size_t i = 0; i < paths->count; i++) {
        if (strncmp(paths->path[i], name, length) != 0)
            continue;
        if (paths->path[i][length] == '\0')
            *whole = true;
        else if (paths->path[i][length] == '.')
            below.path[below.count++] = paths->path[i] + length + 1;
    }
    return below;
}

/* What the paths leave of the value in *kept; false for nothing. */
static bool oracle_keep(json_object *value, const struct oracle_paths *paths, json_object **kept)
{
    bool any = false;
    *kept = NULL;
    if (json_object_is_type(value, json_type_array)) {
        *kept = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            json_object *part;
            bool found = oracle_keep(json_object_array_get_idx(value, i), paths, &part);
            json_object_array_add(*kept, found ? part : json_object_new_object());
            any = any || found;
        }
    } else if (oracle_is_object(value)) {
        *kept = json_object_new_object();
        json_object_object_foreach(value, name, member)
        {
            bool whole;
            struct oracle_paths below = oracle_below(paths, name, &whole);
            json_object *part = NULL;
            bool found = whole;
            if (whole)
                part = oracle_copy(member);
            else if (below.count > 0)
                found = oracle_keep(member, &below, &part);
            if (found)
                json_object_object_add(*kept, name, part);
            any = any || found;
        }
    }
    if (!any) {
        json_object_put(*kept);
        *kept = NULL;
    }
    return any;
}

/* Adds what the paths leave of one member to the row. */
static void oracle_add_kept(json_object *row, const char *name, json_object *value, const struct oracle_paths *paths)
{
    json_object *alone = json_object_new_object();
    json_object *kept;
    json_object_object_add(alone, name, json_object_get(value));
    if (oracle_keep(alone, paths, &kept)) {
        json_object *part = json_object_object_get(kept, name);
        json_object_object_add(row, name, json_object_get(part));
        json_object_put(kept);
    }
    json_object_put(alone);
}

/* Whether one entry of a merged segmentMembership is what is wanted. */
static bool oracle_entry_fits(json_object *entry, const struct merge_membership *wanted)
{
    static const char *const status[] = {"realized", "existing", "exited"};
    json_object *own = json_object_object_get(entry, "status");
    json_object *time = json_object_object_get(entry, "lastQualificationTime");
    bool fits = false;
    int64_t ms;
    for (unsigned i = 0; i < 3; i++)
        if ((wanted->statuses & 1u << i) != 0 && json_object_is_type(own, json_type_string) &&
            strcmp(json_object_get_string(own), status[i]) == 0)
            fits = true;
    if (!fits || (wanted->from_ms == INT64_MIN && wanted->to_ms == INT64_MAX))
        return fits;
    return json_object_is_type(time, json_type_string) &&
           clock_parse_rfc3339(json_object_get_string(time), (size_t)json_object_get_string_len(time), &ms) &&
           ms >= wanted->from_ms && ms <= wanted->to_ms;
}

/* The fold of all fragments, the caller's. */
static json_object *oracle_merge(const char *const *body, size_t count)
{
    json_object *merged = json_object_new_object();
    for (size_t i = 0; i < count; i++) {
        json_object *one = json_tokener_parse(body[i]);
        assert_non_null(one);
        oracle_fold(merged, one);
        json_object_put(one);
    }
    return merged;
}

static bool oracle_has_membership(json_object *merged, const struct merge_membership *wanted)
{
    json_object *map = json_object_object_get(merged, "segmentMembership");
    if (map == NULL)
        return false;
    json_object_object_foreach(map, ns, segments)
    {
        json_object_object_foreach(segments, id, entry)
        {
            if (wanted->ns != NULL && (strcmp(ns, wanted->ns) != 0 || strcmp(id, wanted->id) != 0))
                continue;
            if (oracle_entry_fits(entry, wanted))
                return true;
        }
    }
    return false;
}

/* The row of a profile, as plain text that the caller frees; no paths: all. */
static char *oracle_row(const char *const *body, size_t count, const struct oracle_paths *paths)
{
    json_object *merged = oracle_merge(body, count);
    json_object *row = json_object_new_object();
    json_object_object_foreach(merged, name, value)
    {
        if (strcmp(name, "identityMap") == 0) {
            if (!oracle_is_object(value))
                continue;
            json_object_object_add(row, name, json_object_get(value));
            json_object *view = oracle_view(value);
            if (paths->count > 0 && json_object_array_length(view) > 0)
                oracle_add_kept(row, "identities", view, paths);
            json_object_put(view);
        } else if (paths->count == 0) {
            json_object_object_add(row, name, json_object_get(value));
        } else if (strcmp(name, "identities") != 0) {
            oracle_add_kept(row, name, value, paths);
        }
    }
    char *text = strdup(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));
    json_object_put(row);
    json_object_put(merged);
    return text;
}

#endif
