/*
 * batch_document: a batch row as clients see it. See batch_document.h.
 */
#include "responder/batch_document.h"

#include <string.h>

#include "core/stmt_api.h"
#include "responder/catalog_list.h"

static void batch_add_number(struct json_object *object, const char *name, const struct db_rows *rows, int row,
                             enum batch_column column)
{
    if (!db_null(rows, row, (int)column))
        jsonio_add_int(object, name, db_int(rows, row, (int)column));
}

static struct json_object *batch_metrics(const struct db_rows *rows, int row)
{
    struct json_object *m = json_object_new_object();
    batch_add_number(m, "startTime", rows, row, BATCH_STARTED);
    batch_add_number(m, "endTime", rows, row, BATCH_COMPLETED);
    batch_add_number(m, "inputRecordCount", rows, row, BATCH_INPUT);
    batch_add_number(m, "outputRecordCount", rows, row, BATCH_OUTPUT);
    batch_add_number(m, "failedRecordCount", rows, row, BATCH_FAILED);
    batch_add_number(m, "inputByteSize", rows, row, BATCH_INPUT_BYTES);
    batch_add_number(m, "outputByteSize", rows, row, BATCH_OUTPUT_BYTES);
    return m;
}

/* What a client said of the files of its batch. */
static void batch_add_input(struct json_object *b, const struct db_rows *rows, int row)
{
    struct json_object *format = json_object_new_object();
    jsonio_add_text(format, "format", db_text(rows, row, BATCH_FORMAT));
    if (strcmp(db_text(rows, row, BATCH_FORMAT), "csv") == 0)
        jsonio_add_text(format, "delimiter", db_text(rows, row, BATCH_DELIMITER));
    json_object_object_add(b, "inputFormat", format);
    json_object_object_add(b, "partialIngestionPercentage", jsonio_raw(db_text(rows, row, BATCH_BAD_PERCENT)));
}

static struct json_object *batch_related(const struct db_rows *rows, int row)
{
    struct json_object *list = json_object_new_array(), *one = json_object_new_object();
    jsonio_add_text(one, "type", "dataSet");
    jsonio_add_text(one, "id", db_text(rows, row, BATCH_DATASET));
    json_object_array_add(list, one);
    return list;
}

struct json_object *batch_document(struct call *c, const struct db_rows *rows, int row)
{
    struct json_object *b = json_object_new_object();
    if (b == NULL)
        return NULL;
    jsonio_add_text(b, "id", db_text(rows, row, BATCH_ID));
    catalog_add_tenant(c, b);
    batch_add_number(b, "created", rows, row, BATCH_CREATED);
    batch_add_number(b, "updated", rows, row, BATCH_UPDATED);
    batch_add_number(b, "started", rows, row, BATCH_STARTED);
    batch_add_number(b, "completed", rows, row, BATCH_COMPLETED);
    jsonio_add_text(b, "status", db_text(rows, row, BATCH_STATUS));
    jsonio_add_text(b, "version", arena_printf(c->arena, "%s.0.0", db_text(rows, row, BATCH_VERSION)));
    json_object_object_add(b, "relatedObjects", batch_related(rows, row));
    if (strcmp(db_text(rows, row, BATCH_KIND), "ingest") == 0 && !db_bool(rows, row, BATCH_STREAM))
        batch_add_input(b, rows, row);
    json_object_object_add(b, "metrics", batch_metrics(rows, row));
    json_object_object_add(b, "errors", db_null(rows, row, BATCH_ERRORS) ? json_object_new_array()
                                                                        : jsonio_raw(db_text(rows, row, BATCH_ERRORS)));
    jsonio_add_text(b, "createdClient", db_text(rows, row, BATCH_CLIENT));
    return b;
}
