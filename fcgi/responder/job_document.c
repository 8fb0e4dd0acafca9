/*
 * job_document: a job row as clients see it. See job_document.h.
 *
 * Written straight into the reply: a tree of json-c took longer than the rest of the handler (fcgi/README.md,
 * Decisions). Members whose column is NULL are left out.
 */
#include "responder/job_document.h"

#include <string.h>

#include "core/stmt_api.h"

struct job_row {
    struct str *out;
    const struct db_rows *rows;
    int row;
};

static bool job_has(const struct job_row *r, enum job_column column)
{
    return !db_null(r->rows, r->row, (int)column);
}

static bool job_status_is(const struct job_row *r, const char *status)
{
    return strcmp(db_text(r->rows, r->row, JOB_STATUS), status) == 0;
}

/* A comma unless an object has just begun, and the member's name. */
static void job_name(const struct job_row *r, const char *name)
{
    if (r->out->length > 0 && r->out->data[r->out->length - 1] != '{')
        str_append_char(r->out, ',');
    str_append_char(r->out, '"');
    str_append_text(r->out, name);
    str_append(r->out, "\":", 2);
}

static void job_begin(const struct job_row *r, const char *name)
{
    job_name(r, name);
    str_append_char(r->out, '{');
}

static void job_end(const struct job_row *r)
{
    str_append_char(r->out, '}');
}

static void job_text(const struct job_row *r, const char *name, enum job_column column)
{
    if (!job_has(r, column))
        return;
    job_name(r, name);
    str_append_json(r->out, db_text(r->rows, r->row, (int)column), db_length(r->rows, r->row, (int)column));
}

/* A number, or a stored JSON text: as the database prints it. */
static void job_raw(const struct job_row *r, const char *name, enum job_column column)
{
    if (!job_has(r, column))
        return;
    job_name(r, name);
    str_append(r->out, db_text(r->rows, r->row, (int)column), db_length(r->rows, r->row, (int)column));
}

/* A span of time; without an end while it lasts; left out when it has not begun. */
static void job_span(const struct job_row *r, const char *name, enum job_column start, enum job_column end)
{
    if (!job_has(r, start))
        return;
    job_begin(r, name);
    job_raw(r, "startTimeInMs", start);
    job_raw(r, "endTimeInMs", end);
    if (job_has(r, end)) {
        job_name(r, "totalTimeInMs");
        str_append_int(r->out, db_int(r->rows, r->row, (int)end) - db_int(r->rows, r->row, (int)start));
    }
    job_end(r);
}

static void job_progress(const struct job_row *r)
{
    job_begin(r, "progress");
    job_text(r, "phase", JOB_PHASE);
    job_raw(r, "profilesDone", JOB_DONE);
    job_raw(r, "profilesEstimated", JOB_ESTIMATED);
    job_raw(r, "filesWritten", JOB_FILES);
    job_end(r);
}

static void job_metrics(const struct job_row *r)
{
    job_begin(r, "metrics");
    job_span(r, "totalTime", JOB_CREATED, JOB_ENDED);
    job_span(r, "profileExportTime", JOB_EXPORT_START, JOB_EXPORT_END);
    job_span(r, "aCPDatasetWriteTime", JOB_WRITE_START, JOB_WRITE_END);
    job_raw(r, "totalExportedProfileCounter", JOB_PROFILES);
    job_raw(r, "exportedProfileByNamespaceCounter", JOB_BY_NAMESPACE);
    job_raw(r, "totalExportedEventCounter", JOB_EVENTS);
    job_raw(r, "skippedProfiles", JOB_SKIPPED);
    if (job_has(r, JOB_PHASE) && (job_status_is(r, "PROCESSING") || job_status_is(r, "CANCELLING")))
        job_progress(r);
    job_end(r);
}

/* A job with a batch a segment shows them all, until it is known that nothing will be in them. */
static void job_destination(const struct job_row *r)
{
    bool without_batch = job_status_is(r, "FAILED") || job_status_is(r, "CANCELLED");
    bool per_segment = db_bool(r->rows, r->row, JOB_PER_SEGMENT);
    job_begin(r, "destination");
    job_text(r, "datasetId", JOB_DATASET);
    job_text(r, "dataSetId", JOB_DATASET);
    job_name(r, "segmentPerBatch");
    str_append_text(r->out, per_segment ? "true" : "false");
    if (per_segment && !without_batch) {
        job_raw(r, "batches", JOB_TARGETS);
    } else if (without_batch) {
        job_name(r, "batchId");
        str_append(r->out, "\"\"", 2);
    } else {
        job_text(r, "batchId", JOB_BATCH);
    }
    job_end(r);
}

void job_document(struct str *out, const struct db_rows *rows, int row, const char *ims_org_id)
{
    const struct job_row r = {out, rows, row};
    str_append_char(out, '{');
    job_text(&r, "profileInstanceId", JOB_INSTANCE);
    str_append_text(out, ",\"jobType\":\"BATCH\"");
    job_raw(&r, "id", JOB_ID);
    str_append_text(out, ",\"schema\":{\"name\":\"_xdm.context.profile\"}");
    job_begin(&r, "mergePolicy");
    job_text(&r, "id", JOB_POLICY);
    job_raw(&r, "version", JOB_POLICY_VERSION);
    job_end(&r);
    job_text(&r, "status", JOB_STATUS);
    job_text(&r, "requestId", JOB_REQUEST_ID);
    job_begin(&r, "computeGatewayJobId"); /* the attempt and the publish, as far as the job has come */
    job_text(&r, "exportJob", JOB_ATTEMPT);
    job_text(&r, "pushJob", JOB_PUSH);
    job_end(&r);
    job_metrics(&r);
    job_destination(&r);
    job_text(&r, "fields", JOB_FIELDS);
    job_raw(&r, "filter", JOB_FILTER);
    job_raw(&r, "additionalFields", JOB_ADDITIONAL);
    job_text(&r, "webhook", JOB_WEBHOOK);
    job_raw(&r, "errors", JOB_ERRORS);
    job_raw(&r, "watermark", JOB_WATERMARK);
    job_raw(&r, "updateTime", JOB_UPDATED);
    job_raw(&r, "creationTime", JOB_CREATED);
    job_name(&r, "imsOrgId");
    str_append_json(out, ims_org_id, strlen(ims_org_id));
    str_append_char(out, '}');
}
