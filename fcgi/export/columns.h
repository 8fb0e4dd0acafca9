/*
 * columns: the columns of an export from what the store says of its datasets, in the export's own snapshot.
 * Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_COLUMNS_H
#define CONSIGN_EXPORT_COLUMNS_H

#include <stdbool.h>

#include "core/policy.h"
#include "export/rowschema.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

/* Everything is the caller's. */
struct columns_order {
    struct db *db; /* in the transaction of the snapshot */
    struct arena *arena;
    int org;
    int sandbox;
    const struct policy *policy;
    const struct projection *fields;
    const struct projection *event_fields;
    bool events;     /* whether rows have them */
    uint32_t leaves; /* the most columns there may be: see rowschema.h */
};

/* Fills *schema, which is released with rowschema_free() whatever comes of it. A dataset that takes part and was loaded
 * before its types were kept makes the profile (or the event) open: a JSON column holds it whole. Any fault of the
 * database, FAULT_MEMORY, FAULT_INTERNAL. */
enum fault columns_load(const struct columns_order *order, struct rowschema *schema) MUST_CHECK;

#endif
