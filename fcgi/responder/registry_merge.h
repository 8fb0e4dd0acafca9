/*
 * registry_merge: definitions of one class become one, its union schema.
 *
 * Pure, on json-c trees of JSON Schema: documents that clients registered, and what core/observed_show says. Of a
 * definition the union has title and description (the first that has one), type, meta:xdmType and format, properties,
 * items, additionalProperties; what bounds values (enum, minimum, required, ...) is each schema's own. Where types
 * disagree it shows the widest (contract.md section 6): integer and number are number, dates and strings are string,
 * anything else is string with meta:xdmType mixed and nothing below. Caller: registry_unions.
 */
#ifndef CONSIGN_RESPONDER_REGISTRY_MERGE_H
#define CONSIGN_RESPONDER_REGISTRY_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

#define REGISTRY_UNION_NODES 5000u /* definitions of a union; an object that would get one more shows
                                      additionalProperties true instead */
/* An answer holds the unions of both classes, and has room for two of these (responder/worker). In bytes of JSON: */
#define REGISTRY_UNION_NAMES (2u * 1024u * 1024u) /* of members' names; one that would pass it counts as too many */
#define REGISTRY_UNION_TEXTS (1024u * 1024u)      /* of titles and descriptions; those that would pass it are left out */

/* Zeroed, then given the first tree. */
struct registry_union {
    struct json_object *root; /* a definition; the caller's */
    uint32_t nodes;           /* definitions below it */
    size_t names;             /* bytes of their names */
    size_t texts;             /* of titles and descriptions */
};

/* Adds a definition of the whole document. `from` is read only. */
void registry_merge(struct registry_union *into, struct json_object *from);

/* Takes out of `seen`, what was observed of records that follow `declared`, the members that `declared` has a type
 * for: the records were checked by it, and it says more (a date is seen as a string). */
void registry_trim(struct json_object *seen, struct json_object *declared);

#endif
