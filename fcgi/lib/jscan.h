/*
 * jscan: the strict JSON scanner.
 *
 * Every JSON text that comes from outside passes here before anything else
 * reads it: request bodies, token parts, ingested records. It accepts what
 * RFC 8259 defines, narrowed by I-JSON (RFC 7493): UTF-8 only, no lone
 * surrogate, no U+0000, unique member names after unescaping, integers within
 * +-(2^53-1), numbers that a double can hold. Nothing is repaired.
 *
 * The result is a tape: one node a value, in document order, that points into
 * the caller's text. Nothing is copied, so the tape is valid as long as the
 * text is. An object's members are pairs of nodes: name (JSCAN_STRING), value.
 *
 * SECURITY: json-c 0.16 accepts NaN, raw control characters, invalid UTF-8 and
 * duplicate names. A text that did not pass here must never reach it.
 */
#ifndef CONSIGN_LIB_JSCAN_H
#define CONSIGN_LIB_JSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jscan_type {
    JSCAN_NULL,
    JSCAN_FALSE,
    JSCAN_TRUE,
    JSCAN_INTEGER, /* no fraction, no exponent; within +-(2^53-1) */
    JSCAN_NUMBER,  /* any other number; finite as a double */
    JSCAN_STRING,
    JSCAN_ARRAY,
    JSCAN_OBJECT
};

enum jscan_fault {
    JSCAN_OK = 0,
    JSCAN_EMPTY,      /* no value at all */
    JSCAN_SYNTAX,     /* a byte that the grammar does not allow here */
    JSCAN_TRUNCATED,  /* the text ends inside a value */
    JSCAN_TRAILING,   /* something other than white space after the value */
    JSCAN_BOM,        /* starts with U+FEFF (RFC 8259 section 8.1) */
    JSCAN_UTF8,       /* not well-formed UTF-8 (RFC 3629) */
    JSCAN_CONTROL,    /* unescaped control character in a string */
    JSCAN_ESCAPE,     /* unknown escape or bad hex digits */
    JSCAN_NUL,        /* \u0000 */
    JSCAN_SURROGATE,  /* lone surrogate */
    JSCAN_NUMBER_FORM,/* leading zero, bare minus, missing digits */
    JSCAN_RANGE,      /* integer beyond +-(2^53-1), or a number that is not finite as a double */
    JSCAN_DUPLICATE,  /* member name twice in one object, compared after unescaping */
    JSCAN_DEPTH,      /* nested deeper than the limit */
    JSCAN_TOO_LONG,   /* text longer than the limit */
    JSCAN_TOO_MANY,   /* more nodes than the limit */
    JSCAN_MEMORY      /* the tape could not grow */
};

struct jscan_node {
    uint32_t begin;  /* byte offset in the text; a string's first byte after its quote */
    uint32_t end;    /* one past the last byte; a string's closing quote */
    uint32_t next;   /* tape index of the node after this value and all inside it */
    uint32_t count;  /* members of an object, elements of an array, else 0 */
    uint8_t type;    /* enum jscan_type */
    uint8_t escaped; /* a string that holds a backslash: compare and print unescaped */
};

struct jscan_limits {
    uint32_t depth; /* the outermost array or object is depth 1 */
    uint32_t bytes; /* of the whole text; never above UINT32_MAX - 1 */
    uint32_t nodes; /* of the tape, which then grows no further than that; 0: no bound */
};

/* contract.md section 3 */
#define JSCAN_REQUEST_LIMITS ((struct jscan_limits){.depth = 16, .bytes = 1024u * 1024u})

/* A scanner with its tape, kept from text to text so that a scan allocates nothing once warm.
 * Zero it with JSCAN_INIT; release it with jscan_free(). The members below are read-only to callers. */
struct jscan {
    const char *text;
    size_t length;
    struct jscan_node *node; /* node[0] is the document's value */
    uint32_t count;
    uint32_t capacity;
    size_t fault_offset; /* byte offset of the first fault after a refusal */
    void *scratch;       /* for the duplicate check of wide objects */
    size_t scratch_size;
};

#define JSCAN_INIT ((struct jscan){0})

/* Scans `length` bytes at `text` as one JSON text. JSCAN_OK and the tape, or the first fault and
 * its offset in fault_offset; after a fault the tape must not be read. */
enum jscan_fault jscan_document(struct jscan *scan, const char *text, size_t length,
                                struct jscan_limits limits) __attribute__((warn_unused_result));

/* Like jscan_document(), but stops after the first value and tells in *used how many bytes it and
 * the white space before it took. For texts that hold several values, one after the other. */
enum jscan_fault jscan_value(struct jscan *scan, const char *text, size_t length, struct jscan_limits limits,
                             size_t *used) __attribute__((warn_unused_result));

/* Gives back the memory that the finished tape does not need. It stays readable, but its nodes may move. */
void jscan_trim(struct jscan *scan);

void jscan_free(struct jscan *scan);

/* A short English reason for a fault ("duplicate member name"), never NULL. */
const char *jscan_reason(enum jscan_fault fault);

/* Tape index of the value of the object's member `name` (plain UTF-8), or 0 when it has none or
 * `object` is not an object. 0 is never a member's value: node 0 is the document. */
uint32_t jscan_member(const struct jscan *scan, uint32_t object, const char *name);

/* Whether the string node equals the plain UTF-8 `bytes`, escapes resolved. */
bool jscan_string_equals(const struct jscan *scan, uint32_t string, const char *bytes, size_t length);

/* Writes the string node, escapes resolved, to out (no terminator). At most end - begin bytes.
 * Returns the number of bytes written. */
size_t jscan_string_copy(const struct jscan *scan, uint32_t string, char *out);

/* The value of a JSCAN_INTEGER node. */
int64_t jscan_integer(const struct jscan *scan, uint32_t number);

#endif
