/*
 * tally: counts by name, as JSON. How many rows of an export have an identity in each namespace.
 *
 * Bounded: names beyond TALLY_NAMES are counted under "other". Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_TALLY_H
#define CONSIGN_EXPORT_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#define TALLY_NAMES 1000u
#define TALLY_SLOTS 2048u

struct tally_row {
    char *name; /* NULL: free */
    size_t length;
    int64_t count;
};

/* Zero it to begin. */
struct tally {
    struct tally_row slot[TALLY_SLOTS];
    uint32_t names;
    int64_t other;
};

void tally_free(struct tally *tally);

/* Adds one to `name`, plain UTF-8. */
void tally_add(struct tally *tally, const char *name, size_t length);

/* Appends {"name":n,...}. */
void tally_write(const struct tally *tally, struct str *out);

#endif
