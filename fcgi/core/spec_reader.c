/*
 * spec_reader: typed members of an export request. See spec_reader.h.
 */
#include "core/spec_reader.h"

#include <string.h>

#include "lib/clock.h"

/* What the export engine's projection takes; a job that is accepted must not fail there. */
#define SPEC_PATHS_MAX 1000
#define SPEC_DEPTH_MAX 64
#define SPEC_NAME_MAX SPEC_SEGMENT_BYTES

enum fault spec_malformed(struct spec_reader *r, const char *pointer, const char *detail)
{
    *r->refusal = (struct spec_refusal){pointer, detail};
    return FAULT_MALFORMED;
}

enum fault spec_member(struct spec_reader *r, struct json_object *parent, const char *name, enum json_type type,
                       const char *pointer, struct json_object **out)
{
    bool present = false;
    *out = jsonio_member(parent, name, &present);
    if (!present || json_object_is_type(*out, type))
        return FAULT_NONE;
    static const char *const RULES[] = {
        [json_type_boolean] = "must be a boolean", [json_type_object] = "must be an object",
        [json_type_array] = "must be an array",    [json_type_string] = "must be a string",
        [json_type_int] = "must be an integer",    [json_type_double] = "must be a number",
    };
    return spec_malformed(r, pointer, RULES[type]);
}

enum fault spec_flag(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                     bool *out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_boolean, pointer, &value);
    *out = fault == FAULT_NONE && value != NULL && json_object_get_boolean(value);
    return fault;
}

static bool spec_is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* One path: segments separated by dots, none of them empty, no control characters. */
static bool spec_path_valid(const char *path, size_t length)
{
    size_t segment = 0, segments = 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)path[i];
        if (spec_is_control(c) || (c == '.' && segment == 0))
            return false;
        segments += c == '.';
        segment = c == '.' ? 0 : segment + 1;
    }
    return segment > 0 && segments <= SPEC_DEPTH_MAX;
}

bool spec_fields_valid(const char *text, size_t length)
{
    static const char BLANKS[] = " \t";
    size_t paths = 0;
    if (strspn(text, BLANKS) == length)
        return true; /* all fields */
    for (const char *end = text + length;; text++) {
        text += strspn(text, BLANKS);
        size_t path = strcspn(text, ","), kept = path;
        while (kept > 0 && strchr(BLANKS, text[kept - 1]) != NULL)
            kept--;
        if (!spec_path_valid(text, kept) || ++paths > SPEC_PATHS_MAX)
            return false;
        text += path;
        if (text == end)
            return true;
    }
}

enum fault spec_fields(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                       const char **out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_string, pointer, &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    if (!spec_fields_valid(text, length))
        return spec_malformed(r, pointer, "must be at most 1000 dot paths separated by commas, without empty segments");
    *out = arena_copy(r->arena, text, length);
    return FAULT_NONE;
}

enum fault spec_moment(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                       int64_t *out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_string, pointer, &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    if (!clock_parse_rfc3339(json_object_get_string(value), (size_t)json_object_get_string_len(value), out))
        return spec_malformed(r, pointer, "must be a date-time of RFC 3339 with an offset");
    return FAULT_NONE;
}

enum fault spec_name(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                     const char **out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_string, pointer, &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    bool good = length >= 1 && length <= SPEC_NAME_MAX;
    for (size_t i = 0; i < length; i++)
        good = good && !spec_is_control((unsigned char)text[i]);
    if (!good)
        return spec_malformed(r, pointer, "must have 1 to 255 bytes, without control characters");
    *out = arena_copy(r->arena, text, length);
    return FAULT_NONE;
}
