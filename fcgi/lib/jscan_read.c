/*
 * jscan_read: reading values from a finished tape, and the names of the faults. See jscan.h.
 */
#include <string.h>

#include "lib/invariant.h"
#include "lib/jscan_internal.h"
#include "lib/jscan_name.h"

static const char *const reasons[] = {
    [JSCAN_OK] = "no fault",
    [JSCAN_EMPTY] = "no JSON value",
    [JSCAN_SYNTAX] = "unexpected character",
    [JSCAN_TRUNCATED] = "the text ends too early",
    [JSCAN_TRAILING] = "more text after the value",
    [JSCAN_BOM] = "byte order mark",
    [JSCAN_UTF8] = "not well-formed UTF-8",
    [JSCAN_CONTROL] = "control character in a string",
    [JSCAN_ESCAPE] = "unknown or broken escape",
    [JSCAN_NUL] = "U+0000 in a string",
    [JSCAN_SURROGATE] = "lone surrogate",
    [JSCAN_NUMBER_FORM] = "malformed number",
    [JSCAN_RANGE] = "number out of range",
    [JSCAN_DUPLICATE] = "duplicate member name",
    [JSCAN_DEPTH] = "nested too deep",
    [JSCAN_TOO_LONG] = "text too long",
    [JSCAN_TOO_MANY] = "too many values",
    [JSCAN_MEMORY] = "out of memory",
};

const char *jscan_reason(enum jscan_fault fault)
{
    size_t index = (size_t)fault;
    return index < sizeof reasons / sizeof reasons[0] ? reasons[index] : "unknown fault";
}

uint32_t jscan_member(const struct jscan *scan, uint32_t object, const char *name)
{
    size_t length = strlen(name);
    if (scan->node[object].type != JSCAN_OBJECT)
        return 0;
    uint32_t at = object + 1;
    for (uint32_t i = 0; i < scan->node[object].count; i++) {
        if (jscan_string_equals(scan, at, name, length))
            return at + 1;
        at = scan->node[at + 1].next;
    }
    return 0;
}

bool jscan_string_equals(const struct jscan *scan, uint32_t string, const char *bytes, size_t length)
{
    const struct jscan_node *node = &scan->node[string];
    if (node->type != JSCAN_STRING)
        return false;
    if (node->escaped == 0 && node->end - node->begin != length)
        return false;
    return jscan_string_compare(scan, string, bytes, length) == 0;
}

size_t jscan_string_copy(const struct jscan *scan, uint32_t string, char *out)
{
    const struct jscan_node *node = &scan->node[string];
    const char *at = scan->text + node->begin;
    const char *end = scan->text + node->end;
    size_t written = 0;

    if (node->escaped == 0) {
        memcpy(out, at, (size_t)(end - at));
        return (size_t)(end - at);
    }
    while (at < end) {
        char piece[4];
        size_t length;
        at = jscan_unescape(at, piece, &length);
        memcpy(out + written, piece, length);
        written += length;
    }
    return written;
}

int64_t jscan_integer(const struct jscan *scan, uint32_t number)
{
    const struct jscan_node *node = &scan->node[number];
    const char *at = scan->text + node->begin;
    const char *end = scan->text + node->end;
    int64_t value = 0;

    INVARIANT(node->type == JSCAN_INTEGER);
    bool negative = *at == '-';
    if (negative)
        at++;
    for (; at < end; at++)
        value = value * 10 + (*at - '0');
    return negative ? -value : value;
}
