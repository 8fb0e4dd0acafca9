/*
 * jscan_name: JSON strings of a tape as keys, compared after unescaping.
 *
 * For code that looks members up or groups them: jscan's own duplicate check, the projection and
 * the merge of the export. "na\u006de" and "name" are the same key everywhere.
 *
 * All nodes here must be JSCAN_STRING nodes of an accepted text.
 */
#ifndef CONSIGN_LIB_JSCAN_NAME_H
#define CONSIGN_LIB_JSCAN_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/jscan.h"
#include "lib/siphash.h"

/* The key of a string that holds escapes, or stands at the very end of its text. */
uint64_t jscan_string_key_slow(const struct jscan *scan, uint32_t string);

static inline uint64_t jscan_key_of(uint64_t head, uint64_t tail, uint64_t length)
{
    return (head ^ (tail << 32 | tail >> 32)) + length * UINT64_C(0x9e3779b97f4a7c15);
}

/* A cheap value that is equal for equal strings and mostly differs for others: made of the length
 * and of the first and last eight bytes. Easy to collide on purpose: for small sets only. */
static inline uint64_t jscan_string_key(const struct jscan *scan, uint32_t string)
{
    /* Eight bytes of it, taken from 8 - n, keep the first n bytes of a word on any byte order. */
    static const unsigned char keep[16] = {255, 255, 255, 255, 255, 255, 255, 255};
    const struct jscan_node *node = &scan->node[string];
    const char *bytes = scan->text + node->begin;
    size_t length = node->end - node->begin;
    uint64_t head;
    uint64_t tail;

    if (node->escaped != 0 || scan->length - node->begin < 8)
        return jscan_string_key_slow(scan, string);
    memcpy(&head, bytes, 8);
    if (length < 8) {
        memcpy(&tail, keep + 8 - length, 8);
        return jscan_key_of(head & tail, 0, length);
    }
    memcpy(&tail, bytes + length - 8, 8);
    return jscan_key_of(head, tail, length);
}

/* A keyed hash of the whole string, for large sets. */
uint64_t jscan_string_hash(const struct jscan *scan, uint32_t string, const struct siphash_key *key);

/* Whether two strings, of one or of two texts, are the same. */
bool jscan_strings_equal(const struct jscan *a, uint32_t a_string, const struct jscan *b, uint32_t b_string);

/* The order of the string against plain UTF-8 bytes, as memcmp() orders, a prefix first: below,
 * equal to or above 0. */
int jscan_string_compare(const struct jscan *scan, uint32_t string, const char *bytes, size_t length);

#endif
