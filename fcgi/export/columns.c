/*
 * columns: from the observed schemas of the datasets to the row schema. See columns.h.
 */
#include "export/columns.h"

#include <string.h>

#include "core/observed.h"
#include "core/stmt_spooler.h"
#include "lib/log.h"

/* The columns of STMT_OBSERVED_LIST. */
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

static enum fault columns_add(const struct columns_order *o, const struct db_rows *rows, int row,
                              struct observed *profile, struct observed *event)
{
    const char *dataset = db_text(rows, row, COLUMNS_DATASET);
    bool is_event = strcmp(db_text(rows, row, COLUMNS_CLASS), "experienceevent") == 0;
    if (!columns_takes_part(o, dataset, is_event))
        return FAULT_NONE;
    if (db_null(rows, row, COLUMNS_SCHEMA)) {
        log_event(LOG_ERROR, "columns", "dataset=%s reason=\"loaded before its types were kept: ingest it again\"",
                  dataset);
        return FAULT_NOT_SUPPORTED;
    }
    return observed_merge_text(is_event ? event : profile, db_text(rows, row, COLUMNS_SCHEMA),
                               db_length(rows, row, COLUMNS_SCHEMA));
}

enum fault columns_load(const struct columns_order *o, struct rowschema *schema)
{
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox)};
    struct observed *profile = observed_new(), *event = observed_new();
    struct db_rows rows = {.count = 0};
    enum fault fault = FAULT_MEMORY;
    *schema = ROWSCHEMA_INIT;
    if (profile != NULL && event != NULL && !arena_exhausted(o->arena))
        fault = db_run(o->db, o->arena, &STMT_OBSERVED_LIST, params, &rows);
    for (int row = 0; fault == FAULT_NONE && row < rows.count; row++)
        fault = columns_add(o, &rows, row, profile, event);
    if (fault == FAULT_NONE) {
        struct rowschema_order order = {.profile = profile,
                                        .event = o->events ? event : NULL,
                                        .fields = o->fields,
                                        .event_fields = o->event_fields};
        fault = rowschema_build(schema, &order);
    }
    observed_free(profile);
    observed_free(event);
    return fault;
}
