/*
 * str: a byte buffer that grows up to a bound.
 *
 * For text that is built piece by piece: rows of an export, replies, messages. An append that
 * would pass the bound, or fails to allocate, sets `overflow` and drops the bytes; the caller
 * checks the flag once at the end. The content is always NUL-terminated while data is not NULL.
 */
#ifndef CONSIGN_LIB_STR_H
#define CONSIGN_LIB_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *data;
    size_t length;
    size_t capacity;
    size_t bound; /* most bytes it may hold, terminator included */
    bool overflow;
};

/* An empty buffer that holds at most `bound` bytes; nothing is allocated yet. */
#define STR_INIT(bytes) ((struct str){.bound = (bytes)})

void str_free(struct str *s);

/* Empties it and clears the overflow flag; keeps the memory. */
void str_reset(struct str *s);

void str_append(struct str *s, const char *bytes, size_t length);
void str_append_text(struct str *s, const char *text);
void str_append_char(struct str *s, char c);
void str_append_int(struct str *s, int64_t n);
void str_printf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends plain UTF-8 as a JSON string with its quotes (RFC 8259 section 7); bytes that are not
 * well-formed UTF-8 must have been refused before. */
void str_append_json(struct str *s, const char *bytes, size_t length);

/* Copies a text that fits by a rule checked before; one that does not ends the process. `size` is the room
 * at `out`, terminator included. */
void str_copy_fitting(char *out, size_t size, const char *text);

#endif
