/*
 * jscan_name: keys, hashes and comparison of strings on a tape. See jscan_name.h.
 *
 * Strings without a backslash, nearly all of them, are compared as they stand in the text. The
 * others go byte by byte through a reader that resolves escapes as it goes, so nothing is ever
 * copied or allocated for a comparison.
 */
#include "lib/jscan_name.h"

#include <string.h>

#include "lib/jscan_internal.h"

/* Reads a string's bytes one after the other, escapes resolved. */
struct unescaper {
    const char *at;
    const char *end;
    char piece[4]; /* the character being handed out */
    size_t taken;
    size_t held;
};

static struct unescaper unescaper_open(const struct jscan *scan, uint32_t string)
{
    const struct jscan_node *node = &scan->node[string];
    return (struct unescaper){.at = scan->text + node->begin, .end = scan->text + node->end};
}

/* The next byte, or -1 at the end. */
static int unescaper_next(struct unescaper *u)
{
    if (u->taken == u->held) {
        if (u->at == u->end)
            return -1;
        u->at = jscan_unescape(u->at, u->piece, &u->held);
        u->taken = 0;
    }
    return (unsigned char)u->piece[u->taken++];
}

uint64_t jscan_string_key_slow(const struct jscan *scan, uint32_t string)
{
    struct unescaper u = unescaper_open(scan, string);
    unsigned char head[8] = {0};
    unsigned char tail[8] = {0};
    uint64_t length = 0;
    uint64_t words[2];

    for (int c = unescaper_next(&u); c >= 0; c = unescaper_next(&u)) {
        if (length < 8)
            head[length] = (unsigned char)c;
        memmove(tail, tail + 1, 7);
        tail[7] = (unsigned char)c;
        length++;
    }
    if (length < 8)
        memset(tail, 0, sizeof tail);
    memcpy(&words[0], head, 8);
    memcpy(&words[1], tail, 8);
    return jscan_key_of(words[0], words[1], length);
}

uint64_t jscan_string_hash(const struct jscan *scan, uint32_t string, const struct siphash_key *key)
{
    const struct jscan_node *node = &scan->node[string];
    const char *at = scan->text + node->begin;
    const char *end = scan->text + node->end;
    struct siphash hash;

    siphash_begin(&hash, key);
    if (node->escaped == 0) {
        siphash_add(&hash, at, (size_t)(end - at));
        return siphash_end(&hash);
    }
    while (at < end) {
        char piece[4];
        size_t length;
        at = jscan_unescape(at, piece, &length);
        siphash_add(&hash, piece, length);
    }
    return siphash_end(&hash);
}

bool jscan_strings_equal(const struct jscan *a, uint32_t a_string, const struct jscan *b, uint32_t b_string)
{
    const struct jscan_node *x = &a->node[a_string];
    const struct jscan_node *y = &b->node[b_string];

    if (x->escaped == 0 && y->escaped == 0 && x->end - x->begin != y->end - y->begin)
        return false;
    if (x->escaped == 0)
        return jscan_string_compare(b, b_string, a->text + x->begin, x->end - x->begin) == 0;
    if (y->escaped == 0)
        return jscan_string_compare(a, a_string, b->text + y->begin, y->end - y->begin) == 0;
    struct unescaper u = unescaper_open(a, a_string);
    struct unescaper v = unescaper_open(b, b_string);
    int c;
    do {
        c = unescaper_next(&u);
        if (c != unescaper_next(&v))
            return false;
    } while (c >= 0);
    return true;
}

int jscan_string_compare(const struct jscan *scan, uint32_t string, const char *bytes, size_t length)
{
    const struct jscan_node *node = &scan->node[string];

    if (node->escaped == 0) {
        size_t own = node->end - node->begin;
        int order = memcmp(scan->text + node->begin, bytes, own < length ? own : length);
        return order != 0 ? order : (own > length) - (own < length);
    }
    struct unescaper u = unescaper_open(scan, string);
    for (size_t i = 0; i < length; i++) {
        int difference = unescaper_next(&u) - (unsigned char)bytes[i];
        if (difference != 0)
            return difference;
    }
    return unescaper_next(&u) < 0 ? 0 : 1;
}
