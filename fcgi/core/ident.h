/*
 * ident: the forms of our own identifiers.
 *
 * Dataset and batch ids are lower-case hex, attempts and objects are UUIDs. What becomes part of a
 * path on disk is checked here first, wherever it came from. Callers: core/inbox, core/lake, the
 * spooler's sweep, the responder's routes.
 */
#ifndef CONSIGN_CORE_IDENT_H
#define CONSIGN_CORE_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#define IDENT_DATASET_DIGITS 24u
#define IDENT_BATCH_DIGITS 32u
#define IDENT_UUID_LENGTH 36u

/* Whether `text` is exactly `digits` lower-case hex digits. */
bool ident_is_hex(const char *text, size_t digits);

/* Whether `text` is a UUID in lower case: 8-4-4-4-12 hex digits (RFC 4122 section 3). */
bool ident_is_uuid(const char *text);

#endif
