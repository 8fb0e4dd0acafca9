/*
 * schema_place: where a value of a text stands, as a JSON pointer. Made when something is refused, not before.
 */
#include <string.h>

#include "profile/schema_internal.h"

struct place {
    char *out;
    size_t length;
    size_t room;
    bool full;
};

static void place_put(struct place *p, const char *bytes, size_t length)
{
    p->full = p->full || length > p->room - p->length;
    if (p->full)
        return;
    memcpy(p->out + p->length, bytes, length);
    p->length += length;
}

/* One name, character by character so that what is cut is whole. */
static void place_put_name(struct place *p, const char *bytes, size_t length)
{
    place_put(p, "/", 1);
    for (size_t i = 0; i < length;) {
        size_t next = i + 1;
        while (next < length && ((unsigned char)bytes[next] & 0xc0) == 0x80)
            next++;
        if (bytes[i] == '~')
            place_put(p, "~0", 2);
        else if (bytes[i] == '/')
            place_put(p, "~1", 2);
        else
            place_put(p, bytes + i, next - i);
        i = next;
    }
}

const char *schema_plain(const struct jscan *scan, uint32_t string, char *room, size_t size, size_t *length)
{
    const struct jscan_node *node = &scan->node[string];
    *length = node->end - node->begin;
    if (node->escaped == 0)
        return scan->text + node->begin;
    if (*length > size)
        return NULL;
    *length = jscan_string_copy(scan, string, room);
    return room;
}

static void place_put_member(struct place *p, const struct jscan *scan, uint32_t string)
{
    char room[6 * SCHEMA_PLACE_MAX];
    size_t length;
    const char *plain = schema_plain(scan, string, room, sizeof room, &length);
    if (plain == NULL)
        p->full = true; /* too long to be shown */
    else
        place_put_name(p, plain, length);
}

static void place_put_index(struct place *p, uint32_t index)
{
    char digits[12];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    digits[--at] = '/';
    place_put(p, digits + at, sizeof digits - at);
}

/* The child of `at` that `node` lies in. */
static uint32_t place_step(struct place *p, const struct jscan *scan, uint32_t at, uint32_t node)
{
    bool object = scan->node[at].type == JSCAN_OBJECT;
    uint32_t index = 0, child = at + 1 + object;
    while (scan->node[child].next <= node) {
        child = scan->node[child].next + object;
        index++;
    }
    if (object)
        place_put_member(p, scan, child - 1);
    else
        place_put_index(p, index);
    return child;
}

size_t schema_place(const struct jscan *scan, uint32_t node, const char *name, char *out, size_t size)
{
    struct place p = {.out = out, .room = size - 1};
    for (uint32_t at = 0; at != node && !p.full;)
        at = place_step(&p, scan, at, node);
    if (name != NULL)
        place_put_name(&p, name, strlen(name));
    out[p.length] = '\0';
    return p.length;
}
