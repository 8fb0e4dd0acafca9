/*
 * refused: the records of a batch that were not taken, counted and the first of them kept.
 *
 * What is kept becomes rows of consign.batch_error, by way of one JSON array as an SQL parameter.
 * Caller: store/ingest.
 */
#ifndef CONSIGN_STORE_REFUSED_H
#define CONSIGN_STORE_REFUSED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#define REFUSED_SHOWN_BYTES 1024u                /* of a record's text */
#define REFUSED_MOST_BYTES (32u * 1024u * 1024u) /* of all that is kept */

struct refused_record {
    const char *file; /* the client's name */
    int64_t line;     /* of the record's first byte, from 1 */
    int64_t offset;
    const char *code;
    const char *reason;
    const char *text; /* any bytes */
    size_t length;
};

struct refused {
    int64_t count;
    int64_t keep; /* at most so many are kept */
    int64_t kept;
    struct str list; /* the array without its brackets */
};

void refused_init(struct refused *refused, int64_t keep);
void refused_free(struct refused *refused);

void refused_add(struct refused *refused, const struct refused_record *record);

/* Appends `[{file, line, byte_offset, code, reason, record}, ...]` to out. */
void refused_write(const struct refused *refused, struct str *out);

/* Appends bytes as a JSON string that PostgreSQL takes as text: at most `most` of them, cut in front of
 * a character, and U+FFFD for NUL and for what is not UTF-8 (RFC 3629). */
void refused_write_text(struct str *out, const char *bytes, size_t length, size_t most);

#endif
