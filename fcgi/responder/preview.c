/*
 * preview: the first rows of a dataset that exports fill (contract.md section 1).
 *
 * They are kept by the transaction that publishes an export (sql/api/preview_keep.sql) and go with the one that lets its
 * batches expire, so this reads one row of the database and no file. Records of a dataset that clients fill are in the
 * profile store in the order of persons: nothing finds those of one dataset without reading all.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "responder/catalog_list.h"
#include "responder/handlers.h"

#define PREVIEW_ROWS 100
#define PREVIEW_ANSWER_BYTES ((size_t)1024 * 1024) /* the rows are 256 KiB */

/* There is no preview: why. An empty one is of a dataset that holds nothing. */
static enum fault preview_none(struct call *c, const struct db_rows *rows)
{
    if (strcmp(db_text(rows, 0, PREVIEW_CLASS), "profile_union") != 0)
        return call_refuse(c, FAULT_NOT_SUPPORTED, NULL,
                           "the dataset is filled by ingestion; its records are in the profile store (/data/core/ups/access/entities)");
    if (db_bool(rows, 0, PREVIEW_FILLED))
        return call_refuse(c, FAULT_STATE, NULL, "no preview was kept of the last export into the dataset; the next one has one");
    if (db_bool(rows, 0, PREVIEW_EXPIRED))
        return call_refuse(c, FAULT_GONE, NULL, "the dataset's batches have expired");
    return FAULT_NONE;
}

enum fault preview_handle_get(struct call *c)
{
    struct db_rows rows;
    const char *properties;
    enum fault fault = catalog_read_one(c, IDENT_DATASET_DIGITS, &STMT_DATASET_PREVIEW, &rows, &properties);
    if (fault != FAULT_NONE)
        return fault;
    bool none = db_null(&rows, 0, PREVIEW_JOB);
    if (none)
        fault = preview_none(c, &rows);
    if (fault != FAULT_NONE)
        return fault;
    int64_t total = none ? 0 : db_int(&rows, 0, PREVIEW_TOTAL), first = total < PREVIEW_ROWS ? total : PREVIEW_ROWS;
    struct str *out = call_text(c, PREVIEW_ANSWER_BYTES);
    str_append_text(out, "{\"data\":[");
    str_append_text(out, none ? "" : db_text(&rows, 0, PREVIEW_BODY));
    str_printf(out, "],\"_page\":{\"limit\":%d,\"count\":%lld},\"omitted\":%lld", PREVIEW_ROWS, (long long)total,
               (long long)(none ? 0 : first - db_int(&rows, 0, PREVIEW_SHOWN)));
    if (!none)
        str_printf(out, ",\"jobId\":%s", db_text(&rows, 0, PREVIEW_JOB));
    str_append_char(out, '}');
    return call_answer_text(c, out);
}
