/*
 * observed: a record added to an observed schema, and what counts as a date-time. See observed.h.
 *
 * Members of one store tend to come in one order, so the member after the one found last is tried before any
 * search.
 */
#include "core/observed.h"

#include <string.h>

#include "core/observed_internal.h"
#include "lib/clock.h"
#include "lib/jscan_name.h"

#define OBSERVED_AHEAD 4u       /* siblings that are tried in order: members that a record leaves out */
#define OBSERVED_MOMENT_MIN 20u /* 2024-01-01T00:00:00Z */
#define OBSERVED_MOMENT_MAX 29u /* 2024-01-01T00:00:00.123+00:00 */

static bool observed_datetime_plain(const char *text, size_t length, int64_t *ms)
{
    if (length < OBSERVED_MOMENT_MIN || length > OBSERVED_MOMENT_MAX || text[4] != '-' || text[13] != ':')
        return false;
    /* a leap second is no millisecond since 1970 of its own */
    if (text[17] == '6')
        return false;
    if (text[19] == '.') {
        size_t digits = 0;
        while (20 + digits < length && text[20 + digits] >= '0' && text[20 + digits] <= '9')
            digits++;
        if (digits > 3)
            return false;
    }
    return clock_parse_rfc3339(text, length, ms);
}

bool observed_datetime(const struct jscan *scan, uint32_t string, int64_t *ms)
{
    const struct jscan_node *node = &scan->node[string];
    size_t length = node->end - node->begin;
    char plain[6 * OBSERVED_MOMENT_MAX]; /* an escape takes at most six bytes for one */
    int64_t time;
    if (ms == NULL)
        ms = &time;
    if (node->escaped == 0)
        return observed_datetime_plain(scan->text + node->begin, length, ms);
    if (length > sizeof plain)
        return false;
    length = jscan_string_copy(scan, string, plain);
    return observed_datetime_plain(plain, length, ms);
}

static enum observed_type observed_type_of(const struct jscan *scan, uint32_t value)
{
    switch ((enum jscan_type)scan->node[value].type) {
    case JSCAN_NULL:
        return OBSERVED_NULL;
    case JSCAN_FALSE:
    case JSCAN_TRUE:
        return OBSERVED_BOOLEAN;
    case JSCAN_INTEGER:
        return OBSERVED_INTEGER;
    case JSCAN_NUMBER:
        return OBSERVED_NUMBER;
    case JSCAN_STRING:
        return observed_datetime(scan, value, NULL) ? OBSERVED_DATETIME : OBSERVED_STRING;
    case JSCAN_ARRAY:
        return OBSERVED_ARRAY;
    case JSCAN_OBJECT:
        break;
    }
    return OBSERVED_OBJECT;
}

static void observed_add_value(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t value);

/* The member of `parent` that the tape's string names; 0: see observed_member(). `expected` is tried first. */
static uint32_t observed_find(struct observed *o, uint32_t parent, const struct jscan *scan, uint32_t name,
                              uint32_t expected)
{
    const struct jscan_node *string = &scan->node[name];
    const char *bytes = scan->text + string->begin;
    size_t length = string->end - string->begin;
    char plain[6 * OBSERVED_NAME_MAX];
    if (string->escaped != 0) {
        if (length > sizeof plain) /* whatever it says, it is longer than OBSERVED_NAME_MAX */
            return observed_member(o, parent, bytes, length);
        length = jscan_string_copy(scan, name, plain);
        bytes = plain;
    }
    for (uint32_t tries = 0; tries < OBSERVED_AHEAD && expected != 0; tries++) {
        const struct observed_node *node = &o->node[expected];
        if (node->name_length == length && memcmp(node->name, bytes, length) == 0)
            return expected;
        expected = node->next;
    }
    return observed_member(o, parent, bytes, length);
}

static void observed_add_members(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t object)
{
    uint32_t end = scan->node[object].next, expected = o->node[at].member;
    for (uint32_t name = object + 1; name < end && !o->node[at].open; name = scan->node[name + 1].next) {
        uint32_t member = observed_find(o, at, scan, name, expected);
        if (member == 0)
            return;
        observed_add_value(o, member, scan, name + 1);
        expected = o->node[member].next; /* of a node that was dropped meanwhile: `at` is open then */
    }
}

static void observed_add_map(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t object)
{
    uint32_t end = scan->node[object].next;
    for (uint32_t name = object + 1; name < end && !o->node[at].open; name = scan->node[name + 1].next) {
        uint32_t value = observed_value(o, at);
        if (value == 0)
            return;
        observed_add_value(o, value, scan, name + 1);
    }
}

static void observed_add_elements(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t array)
{
    uint32_t end = scan->node[array].next;
    for (uint32_t element = array + 1; element < end && !o->node[at].open; element = scan->node[element].next) {
        uint32_t below = observed_element(o, at);
        if (below == 0)
            return;
        observed_add_value(o, below, scan, element);
    }
}

static void observed_add_value(struct observed *o, uint32_t at, const struct jscan *scan, uint32_t value)
{
    enum observed_type type = observed_type_of(scan, value);
    observed_count(&o->node[at], type, 1);
    if (o->node[at].open)
        return;
    if (type == OBSERVED_ARRAY)
        observed_add_elements(o, at, scan, value);
    else if (type == OBSERVED_OBJECT && observed_is_map(o, at))
        observed_add_map(o, at, scan, value);
    else if (type == OBSERVED_OBJECT)
        observed_add_members(o, at, scan, value);
}

bool observed_add(struct observed *o, const struct jscan *scan)
{
    observed_add_value(o, 0, scan, 0);
    return !o->private->exhausted;
}
