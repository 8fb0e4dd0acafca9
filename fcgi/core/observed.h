/*
 * observed: which members the records of a dataset have, and of which types.
 *
 * Kept per dataset beside the profile store: ingestion adds every record it accepts and merges the result
 * into the stored text in the transaction that stores the records, so whatever a snapshot of the store
 * holds, the schema of that snapshot knows. It only ever grows: a record that is replaced leaves its types.
 * The export makes its columns from it (export/rowschema). Callers: store, export.
 *
 * The stored text is one JSON object, a node:
 *
 *   {"t":{"string":3,"object":1},"m":{"name":NODE,...},"i":NODE,"v":NODE,"o":true}
 *
 *   t  how many values of each type were seen: null boolean integer number datetime string object array.
 *      datetime is a string that is a date-time of RFC 3339 and keeps its meaning in milliseconds: at most
 *      three digits of fraction, no leap second; any other string is "string".
 *   m  the members of the objects, in order of name (bytes)
 *   i  all elements of the arrays together
 *   v  all values of a map together, instead of m: `identityMap` and `segmentMembership` at the top of
 *      a document are maps, and so are the values of segmentMembership
 *   o  open: members beyond a bound are not told apart; m, i and v are left out then
 *
 * A node that opens loses what is below it, stays open, and its own types are counted on. Adding and merging are
 * the same in any order, to the letter of the text, as long as OBSERVED_NODES_MAX was never met; which
 * nodes open then depends on what came first.
 */
#ifndef CONSIGN_CORE_OBSERVED_H
#define CONSIGN_CORE_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fault.h"
#include "lib/jscan.h"
#include "lib/str.h"

#define OBSERVED_MEMBERS_MAX 500u /* of one object; with one more the node is open */
#define OBSERVED_NODES_MAX 5000u  /* of one dataset; for one more, the object with the most members opens; the
                                   * document only when there is no other */
#define OBSERVED_NAME_MAX 255u    /* bytes; a member with a longer name makes its object open */

enum observed_type {
    OBSERVED_NULL,
    OBSERVED_BOOLEAN,
    OBSERVED_INTEGER,
    OBSERVED_NUMBER,
    OBSERVED_DATETIME,
    OBSERVED_STRING,
    OBSERVED_OBJECT,
    OBSERVED_ARRAY,
    OBSERVED_TYPES
};

/* Children are linked; 0 is none (node 0 is the document). Read-only to callers. */
struct observed_node {
    const char *name; /* plain UTF-8, NUL-terminated; "" for the document, elements and values */
    uint32_t name_length;
    uint32_t member;  /* the first member; the others follow by `next`, in no order */
    uint32_t next;    /* the next member of the same object */
    uint32_t element; /* of arrays */
    uint32_t value;   /* of maps */
    uint64_t count[OBSERVED_TYPES];
    bool open;
};

struct observed {
    struct observed_node *node; /* may move while records are added */
    uint32_t count;             /* places in `node`; some may belong to nothing: follow the links */
    struct observed_private *private;
};

/* An empty one. NULL: no memory. */
struct observed *observed_new(void);
void observed_free(struct observed *observed); /* NULL is fine */

/* Adds the record on the tape, an object. False: no memory; the schema is then of no use. */
bool observed_add(struct observed *observed, const struct jscan *scan) MUST_CHECK;

/* Adds what a stored text says. FAULT_INTERNAL (logged) when it is not of the form above; FAULT_MEMORY. */
enum fault observed_merge_text(struct observed *observed, const char *text, size_t length) MUST_CHECK;

/* Appends the text of the form above, on one line. */
void observed_write(const struct observed *observed, struct str *out);

/* Whether a string node of the tape counts as a date-time (see above); *ms, unless NULL, is its time. The
 * export converts by the same rule, so a column of date-times holds nothing else. */
bool observed_datetime(const struct jscan *scan, uint32_t string, int64_t *ms);

#endif
