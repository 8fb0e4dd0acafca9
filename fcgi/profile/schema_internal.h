/*
 * schema_internal: what the files of schema share. Nothing outside profile/schema*.c includes this.
 */
#ifndef CONSIGN_PROFILE_SCHEMA_INTERNAL_H
#define CONSIGN_PROFILE_SCHEMA_INTERNAL_H

#include "profile/schema.h"

#define SCHEMA_PLACE_MAX 512u /* bytes of a pointer into a document */

/* A document on its way into a schema. */
struct schema_reader {
    struct arena *arena;
    struct jscan scan; /* of the document's copy in the arena */
    struct schema *schema;
    uint32_t room;   /* places in schema->node */
    uint32_t values; /* of all enums so far */
    struct spec_refusal *refusal;
};

/* Notes a broken rule of the document with the pointer of the tape's node. Always FAULT_MALFORMED. */
enum fault schema_malformed(struct schema_reader *r, uint32_t node, const char *detail) MUST_CHECK;

/* The plain text of a string node in the arena; NULL: exhausted. */
const char *schema_text(struct schema_reader *r, uint32_t string, uint32_t *length);

/* Reads the keywords about one value (type, bounds, enum) of the definition that `node` has. */
enum fault schema_read_keywords(struct schema_reader *r, struct schema_node *node) MUST_CHECK;

/* The number at a node of a tape. */
struct schema_number schema_number_at(const struct jscan *scan, uint32_t node);
bool schema_is_number(const struct jscan *scan, uint32_t node);

/* Reads the enum of the definition that `node` has, if there is one. */
enum fault schema_read_enum(struct schema_reader *r, struct schema_node *node) MUST_CHECK;

/* Whether the value at the tape's node is one of the enum of `s`, which has one. An enum may be long and an array
 * longer: the time grows with the logarithm of the enum's length. */
bool schema_enum_has(const struct schema_node *s, const struct jscan *scan, uint32_t node);

/* Reads `identities` (see schema.h) into the schema, whose nodes are complete. */
enum fault schema_read_identities(struct schema_reader *r, const char *identities) MUST_CHECK;

/* The member of `parent` with that name (plain UTF-8), or 0. */
uint32_t schema_member(const struct schema *schema, uint32_t parent, const char *name, size_t length);

/* The same for a name on a tape. */
uint32_t schema_member_of(const struct schema *schema, uint32_t parent, const struct jscan *scan, uint32_t name);

/* The JSON pointer (RFC 6901) of a node of the tape, or of the member `name` (NULL: none) of that node, to `out` with a
 * terminator; cut, at a character, to what fits. Answers its length. */
size_t schema_place(const struct jscan *scan, uint32_t node, const char *name, char *out, size_t size);

/* The string node's plain text: where it is in the tape's text, or a copy in `room`. NULL: it does not fit. */
const char *schema_plain(const struct jscan *scan, uint32_t string, char *room, size_t size, size_t *length);

#endif
