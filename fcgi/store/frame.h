/*
 * frame: where a record ends. The state machine behind upload, fed piece by piece.
 */
#ifndef CONSIGN_STORE_FRAME_H
#define CONSIGN_STORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_state {
    FRAME_OPEN,  /* needs more bytes */
    FRAME_WHOLE, /* the record ended with the last byte that was taken */
    FRAME_BROKEN /* an element whose brackets or quotes do not fit: reason */
};

struct frame {
    bool line;      /* ends with the line; else an element of an array */
    char delimiter; /* of a line that is a row of CSV: of its fields; else NUL */
    enum frame_state state;
    bool in_string; /* of a row: in a quoted field */
    bool escaped;   /* of a row: behind a quote that may be one of two */
    bool in_field;  /* of a row: not at the beginning of a field */
    uint32_t depth;
    uint64_t kinds; /* bit n: bracket n+1 from outside is a brace */
    const char *reason;
};

#define FRAME_LINE ((struct frame){.line = true})
#define FRAME_ROW(between) ((struct frame){.line = true, .delimiter = (between)})
#define FRAME_ELEMENT ((struct frame){.line = false})

/* Looks at further bytes; answers how many belong to the record. */
size_t frame_scan(struct frame *frame, const char *bytes, size_t length);

/* The file ended here. */
void frame_end(struct frame *frame);

/* Whether c is white space between tokens (RFC 8259 section 2). */
static inline bool frame_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
