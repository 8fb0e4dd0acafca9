/*
 * jscan_internal: what the files of jscan share. Nothing outside jscan*.c includes this.
 */
#ifndef CONSIGN_LIB_JSCAN_INTERNAL_H
#define CONSIGN_LIB_JSCAN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/jscan.h"

/* What stopped a helper, and where. JSCAN_OK while nothing did. */
struct jscan_stop {
    enum jscan_fault fault;
    const unsigned char *at;
};

/* Reads the rest of a string from `p`, any place in it between two characters, to its closing
 * quote, whose place it returns; sets *escaped when it meets a backslash. NULL and *stop after a fault. */
const unsigned char *jscan_string_rest(const unsigned char *p, const unsigned char *end, uint8_t *escaped,
                                       struct jscan_stop *stop);

/* Reads the number that begins at `p` with a digit or a minus: checks its form and range, tells
 * whether it is an integer, returns the place after it. NULL and *stop after a fault. */
const unsigned char *jscan_number_read(const unsigned char *p, const unsigned char *end, enum jscan_type *type,
                                       struct jscan_stop *stop);

/* Checks that the members of a finished object have unique names. JSCAN_DUPLICATE and the second
 * name's node in *second, or JSCAN_MEMORY. */
enum jscan_fault jscan_unique_check(struct jscan *scan, uint32_t object, uint32_t *second);

/* Takes one character of an accepted string at `at`: 1 to 4 plain UTF-8 bytes to piece. Returns
 * the place after it. */
const char *jscan_unescape(const char *at, char piece[4], size_t *length);

/* The value of four hex digits, or -1. */
int jscan_hex4(const unsigned char *p);

#endif
