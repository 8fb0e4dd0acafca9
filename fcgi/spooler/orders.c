/*
 * orders: what an export job asks for. See orders.h.
 */
#include "spooler/orders.h"

#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/log.h"

enum fault orders_read_batches(struct db *db, struct arena *a, const struct orders_job *job, struct orders_batches *out)
{
    const char *params[] = {arena_int(a, job->org), arena_int(a, job->sandbox), arena_int(a, job->job)};
    struct db_rows rows;
    if (arena_exhausted(a))
        return FAULT_MEMORY;
    enum fault fault = db_call(db, a, job->org, &STMT_JOB_TARGETS, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count > (int)RUN_TARGETS_MAX) {
        log_event(LOG_ERROR, "stored_job", "targets=%d", rows.count);
        return FAULT_INTERNAL;
    }
    out->count = rows.count == 0 ? 1 : (uint32_t)rows.count;
    out->batch[0] = job->batch;
    for (int row = 0; row < rows.count; row++)
        out->batch[row] = db_text(&rows, row, 1);
    return FAULT_NONE;
}

/* The text of a field, or NULL. */
static const char *orders_text(const struct db_rows *rows, int column)
{
    return db_null(rows, 0, column) ? NULL : db_text(rows, 0, column);
}

enum fault orders_read(struct arena *a, const struct db_rows *rows, struct orders *out)
{
    if (rows->count != 1) {
        log_event(LOG_ERROR, "stored_job", "rows=%d", rows->count);
        return FAULT_INTERNAL;
    }
    out->format = strcmp(db_text(rows, 0, 1), "parquet") == 0 ? SINK_PARQUET : SINK_JSON;
    out->compression = strcmp(db_text(rows, 0, 2), "none") == 0 ? SINK_PLAIN : SINK_ZSTD;
    out->per_segment = db_bool(rows, 0, 7);
    enum fault fault =
        spec_read_orders(a, orders_text(rows, 3), orders_text(rows, 5), orders_text(rows, 4), &out->spec);
    return fault == FAULT_NONE ? policy_read(a, orders_text(rows, 6), &out->policy) : fault;
}
