/*
 * columns: from the observed schemas of the datasets to the row schema. See columns.h.
 */
#include "export/columns.h"

#include <stdio.h>
#include <string.h>

#include "core/ident.h"
#include "core/observed.h"
#include "core/stmt_spooler.h"

/* What is known of a dataset that held records before schemas were kept: objects, whatever is in them. Loading them
 * again would not tell: nobody knows when all are. */
#define COLUMNS_UNKNOWN "{\"t\":{\"object\":1},\"o\":true}"

#define COLUMNS_ARENA_BYTES 16384u /* answers are noted in it, not held */

/* The columns of STMT_OBSERVED_NEXT. */
enum columns_field { COLUMNS_DATASET, COLUMNS_CLASS, COLUMNS_SCHEMA };

/* Whether records of the dataset can be in a row: contract.md section 6 on dataSetPrecedence. */
static bool columns_takes_part(const struct columns_order *o, const char *dataset, bool event)
{
    if (event)
        return o->events;
    bool listed = !o->policy->precedence;
    for (uint32_t i = 0; i < o->policy->datasets && !listed; i++)
        listed = strcmp(o->policy->dataset[i], dataset) == 0;
    return listed;
}

/* What the columns are made from. */
struct columns_seen {
    struct observed *profile; /* of all profile datasets that take part */
    struct observed *event;
};

static enum fault columns_add(const struct columns_order *o, const struct db_rows *rows, struct columns_seen *seen)
{
    bool is_event = strcmp(db_text(rows, 0, COLUMNS_CLASS), "experienceevent") == 0;
    struct observed *into = is_event ? seen->event : seen->profile;
    if (!columns_takes_part(o, db_text(rows, 0, COLUMNS_DATASET), is_event))
        return FAULT_NONE;
    if (db_null(rows, 0, COLUMNS_SCHEMA))
        return observed_merge_text(into, COLUMNS_UNKNOWN, strlen(COLUMNS_UNKNOWN));
    return observed_merge_text(into, db_text(rows, 0, COLUMNS_SCHEMA), db_length(rows, 0, COLUMNS_SCHEMA));
}

/* Adds the datasets one by one. SECURITY: their schemas are the tenant's, megabytes each, so no two of them are
 * held at once: `one` is the memory for one. */
static enum fault columns_collect(const struct columns_order *o, struct arena *one, struct columns_seen *seen)
{
    char after[IDENT_DATASET_DIGITS + 1] = "";
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), after};
    struct db_rows rows = {.count = 1};
    enum fault fault = arena_exhausted(o->arena) ? FAULT_MEMORY : FAULT_NONE;
    while (fault == FAULT_NONE && rows.count > 0) {
        arena_reset(one);
        fault = db_run(o->db, one, &STMT_OBSERVED_NEXT, params, &rows);
        if (fault != FAULT_NONE || rows.count == 0)
            break;
        fault = columns_add(o, &rows, seen);
        snprintf(after, sizeof after, "%s", db_text(&rows, 0, COLUMNS_DATASET));
    }
    return fault;
}

enum fault columns_load(const struct columns_order *o, struct rowschema *schema)
{
    struct columns_seen seen = {observed_new(), observed_new()};
    struct arena *one = arena_new(COLUMNS_ARENA_BYTES);
    *schema = ROWSCHEMA_INIT;
    enum fault fault = FAULT_MEMORY;
    if (one != NULL && seen.profile != NULL && seen.event != NULL)
        fault = columns_collect(o, one, &seen);
    if (fault == FAULT_NONE) {
        struct rowschema_order order = {.profile = seen.profile,
                                        .event = o->events ? seen.event : NULL,
                                        .fields = o->fields,
                                        .event_fields = o->event_fields,
                                        .leaves = o->leaves};
        fault = rowschema_build(schema, &order);
    }
    arena_free(one);
    observed_free(seen.profile);
    observed_free(seen.event);
    return fault;
}
