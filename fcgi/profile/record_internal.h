/*
 * record_internal: what the files of record share. Nothing outside profile/record*.c includes this.
 */
#ifndef CONSIGN_PROFILE_RECORD_INTERNAL_H
#define CONSIGN_PROFILE_RECORD_INTERNAL_H

#include "profile/record.h"

/* Notes why the record is refused. Always false. */
bool record_refuse(struct record *r, const char *code, const char *reason);

/* The string node of the tape, unescaped, when it has 1 to `most` bytes. False: it is no such string, or there is no
 * memory (the record is refused either way). */
bool record_take_text(struct record *r, uint32_t string, size_t most, struct record_text *out);

/* Makes sure that texts of this record can be put into r->plain without moving it. */
bool record_make_room(struct record *r);

/* identityMap: its form, and all identities in it. */
bool record_read_map(struct record *r);

/* Adds the identities of the schema's descriptors; at[i] is the tape's node of the value of the schema's identity i, 0:
 * absent. Then which identity is the primary one. */
bool record_read_identities(struct record *r, const uint32_t *at);

/* Writes the body anew if its identityMap lacks an identity or does not tell the primary one. */
bool record_write_body(struct record *r);

#endif
