/*
 * sweep_names: the names in a directory in their order, some at a time, in bounded memory however many there are.
 * Caller: sweep_lake.
 */
#ifndef CONSIGN_SPOOLER_SWEEP_NAMES_H
#define CONSIGN_SPOOLER_SWEEP_NAMES_H

#include <stdbool.h>

#include "core/ident.h"

#define SWEEP_NAMES_MOST 500
#define SWEEP_NAME_MAX (IDENT_UUID_LENGTH + 1) /* the longest of our forms, with terminator */

struct sweep_names {
    int count;
    bool more; /* there are more behind the last one */
    char name[2 * SWEEP_NAMES_MOST][SWEEP_NAME_MAX]; /* the first `count` count */
};

/* Reads the names of the form that `good` tells, the first SWEEP_NAMES_MOST behind `after` ("": from the first). A
 * directory that is not there has none; of one that can't be read the reason is logged, and it has none either. */
void sweep_names_read(struct sweep_names *out, const char *path, const char *after, bool (*good)(const char *name));

/* The three forms. */
bool sweep_names_dataset(const char *name);
bool sweep_names_batch(const char *name);
bool sweep_names_attempt(const char *name);

#endif
