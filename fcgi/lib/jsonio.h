/*
 * jsonio: json-c, behind the strict scanner.
 *
 * Request members are read from, and answers built as, json-c trees. Nothing reaches json-c's
 * parser that jscan has not accepted, and everything is released with the arena.
 */
#ifndef CONSIGN_LIB_JSONIO_H
#define CONSIGN_LIB_JSONIO_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/jscan.h"

struct jsonio_refusal {
    size_t offset;      /* byte offset of the first fault */
    const char *reason; /* a constant */
};

/* How large a tree may be. A schema of 1 MiB whose names have four letters makes one of 74 MB; 1 MiB of `{},` would
 * make one of 280 MB, in each worker that was sent it. */
#define JSONIO_TREE_BYTES (80u * 1024u * 1024u)

/* Parses a text. The tree belongs to the arena. FAULT_MALFORMED with *refusal, also for a tree that would be larger
 * than JSONIO_TREE_BYTES, or FAULT_MEMORY. */
enum fault jsonio_parse(struct arena *a, const char *text, size_t length, struct jscan_limits limits,
                        struct json_object **out, struct jsonio_refusal *refusal) MUST_CHECK;

/* Gives the caller's tree to the arena. NULL stays NULL and counts as exhausted memory. */
struct json_object *jsonio_own(struct arena *a, struct json_object *tree);

/* The member's value; NULL when the object has none or it is JSON null; *present tells these apart
 * (may be NULL). */
struct json_object *jsonio_member(struct json_object *object, const char *name, bool *present);

/* The member's text when it is a string, else NULL. */
const char *jsonio_member_text(struct json_object *object, const char *name);

/* A value that prints as the given JSON text, byte for byte. The text is copied. */
struct json_object *jsonio_raw(const char *text);

/* Short forms for building. `text` NULL leaves the member out. */
void jsonio_add_text(struct json_object *object, const char *name, const char *text);
void jsonio_add_int(struct json_object *object, const char *name, int64_t n);

/* The tree as compact text, owned by the arena. NULL: no memory. */
const char *jsonio_print(struct arena *a, struct json_object *tree, size_t *length);

#endif
