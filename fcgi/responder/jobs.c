/*
 * jobs: creating, reading and cancelling export jobs (contract.md section 5). The list is in
 * job_list.c.
 */
#include <string.h>

#include "core/ident.h"
#include "core/job_id.h"
#include "core/policy.h"
#include "core/spec.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/pool.h"
#include "responder/handlers.h"
#include "responder/job_document.h"
#include "responder/job_targets.h"
#include "responder/query.h"
#include "responder/worker.h"

#define JOB_ID_TRIES 5
#define JOB_WAIT_MOST_S 60
#define JOB_WAIT_POLL_MS 100
#define JOB_INSTANCE_DEFAULT "ups"
#define JOB_INSTANCE_MAX 128
#define JOB_ANSWER_BYTES (8u * 1024u * 1024u) /* what a job keeps as given is far less, escaped too */

static enum fault job_answer(struct call *c, const struct db_rows *rows, int row)
{
    struct str *text = call_text(c, JOB_ANSWER_BYTES);
    job_document(text, rows, row, c->scope.ims_org_id);
    return call_answer_text(c, text);
}

/* contract.md section 2: x-profile-instance-id is echoed; it must be of a form that can be. */
static enum fault job_instance(struct call *c, const char **out)
{
    const char *given = request_param(&c->request, "HTTP_X_PROFILE_INSTANCE_ID");
    *out = JOB_INSTANCE_DEFAULT;
    if (given == NULL || *given == '\0')
        return FAULT_NONE;
    bool good = strlen(given) <= JOB_INSTANCE_MAX;
    for (const char *p = given; *p != '\0'; p++)
        good = good && *p > 0x20 && *p < 0x7f;
    if (!good)
        return call_refuse(c, FAULT_MALFORMED, NULL, "x-profile-instance-id: at most 128 printable ASCII characters");
    *out = given;
    return FAULT_NONE;
}

/* What the database found wrong with the destination or the merge policy, or which quota is used up, for the client. */
static enum fault job_create_refusal(struct call *c, enum fault fault)
{
    static const char POINTER[] = "/destination/datasetId";
    switch (fault) {
    case FAULT_NOT_FOUND:
        return call_refuse(c, FAULT_MALFORMED, POINTER, "must be the id of a dataset of this sandbox");
    case FAULT_MALFORMED:
        return call_refuse(c, fault, POINTER, "must be a dataset of the profile union schema");
    case FAULT_NOT_SUPPORTED:
        return call_refuse(c, fault, POINTER, "has the compression snappy, which is not offered by this version");
    case FAULT_POLICY:
        return call_refuse(c, FAULT_MALFORMED, "/mergePolicy/id",
                           "is no merge policy of this sandbox; " POLICY_BUILT_IN " always exists");
    case FAULT_POLICY_VERSION:
        return call_refuse(c, FAULT_MALFORMED, "/mergePolicy/version", "is no version of this merge policy");
    case FAULT_WEBHOOK:
        return call_refuse(c, FAULT_MALFORMED, "/webhook", "is no webhook of this sandbox");
    case FAULT_TOO_MANY:
        return call_refuse(c, fault, NULL, "as many export jobs as the quota of the organization or sandbox allows have not ended yet");
    case FAULT_QUOTA:
        return call_refuse(c, fault, NULL, "the batches of the organization or sandbox take all the room that its quota allows");
    default:
        return call_key_refusal(c, fault);
    }
}

static enum fault job_insert(struct call *c, const struct spec_request *spec, const char *instance,
                             struct db_rows *rows)
{
    const char *key, *body;
    enum fault fault = call_idempotency(c, &key, &body);
    if (fault != FAULT_NONE)
        return fault;
    for (int i = 0; i < JOB_ID_TRIES; i++) {
        int64_t now_ms = clock_wall_ms();
        char batch[IDENT_BATCH_DIGITS + 1];
        crypto_random_hex(batch, IDENT_BATCH_DIGITS / 2);
        const char *const params[] = {arena_int(c->arena, job_id_make(now_ms)), batch, arena_int(c->arena, now_ms),
                                      spec->dataset, spec->policy, arena_int(c->arena, spec->policy_version),
                                      spec->fields, spec->filter, spec->additional,
                                      job_targets(c->arena, spec, batch), instance, c->request.id,
                                      c->scope.client_id, key, body, spec->webhook};
        if (arena_exhausted(c->arena))
            return FAULT_MEMORY;
        fault = call_db(c, &STMT_JOB_CREATE, params, sizeof params / sizeof *params, rows);
        if (fault != FAULT_DB_DUPLICATE)
            break; /* the number was taken in the same millisecond, or a batch's id: others */
    }
    return fault;
}

