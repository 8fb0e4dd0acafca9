/*
 * project: writing values of a tape, whole or reduced to a part of a projection.
 *
 * The rules for one value; projection.h has the ones for a document, merge.h for a profile.
 * Callers: projection, merge.
 */
#ifndef CONSIGN_PROFILE_PROJECT_H
#define CONSIGN_PROFILE_PROJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/projection.h"

/* A scanned text to take values from. */
struct project_source {
    const struct jscan *scan;
    bool has_breaks; /* line breaks stand between its tokens: they must not get into a row */
};

struct project_source project_source_of(const struct jscan *scan);

/* Appends the value as it stands in the text, but on one line. */
void project_copy(const struct project_source *source, uint32_t value, struct str *out);

/* Appends the member's name with its quotes and the colon. */
void project_name(const struct project_source *source, uint32_t name, struct str *out);

/* Appends the value reduced to what tree node `tree` selects below it. Objects keep selected
 * members; arrays keep their length, with {} for an element in which nothing is selected. Returns
 * false, and out is as before, when nothing is selected at all. */
bool project_value(const struct project_source *source, uint32_t value, const struct projection *projection,
                   uint32_t tree, struct str *out);

/* Takes back what was appended since out had this length. */
void project_undo(struct str *out, size_t length);

#endif
