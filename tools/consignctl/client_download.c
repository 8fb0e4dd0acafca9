/*
 * client_download: `consignctl export download`: the batches of a job into a folder, each file checked against the
 * manifest. The folder is the state: what is whole there is not asked for again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/client.h"
#include "consignctl/client_args.h"
#include "consignctl/client_batch.h"
#include "consignctl/client_job.h"
#include "consignctl/client_session.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"
#include "consignctl/client_transfer.h"
#include "lib/clock.h"

#define DOWNLOAD_AT_A_TIME 4

struct download {
    struct client_batch *batch;
    int batches;
    struct client_part *part; /* the first of all batches */
};

/* Opens the folder `name` in `base`, and makes it when it is not there. */
static int download_open_folder(int base, const char *name)
{
    int folder = mkdirat(base, name, 0777) == 0 || errno == EEXIST ? openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                                                   : -1;
    if (folder < 0)
        client_fail(CLIENT_REFUSED, "%s: %s", name, strerror(errno));
    return folder;
}

/* The folder of --dir. Two downloads into one would write the same partial files. */
static int download_open(const struct client_args *args)
{
    const char *dir = client_args_value(args, "dir");
    int folder = download_open_folder(AT_FDCWD, dir == NULL ? "." : dir);
    if (flock(folder, LOCK_EX | LOCK_NB) != 0)
        client_fail(CLIENT_REFUSED, "%s: another download is at work there", dir == NULL ? "." : dir);
    return folder;
}

/* The ids of the job's batches; the array is the caller's. */
static const char **download_batch_ids(struct json_object *job, int *count)
{
    struct json_object *destination = jsonio_member(job, "destination", NULL);
    struct json_object *list = jsonio_member(destination, "batches", NULL);
    bool several = json_object_is_type(list, json_type_array);
    *count = several ? (int)json_object_array_length(list) : 1;
    const char **ids = calloc((size_t)*count + 1, sizeof *ids);
    if (ids == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    for (int i = 0; i < *count; i++) {
        ids[i] = jsonio_member_text(several ? json_object_array_get_idx(list, (size_t)i) : destination, "batchId");
        if (ids[i] == NULL || !client_text_is_id(ids[i]))
            client_fail(CLIENT_REFUSED, "the job names no batch");
    }
    return ids;
}

/* Reads what the batches hold and looks at what is in the folder already. With several batches each has a folder of its
 * own there. */
static void download_plan(struct client_session *s, struct download *d, struct json_object *job, int folder)
{
    struct client_part **last = &d->part;
    const char **ids = download_batch_ids(job, &d->batches);
    struct client_budget left = {CLIENT_BATCH_MANIFEST_BYTES, CLIENT_BATCH_FILE_BYTES};
    d->batch = calloc((size_t)d->batches + 1, sizeof *d->batch);
    if (d->batch == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    for (int i = 0; i < d->batches; i++) {
        bool missing = false;
        struct client_batch *batch = &d->batch[i];
        client_batch_read(s, ids[i], d->batches > 1 ? download_open_folder(folder, ids[i]) : folder, &left, batch);
        client_batch_look(batch);
        for (int k = 0; k < batch->parts; k++) {
            missing = !client_part_look(&batch->part[k]) || missing;
            *last = &batch->part[k];
            last = &batch->part[k].next;
        }
        if (missing)
            client_batch_locate(s, batch);
    }
    client_patience_good(&s->patience, clock_monotonic_ms());
    free(ids);
}

/* Puts the manifest beside the files of each batch that is all there. */
static void download_put_manifests(const struct download *d)
{
    for (int i = 0; i < d->batches; i++) {
        const struct client_batch *batch = &d->batch[i];
        bool whole = true;
        for (int k = 0; k < batch->parts; k++)
            whole = whole && batch->part[k].whole;
        if (whole)
            client_part_put(batch->folder, CLIENT_BATCH_MANIFEST, batch->manifest.answer.body.data,
                            batch->manifest.answer.body.length);
    }
}

static const char *download_state(const struct client_part *part)
{
    return !part->whole ? "wrong" : part->old ? "kept" : part->resumed > 0 ? "resumed" : "downloaded";
}

static void download_print_json(const struct download *d, const char *number)
{
    struct json_object *said = json_object_new_object(), *files = json_object_new_array();
    jsonio_add_int(said, "job", strtoll(number, NULL, 10));
    for (const struct client_part *part = d->part; part != NULL; part = part->next) {
        struct json_object *file = json_object_new_object();
        jsonio_add_text(file, "batch", part->batch);
        jsonio_add_text(file, "name", part->name);
        jsonio_add_int(file, "bytes", part->bytes);
        jsonio_add_text(file, "sha256", part->sha256);
        jsonio_add_text(file, "state", download_state(part));
        json_object_array_add(files, file);
    }
    json_object_object_add(said, "files", files);
    client_show_json(said);
    json_object_put(said);
}

static void download_print(const struct download *d)
{
    int64_t bytes = 0;
    int parts = 0, whole = 0, old = 0;
    for (const struct client_part *part = d->part; part != NULL; part = part->next) {
        bytes += part->whole ? part->bytes : 0;
        whole += part->whole;
        old += part->old;
        parts++;
    }
    client_show_result("%d of %d files, %" PRId64 " bytes, as in the manifest; %d were there before", whole, parts, bytes, old);
}

static void download_free(struct download *d)
{
    for (int i = 0; i < d->batches; i++)
        client_batch_free(&d->batch[i]);
    free(d->batch);
}

enum client_exit client_export_download(const struct client_args *args)
{
    struct client_session s;
    struct client_reply job;
    struct download d = {0};
    const char *number = client_job_number(args);
    int at_a_time = (int)client_args_number(args, "parallel", 1, CLIENT_TRANSFER_MOST, DOWNLOAD_AT_A_TIME);
    client_session_open(&s, args);
    client_job_get(&s, number, 0, &job);
    if (client_job_verdict(job.document) != CLIENT_OK)
        return CLIENT_JOB;
    if (strcmp(client_job_status(job.document), "SUCCEEDED") != 0)
        client_fail(CLIENT_REFUSED, "job %s is still %s; consignctl export wait %s waits for it", number,
                    client_job_status(job.document), number);
    int folder = download_open(args);
    download_plan(&s, &d, job.document, folder);
    int wrong = client_transfer_run(&s, d.part, at_a_time);
    download_put_manifests(&d);
    if (client_args_has(args, "json"))
        download_print_json(&d, number);
    else
        download_print(&d);
    download_free(&d);
    client_session_free(&job);
    return wrong > 0 ? CLIENT_WRONG_FILE : CLIENT_OK;
}
