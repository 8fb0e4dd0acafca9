/*
 * system_jobs: asking for the removal of a dataset's or a batch's records, and looking what became of it
 * (/data/core/ups/system/jobs; members as the reference has them). Removals of profiles show here too.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/handlers.h"
#include "responder/query.h"

#define SYSTEM_JOB_LIMIT_DEFAULT 20
#define SYSTEM_JOB_LIMIT_MOST 100
#define SYSTEM_JOB_START_MOST INT64_C(1000000000)

/* The reference has the figures as a text of JSON, and times in seconds. */
static struct json_object *system_job_document(struct call *c, const struct db_rows *rows, int row)
{
    struct json_object *d = json_object_new_object();
    int64_t created_ms = db_int(rows, row, SYSTEM_JOB_CREATED), updated_ms = db_int(rows, row, SYSTEM_JOB_UPDATED);
    const char *what = db_text(rows, row, SYSTEM_JOB_WHAT), *metrics = "{}";
    if (!db_null(rows, row, SYSTEM_JOB_REMOVED))
        metrics = arena_printf(c->arena, "{\"recordsProcessed\":%s,\"timeTakenInSec\":%lld}",
                               db_text(rows, row, SYSTEM_JOB_REMOVED), (long long)((updated_ms - created_ms) / 1000));
    jsonio_add_text(d, "id", db_text(rows, row, SYSTEM_JOB_ID));
    jsonio_add_text(d, "imsOrgId", c->scope.ims_org_id);
    if (strcmp(what, "dataset") == 0)
        jsonio_add_text(d, "dataSetId", db_text(rows, row, SYSTEM_JOB_DATASET));
    else if (strcmp(what, "batch") == 0)
        jsonio_add_text(d, "batchId", db_text(rows, row, SYSTEM_JOB_BATCH));
    jsonio_add_text(d, "jobType", "DELETE");
    jsonio_add_text(d, "status", db_text(rows, row, SYSTEM_JOB_STATUS));
    jsonio_add_text(d, "metrics", metrics);
    jsonio_add_int(d, "createEpoch", created_ms / 1000);
    jsonio_add_int(d, "updateEpoch", updated_ms / 1000);
    return d;
}

static enum fault system_job_answer(struct call *c, const struct db_rows *rows)
{
    struct json_object *document = jsonio_own(c->arena, system_job_document(c, rows, 0));
    return document == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, document);
}

/* An id in the body. `digits`: its form; one of another form is nobody's. Absent or null: NULL. */
static enum fault system_job_read_id(struct call *c, struct json_object *body, const char *name, size_t digits,
                                     const char **out)
{
    struct json_object *value = jsonio_member(body, name, NULL);
    *out = jsonio_member_text(body, name);
    if (value != NULL && (*out == NULL || !ident_is_hex(*out, digits)))
        return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/%s", name),
                           arena_printf(c->arena, "must be an id of %zu lower-case hex digits", digits));
    return FAULT_NONE;
}

/* What the database found wrong, for the client. */
static enum fault system_job_refusal(struct call *c, enum fault fault, bool of_batch)
{
    const char *pointer = of_batch ? "/batchId" : "/dataSetId";
    switch (fault) {
    case FAULT_NOT_FOUND:
        return call_refuse(c, FAULT_MALFORMED, pointer,
                           of_batch ? "must be the id of a batch that was ingested into this sandbox"
                                    : "must be the id of a dataset of this sandbox");
    case FAULT_MALFORMED:
        return call_refuse(c, fault, pointer, "is a dataset to export into: the profile store holds no records of it");
    case FAULT_STATE:
        return call_refuse(c, fault, pointer,
                           "the batch has not been loaded with success, or was before it was kept what it brought");
    default:
        return call_key_refusal(c, fault);
    }
}

enum fault system_job_handle_create(struct call *c)
{
    struct json_object *body;
    struct db_rows rows;
    const char *dataset = NULL, *batch = NULL, *key, *digest;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = system_job_read_id(c, body, "dataSetId", IDENT_DATASET_DIGITS, &dataset);
    if (fault == FAULT_NONE)
        fault = system_job_read_id(c, body, "batchId", IDENT_BATCH_DIGITS, &batch);
    if (fault != FAULT_NONE)
        return fault;
    if ((dataset == NULL) == (batch == NULL))
        return call_refuse(c, FAULT_MALFORMED, dataset == NULL ? "/dataSetId" : "/batchId",
                           "either dataSetId or batchId is required, and not both");
    fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char id[CRYPTO_UUID_TEXT];
    crypto_uuid(id);
    const char *const params[] = {id, dataset, batch, c->scope.client_id, key, digest};
    fault = call_db(c, &STMT_SYSTEM_JOB_CREATE, params, sizeof params / sizeof *params, &rows);
    if (fault != FAULT_NONE)
        return system_job_refusal(c, fault, batch != NULL);
    if (rows.count != 1)
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the job that this Idempotency-Key made is gone");
    c->audit.object = db_text(&rows, 0, SYSTEM_JOB_ID);
    return system_job_answer(c, &rows);
}

enum fault system_job_handle_get(struct call *c)
{
    struct db_rows rows;
    const char *const params[] = {c->segment[0]};
    if (!ident_is_uuid(c->segment[0]))
        return FAULT_NOT_FOUND;
    enum fault fault = call_db(c, &STMT_SYSTEM_JOB_GET, params, 1, &rows);
    if (fault != FAULT_NONE)
        return fault;
    return rows.count != 1 ? FAULT_NOT_FOUND : system_job_answer(c, &rows);
}

enum fault system_job_handle_list(struct call *c)
{
    struct query q;
    struct db_rows rows;
    int64_t limit = SYSTEM_JOB_LIMIT_DEFAULT, start = 0;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *given = query_get(&q, "limit"), *from = query_get(&q, "start");
    if (given != NULL && !query_number(given, 1, SYSTEM_JOB_LIMIT_MOST, &limit))
        return call_refuse(c, FAULT_MALFORMED, NULL, "limit: a number from 1 to 100");
    if (from != NULL && !query_number(from, 0, SYSTEM_JOB_START_MOST, &start))
        return call_refuse(c, FAULT_MALFORMED, NULL, "start: a number of rows from 0");
    /* one row more than the page tells whether another page follows */
    const char *const params[] = {arena_int(c->arena, limit + 1), arena_int(c->arena, start)};
    enum fault fault = call_db(c, &STMT_SYSTEM_JOB_LIST, params, 2, &rows);
    if (fault != FAULT_NONE)
        return fault;
    int count = rows.count > limit ? (int)limit : rows.count;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_object());
    struct json_object *page = json_object_new_object(), *children = json_object_new_array();
    json_object_object_add(answer, "_page", page);
    json_object_object_add(answer, "children", children);
    jsonio_add_int(page, "count", count);
    if (rows.count > count)
        jsonio_add_text(page, "next", arena_int(c->arena, start + count));
    for (int i = 0; i < count; i++)
        json_object_array_add(children, system_job_document(c, &rows, i));
    return answer == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, answer);
}
