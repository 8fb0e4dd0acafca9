/*
 * query: percent-decoding, and the members of a query string or a form.
 */
#ifndef CONSIGN_RESPONDER_QUERY_H
#define CONSIGN_RESPONDER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

#define QUERY_MEMBERS_MAX 32

struct query_member {
    const char *name;
    const char *value;
};

struct query {
    int count;
    struct query_member member[QUERY_MEMBERS_MAX];
};

/* Whether the text is well-formed UTF-8 (RFC 3629). */
bool query_utf8_valid(const char *text) __attribute__((warn_unused_result));

/* Decodes %XX (RFC 3986 section 2.1), and '+' as a blank when `form`. NULL: a malformed escape, a
 * NUL or another control character, bytes that are not UTF-8, or no memory. */
char *query_decode(struct arena *a, const char *text, size_t length, bool form);

/* Reads name=value pairs separated by '&'. False: malformed, too many, or a name that comes twice. */
bool query_parse(struct arena *a, const char *text, struct query *out) __attribute__((warn_unused_result));

/* The same, but values may hold control characters other than NUL: an identity may, and must be found and removed. What
 * is read so goes into no log line and no header. */
bool query_parse_texts(struct arena *a, const char *text, struct query *out) __attribute__((warn_unused_result));

/* The value, or NULL when the name is absent. */
const char *query_get(const struct query *q, const char *name);

/* Whether `text` is a decimal number without sign within the bounds; then in *out. */
bool query_number(const char *text, int64_t least, int64_t most, int64_t *out) __attribute__((warn_unused_result));

#endif
