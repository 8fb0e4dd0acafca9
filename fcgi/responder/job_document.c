/*
 * job_document: a job row as clients see it. See job_document.h.
 */
#include "responder/job_document.h"

#include <string.h>

#include "core/stmt_api.h"

struct job_row {
    const struct db_rows *rows;
    int row;
};

static const char *job_text(const struct job_row *r, enum job_column column)
{
    return db_null(r->rows, r->row, (int)column) ? NULL : db_text(r->rows, r->row, (int)column);
}

static bool job_status_is(const struct job_row *r, const char *status)
{
    return strcmp(db_text(r->rows, r->row, JOB_STATUS), status) == 0;
}

/* Adds a stored JSON text under a name; NULL leaves the member out. */
static void job_add_raw(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_object_add(object, name, jsonio_raw(text));
}

static void job_add_number(const struct job_row *r, struct json_object *object, const char *name,
                           enum job_column column)
{
    if (!db_null(r->rows, r->row, (int)column))
        jsonio_add_int(object, name, db_int(r->rows, r->row, (int)column));
}

/* A span of time; without an end while it lasts; left out when it has not begun. */
static void job_add_span(const struct job_row *r, struct json_object *metrics, const char *name,
                         enum job_column start, enum job_column end)
{
    if (db_null(r->rows, r->row, (int)start))
        return;
    struct json_object *span = json_object_new_object();
    int64_t from = db_int(r->rows, r->row, (int)start), to = db_int(r->rows, r->row, (int)end);
    jsonio_add_int(span, "startTimeInMs", from);
    if (!db_null(r->rows, r->row, (int)end)) {
        jsonio_add_int(span, "endTimeInMs", to);
        jsonio_add_int(span, "totalTimeInMs", to - from);
    }
    json_object_object_add(metrics, name, span);
}

static struct json_object *job_progress(const struct job_row *r)
{
    struct json_object *progress = json_object_new_object();
    jsonio_add_text(progress, "phase", job_text(r, JOB_PHASE));
    job_add_number(r, progress, "profilesDone", JOB_DONE);
    job_add_number(r, progress, "profilesEstimated", JOB_ESTIMATED);
    job_add_number(r, progress, "filesWritten", JOB_FILES);
    return progress;
}

static struct json_object *job_metrics(const struct job_row *r)
{
    struct json_object *metrics = json_object_new_object();
    job_add_span(r, metrics, "totalTime", JOB_CREATED, JOB_ENDED);
    job_add_span(r, metrics, "profileExportTime", JOB_EXPORT_START, JOB_EXPORT_END);
    job_add_span(r, metrics, "aCPDatasetWriteTime", JOB_WRITE_START, JOB_WRITE_END);
    job_add_number(r, metrics, "totalExportedProfileCounter", JOB_PROFILES);
    job_add_raw(metrics, "exportedProfileByNamespaceCounter", job_text(r, JOB_BY_NAMESPACE));
    job_add_number(r, metrics, "totalExportedEventCounter", JOB_EVENTS);
    job_add_raw(metrics, "skippedProfiles", job_text(r, JOB_SKIPPED));
    bool running = job_status_is(r, "PROCESSING") || job_status_is(r, "CANCELLING");
    if (running && job_text(r, JOB_PHASE) != NULL)
        json_object_object_add(metrics, "progress", job_progress(r));
    return metrics;
}

/* A job with a batch a segment shows them all, until it is known that nothing will be in them. */
static struct json_object *job_destination(const struct job_row *r)
{
    struct json_object *destination = json_object_new_object();
    bool without_batch = job_status_is(r, "FAILED") || job_status_is(r, "CANCELLED");
    bool per_segment = db_bool(r->rows, r->row, JOB_PER_SEGMENT);
    jsonio_add_text(destination, "datasetId", job_text(r, JOB_DATASET));
    jsonio_add_text(destination, "dataSetId", job_text(r, JOB_DATASET));
    json_object_object_add(destination, "segmentPerBatch", json_object_new_boolean(per_segment));
    if (per_segment && !without_batch)
        job_add_raw(destination, "batches", job_text(r, JOB_TARGETS));
    else
        jsonio_add_text(destination, "batchId", without_batch ? "" : job_text(r, JOB_BATCH));
    return destination;
}

/* The attempt and the publish, as far as the job has come. */
static struct json_object *job_compute(const struct job_row *r)
{
    struct json_object *compute = json_object_new_object();
    jsonio_add_text(compute, "exportJob", job_text(r, JOB_ATTEMPT));
    jsonio_add_text(compute, "pushJob", job_text(r, JOB_PUSH));
    return compute;
}

static struct json_object *job_schema(void)
{
    struct json_object *schema = json_object_new_object();
    jsonio_add_text(schema, "name", "_xdm.context.profile");
    return schema;
}

static struct json_object *job_policy(const struct job_row *r)
{
    struct json_object *policy = json_object_new_object();
    jsonio_add_text(policy, "id", job_text(r, JOB_POLICY));
    job_add_number(r, policy, "version", JOB_POLICY_VERSION);
    return policy;
}

struct json_object *job_document(const struct db_rows *rows, int row, const char *ims_org_id)
{
    const struct job_row r = {rows, row};
    struct json_object *job = json_object_new_object();
    if (job == NULL)
        return NULL;
    jsonio_add_text(job, "profileInstanceId", job_text(&r, JOB_INSTANCE));
    jsonio_add_text(job, "jobType", "BATCH");
    job_add_number(&r, job, "id", JOB_ID);
    json_object_object_add(job, "schema", job_schema());
    json_object_object_add(job, "mergePolicy", job_policy(&r));
    jsonio_add_text(job, "status", job_text(&r, JOB_STATUS));
    jsonio_add_text(job, "requestId", job_text(&r, JOB_REQUEST_ID));
    json_object_object_add(job, "computeGatewayJobId", job_compute(&r));
    json_object_object_add(job, "metrics", job_metrics(&r));
    json_object_object_add(job, "destination", job_destination(&r));
    jsonio_add_text(job, "fields", job_text(&r, JOB_FIELDS));
    job_add_raw(job, "filter", job_text(&r, JOB_FILTER));
    job_add_raw(job, "additionalFields", job_text(&r, JOB_ADDITIONAL));
    job_add_raw(job, "errors", job_text(&r, JOB_ERRORS));
    job_add_number(&r, job, "watermark", JOB_WATERMARK);
    job_add_number(&r, job, "updateTime", JOB_UPDATED);
    job_add_number(&r, job, "creationTime", JOB_CREATED);
    jsonio_add_text(job, "imsOrgId", ims_org_id);
    return job;
}
