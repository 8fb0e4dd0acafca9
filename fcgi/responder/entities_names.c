/*
 * entities_names: what queries and bodies have in common: names of profiles, orders, cursors, fields. See
 * entities.h.
 */
#include <stdlib.h>
#include <string.h>

#include "profile/record.h"
#include "responder/entities.h"

#define NUMBER_MOST ((INT64_C(1) << 53) - 1)
#define CURSOR_TIME_MOST 20 /* digits */

const char *entity_ns_rule(const char *ns)
{
    size_t length = strlen(ns);
    return length >= 1 && length <= RECORD_NAMESPACE_MAX ? NULL : "must be a namespace of 1 to 255 bytes";
}

const char *entity_id_rule(const char *id)
{
    size_t length = strlen(id);
    return length >= 1 && length <= RECORD_VALUE_MAX ? NULL : "must be an id of 1 to 1024 bytes";
}

const char *entity_names_text(struct call *c, const struct entity_request *r)
{
    struct str *text = entity_buffer(c, ENTITY_NAMES_BYTES);
    if (text == NULL)
        return NULL;
    for (uint32_t i = 0; i < r->names; i++) {
        str_append_text(text, i == 0 ? "[[" : ",[");
        str_append_json(text, r->name[i].ns, strlen(r->name[i].ns));
        str_append_char(text, ',');
        str_append_json(text, r->name[i].id, strlen(r->name[i].id));
        str_append_char(text, ']');
    }
    str_append_char(text, ']');
    return text->overflow ? NULL : text->data;
}

bool entity_read_order(const char *text, bool *descending)
{
    *descending = *text == '-';
    return strcmp(text + (*text == '-' || *text == '+' || *text == ' '), "timestamp") == 0;
}

bool entity_read_number(const char *text, int64_t *out)
{
    bool minus = *text == '-';
    if (!query_number(text + minus, 0, NUMBER_MOST, out))
        return false;
    *out = minus ? -*out : *out;
    return true;
}

static void names_free_projection(void *projection)
{
    projection_free(projection);
}

enum fault entity_compile(struct call *c, struct entity_request *r, const char **rule)
{
    struct projection_error error;
    r->projection = arena_alloc(c->arena, sizeof *r->projection);
    if (r->projection == NULL)
        return FAULT_MEMORY;
    enum fault fault = projection_compile(r->projection, r->fields, strlen(r->fields), &error);
    if (!arena_own(c->arena, r->projection, names_free_projection))
        return FAULT_MEMORY;
    if (fault == FAULT_MALFORMED)
        *rule = arena_printf(c->arena, "%s at byte %zu", error.reason, error.offset);
    return fault;
}

/* The event id in hex digits: it may be any text, and a cursor goes through URLs. */
const char *entity_cursor_print(struct call *c, int64_t time_ms, int64_t skip, const char *event)
{
    static const char HEX[] = "0123456789abcdef";
    size_t length = strlen(event);
    char *digits = arena_alloc(c->arena, 2 * length + 1);
    if (digits == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        digits[2 * i] = HEX[(unsigned char)event[i] >> 4];
        digits[2 * i + 1] = HEX[(unsigned char)event[i] & 15];
    }
    return arena_printf(c->arena, "%lld_%lld_%s", (long long)time_ms, (long long)skip, digits);
}

/* The text that the hex digits stand for, if it can be an event id. */
static const char *cursor_event(struct call *c, const char *digits)
{
    size_t length = strlen(digits);
    char *bytes = arena_alloc(c->arena, length / 2 + 1);
    if (bytes == NULL || length == 0 || length % 2 != 0 || length > 2 * RECORD_VALUE_MAX ||
        strspn(digits, "0123456789abcdef") != length)
        return NULL;
    for (size_t i = 0; i < length / 2; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(pair, NULL, 16);
    }
    return strlen(bytes) == length / 2 && query_utf8_valid(bytes) ? bytes : NULL;
}

bool entity_cursor_read(struct call *c, const char *text, struct entity_cursor *out)
{
    const char *skip = strchr(text, '_'), *event = skip == NULL ? NULL : strchr(skip + 1, '_');
    if (event == NULL || skip - text > CURSOR_TIME_MOST || event - skip > CURSOR_TIME_MOST)
        return false;
    const char *time = arena_copy(c->arena, text, (size_t)(skip - text));
    const char *count = arena_copy(c->arena, skip + 1, (size_t)(event - skip - 1));
    out->text = text;
    out->event = cursor_event(c, event + 1);
    return time != NULL && count != NULL && out->event != NULL && entity_read_number(time, &out->time_ms) &&
           query_number(count, 0, INT32_MAX, &out->skip);
}