enum fault job_handle_create(struct call *c)
{
    struct spec_request spec;
    struct spec_refusal refusal = {NULL, NULL};
    struct db_rows rows;
    const char *instance;
    enum fault fault = job_instance(c, &instance);
    if (fault != FAULT_NONE)
        return fault;
    fault = spec_parse_request(c->arena, c->body, c->body_length, &spec, &refusal);
    if (fault != FAULT_NONE)
        return call_refuse(c, fault, refusal.pointer, refusal.detail);
    fault = job_insert(c, &spec, instance, &rows);
    if (fault != FAULT_NONE)
        return c->detail != NULL ? fault : job_create_refusal(c, fault);
    if (rows.count != 1)
        return FAULT_INTERNAL;
    c->audit.object = db_text(&rows, 0, JOB_ID);
    const char *path = arena_printf(c->arena, "/data/core/ups/export/jobs/%s", c->audit.object);
    reply_header(&c->reply, "X-Location", call_link(c, path));
    return job_answer(c, &rows, 0);
}

/* The job's number from the path; what is no number of a job is simply not found. */
static enum fault job_number(struct call *c, const char **out)
{
    int64_t job;
    if (!query_number(c->segment[0], 1, JOB_ID_MOST, &job))
        return FAULT_NOT_FOUND;
    *out = arena_int(c->arena, job);
    return FAULT_NONE;
}

/* A job is never in both tables, and goes from the first to the second only: what is not in the first when we look is
 * in the second when we look then, or nowhere. */
static enum fault job_read(struct call *c, const struct stmt *stmt, const char *job, struct db_rows *rows)
{
    const char *const params[] = {job};
    enum fault fault = call_db(c, stmt, params, 1, rows);
    if (fault == FAULT_NONE && rows->count == 0)
        fault = call_db(c, &STMT_JOB_ARCHIVED, params, 1, rows);
    return fault == FAULT_NONE && rows->count != 1 ? FAULT_NOT_FOUND : fault;
}

static void job_wait_end(struct call *c)
{
    __atomic_store_n(&c->worker->waiting->slot_waits[c->worker->slot], 0, __ATOMIC_SEQ_CST);
}

/* Takes one of the places for open requests. A request that gets none is answered at once: a client
 * that waits must poll anyway, and the pool must go on serving the others. */
static bool job_wait_begin(struct call *c)
{
    struct call_waiting *w = c->worker->waiting;
    int taken = 0;
    /* taken first and counted then: of workers that do this at once none overlooks another */
    __atomic_store_n(&w->slot_waits[c->worker->slot], 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < c->worker->workers; i++)
        taken += __atomic_load_n(&w->slot_waits[i], __ATOMIC_SEQ_CST);
    if (taken <= w->most)
        return true;
    job_wait_end(c);
    return false;
}

/* Holds the request until the status differs from what *rows says, and reads the job anew. In between only
 * the status is read: all answers stay in memory until the request ends, and a job may be 64 KiB. */
static enum fault job_wait(struct call *c, const char *job, int64_t seconds, struct db_rows *rows)
{
    const char *before = db_text(rows, 0, JOB_STATUS), *status = before;
    int64_t deadline_ms = clock_monotonic_ms() + seconds * 1000;
    struct db_rows now;
    while (strcmp(status, before) == 0 && clock_monotonic_ms() < deadline_ms && !pool_worker_stopping() &&
           !request_abandoned(c->worker->listener)) {
        worker_progress();
        pool_worker_wait(-1, JOB_WAIT_POLL_MS);
        const char *const params[] = {job};
        enum fault fault = call_db(c, &STMT_JOB_STATUS, params, 1, &now);
        if (fault != FAULT_NONE)
            return fault;
        if (now.count == 0)
            break; /* archived meanwhile */
        status = db_text(&now, 0, 0);
    }
    return job_read(c, &STMT_JOB_GET, job, rows);
}

/* A status after which nothing changes any more. */
static bool job_is_over(const struct db_rows *rows)
{
    const char *status = db_text(rows, 0, JOB_STATUS);
    return strcmp(status, "SUCCEEDED") == 0 || strcmp(status, "FAILED") == 0 || strcmp(status, "CANCELLED") == 0;
}

enum fault job_handle_get(struct call *c)
{
    const char *job;
    struct query q;
    struct db_rows rows;
    int64_t seconds = 0;
    enum fault fault = job_number(c, &job);
    if (fault != FAULT_NONE)
        return fault;
    if (!query_parse(c->arena, c->request.query, &q))
        return call_refuse(c, FAULT_MALFORMED, NULL, "the query is malformed");
    const char *wait = query_get(&q, "wait");
    if (wait != NULL && !query_number(wait, 0, JOB_WAIT_MOST_S, &seconds))
        return call_refuse(c, FAULT_MALFORMED, NULL, "wait: a number of seconds from 0 to 60");
    fault = job_read(c, &STMT_JOB_GET, job, &rows);
    if (fault == FAULT_NONE && seconds > 0 && !job_is_over(&rows) && job_wait_begin(c)) {
        int64_t begun_us = clock_monotonic_us();
        fault = job_wait(c, job, seconds, &rows);
        c->held_us = clock_monotonic_us() - begun_us;
        job_wait_end(c);
    }
    return fault == FAULT_NONE ? job_answer(c, &rows, 0) : fault;
}

enum fault job_handle_cancel(struct call *c)
{
    const char *job;
    struct db_rows rows;
    enum fault fault = job_number(c, &job);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {job};
    fault = call_db(c, &STMT_JOB_CANCEL, params, 1, &rows);
    if (fault == FAULT_NONE)
        c->reply.status = 204;
    return fault;
}
