/*
 * client_job: one export job (contract.md section 5). See client_job.h.
 */
#include "consignctl/client_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "consignctl/client_show.h"
#include "consignctl/client_text.h"
#include "lib/clock.h"

#define JOB_WAIT_S 30          /* held by the service */
#define JOB_WAIT_TERMINAL_S 2  /* where a bar shows how far the job is */
#define JOB_POLL_MS 500        /* when the service does not hold the answer */

const char *client_job_number(const struct client_args *args)
{
    if (!client_text_is_number(args->argument))
        client_args_wrong(args->command, "%s is no number of a job", args->argument);
    return args->argument;
}

void client_job_get(struct client_session *s, const char *number, int wait_s, struct client_reply *out)
{
    char path[128];
    if (wait_s > 0)
        snprintf(path, sizeof path, CLIENT_JOB_PATH "/%s?wait=%d", number, wait_s);
    else
        snprintf(path, sizeof path, CLIENT_JOB_PATH "/%s", number);
    client_session_call(s, "GET", path, NULL, NULL, out);
    if (!json_object_is_type(out->document, json_type_object))
        client_fail(CLIENT_REFUSED, "GET %s: the answer is no job", path);
}

const char *client_job_status(struct json_object *job)
{
    const char *status = jsonio_member_text(job, "status");
    return status == NULL ? "-" : status;
}

static bool job_has_ended(struct json_object *job)
{
    const char *status = client_job_status(job);
    return strcmp(status, "SUCCEEDED") == 0 || strcmp(status, "FAILED") == 0 || strcmp(status, "CANCELLED") == 0;
}

static int64_t job_count(struct json_object *object, const char *name)
{
    return json_object_get_int64(jsonio_member(object, name, NULL));
}

/* Shows how far it is: a bar, or a line when the status is another than `before`. */
static void job_show(struct json_object *job, const char *number, const char *before)
{
    struct json_object *progress = jsonio_member(jsonio_member(job, "metrics", NULL), "progress", NULL);
    int64_t done = job_count(progress, "profilesDone"), all = job_count(progress, "profilesEstimated");
    const char *phase = jsonio_member_text(progress, "phase"), *status = client_job_status(job);
    if (client_show_is_terminal())
        client_show_bar(all > 0 ? (done < all ? (double)done / (double)all : 1) : 0,
                        "job %s %s %s  %" PRId64 " of about %" PRId64 " profiles", number, status,
                        phase == NULL ? "" : phase, done, all);
    else if (strcmp(status, before) != 0)
        client_show_line("job %s %s", number, status);
}

/* How long the service may hold the next answer: not past the end of the patience. */
static int job_hold_s(const struct client_session *s)
{
    int64_t most_s = client_show_is_terminal() ? JOB_WAIT_TERMINAL_S : JOB_WAIT_S;
    int64_t left_s = client_patience_left(&s->patience, clock_monotonic_ms()) / 1000;
    return (int)(left_s < most_s ? (left_s > 0 ? left_s : 0) : most_s);
}

void client_job_wait(struct client_session *s, const char *number, struct client_reply *out)
{
    const struct timespec pause = {.tv_nsec = JOB_POLL_MS * 1000000L};
    char before[32] = "";
    client_job_get(s, number, 0, out);
    while (!job_has_ended(out->document)) {
        job_show(out->document, number, before);
        snprintf(before, sizeof before, "%s", client_job_status(out->document));
        client_session_free(out);
        int64_t asked_ms = clock_monotonic_ms();
        if (client_patience_left(&s->patience, asked_ms) <= 0)
            client_fail(CLIENT_GAVE_UP, "gave up: job %s is still %s", number, before);
        client_job_get(s, number, job_hold_s(s), out);
        /* held for a moment only, though nothing changed: it has other requests to hold */
        if (strcmp(before, client_job_status(out->document)) == 0 && clock_monotonic_ms() - asked_ms < JOB_POLL_MS)
            nanosleep(&pause, NULL);
    }
    client_show_end();
}

enum client_exit client_job_verdict(struct json_object *job)
{
    const char *status = client_job_status(job);
    struct json_object *errors = jsonio_member(job, "errors", NULL), *first = NULL;
    if (strcmp(status, "FAILED") != 0 && strcmp(status, "CANCELLED") != 0)
        return CLIENT_OK;
    if (json_object_is_type(errors, json_type_array))
        first = json_object_array_get_idx(errors, 0);
    const char *code = jsonio_member_text(first, "code"), *message = jsonio_member_text(first, "msg");
    client_show_line("consignctl: job %" PRId64 " is %s%s%s%s%s", job_count(job, "id"), status, code == NULL ? "" : ": ",
                     code == NULL ? "" : code, message == NULL ? "" : " ", message == NULL ? "" : message);
    return CLIENT_JOB;
}

/* A time of the service as RFC 3339. */
static const char *job_time(int64_t ms, char out[32])
{
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    if (ms <= 0 || gmtime_r(&seconds, &parts) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return "-";
    return out;
}

/* Its batch, or how many there are. */
static const char *job_batch(struct json_object *destination, char out[32])
{
    struct json_object *batches = jsonio_member(destination, "batches", NULL);
    const char *batch = jsonio_member_text(destination, "batchId");
    if (json_object_is_type(batches, json_type_array)) {
        snprintf(out, 32, "%zu batches", json_object_array_length(batches));
        return out;
    }
    return batch == NULL || *batch == '\0' ? "-" : batch;
}

void client_job_print(struct json_object *job, bool json)
{
    char created[32], batches[32];
    struct json_object *metrics = jsonio_member(job, "metrics", NULL);
    struct json_object *destination = jsonio_member(job, "destination", NULL);
    const char *dataset = jsonio_member_text(destination, "datasetId");
    if (json) {
        client_show_json(job);
        return;
    }
    client_show_result("%" PRId64 "\t%s\t%" PRId64 "\t%" PRId64 "\t%s\t%s\t%s", job_count(job, "id"), client_job_status(job),
                       job_count(metrics, "totalExportedProfileCounter"), job_count(metrics, "totalExportedEventCounter"),
                       dataset == NULL ? "-" : dataset, job_batch(destination, batches),
                       job_time(job_count(job, "creationTime"), created));
}
