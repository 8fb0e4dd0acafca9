/*
 * ingest: loads one uploaded batch into the profile store. See ingest.h.
 */
#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/inbox.h"
#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "store/intake.h"
#include "store/upload.h"

#define INGEST_READ_BYTES (256u * 1024u) /* between two looks at `stopped` */
#define INGEST_ERRORS_MAX (64u * 1024u * 1024u)
#define INGEST_REASON_MAX 16384u

struct ingest {
    const struct ingest_order *order;
    struct ingest_result *result;
    struct upload upload;
    struct intake intake;
    int file;
    const char *name;  /* of the file, as the client called it */
    enum fault broken; /* why the read function gave up */
};

/* The upload's read function. */
static ssize_t ingest_read(void *arg, char *out, size_t room)
{
    struct ingest *in = arg;
    if (in->order->stopped()) {
        in->broken = FAULT_STOPPED;
        return -1;
    }
    ssize_t got;
    do
        got = read(in->file, out, room < INGEST_READ_BYTES ? room : INGEST_READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        log_event(LOG_ERROR, "inbox_read", "reason=\"%s\"", strerror(errno));
        in->broken = FAULT_DISK;
    }
    return got;
}

/* Opens a file of the inbox that must have this size. */
static enum fault ingest_open(struct ingest *in, const char *object, int64_t bytes)
{
    const struct ingest_order *o = in->order;
    char path[INBOX_PATH_MAX];
    struct stat about;
    enum fault fault = inbox_file_path(path, o->inbox, o->org, o->sandbox, o->batch, object);
    if (fault != FAULT_NONE)
        return fault;
    in->file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in->file < 0 || fstat(in->file, &about) != 0 || !S_ISREG(about.st_mode)) {
        log_event(LOG_ERROR, "inbox_open", "object=%s reason=\"%s\"", object, strerror(errno));
        return FAULT_DISK;
    }
    if (about.st_size != bytes) {
        log_event(LOG_ERROR, "inbox_size", "object=%s expected=%lld found=%lld", object, (long long)bytes,
                  (long long)about.st_size);
        return FAULT_DISK;
    }
    return FAULT_NONE;
}

static void ingest_close(struct ingest *in)
{
    if (in->file >= 0)
        close(in->file);
    in->file = -1;
}

static struct intake_place ingest_place(const struct ingest *in, const struct upload_record *at)
{
    return (struct intake_place){.file = in->name, .line = at->line, .offset = at->offset};
}

/* The file cannot be cut into records: notes where, for the batch and among the refused records. */
static enum fault ingest_break(struct ingest *in, const struct upload_record *at)
{
    struct str text = STR_INIT(INGEST_REASON_MAX);
    struct intake_place place = ingest_place(in, at);
    intake_refuse(&in->intake, &place, "json", at->reason, at->text, at->length);
    str_printf(&text, "file %s: %s at offset %lld", in->name, at->reason, (long long)at->offset);
    str_append_text(&in->result->reason, "[{\"code\":\"json\",\"description\":");
    refused_write_text(&in->result->reason, text.data != NULL ? text.data : "", text.length, REFUSED_SHOWN_BYTES);
    str_append_text(&in->result->reason, "}]");
    str_free(&text);
    return FAULT_MALFORMED;
}

/* Takes one thing that the upload found; *over when it was the last. */
static enum fault ingest_take(struct ingest *in, enum upload_result found, const struct upload_record *at, bool *over)
{
    struct intake_place place = ingest_place(in, at);
    char reason[RECORD_REASON_MAX];
    switch (found) {
    case UPLOAD_END:
        *over = true;
        return FAULT_NONE;
    case UPLOAD_FAILED:
        return in->broken;
    case UPLOAD_BROKEN:
        return ingest_break(in, at);
    case UPLOAD_OVERSIZED:
        record_size_reason(reason, sizeof reason, in->order->record_bytes);
        intake_refuse(&in->intake, &place, "size", reason, at->text, at->length);
        return FAULT_NONE;
    case UPLOAD_RECORD:
        break;
    }
    return intake_take(&in->intake, &place, at->text, at->length);
}

static enum fault ingest_file(struct ingest *in, const struct db_rows *files, int row)
{
    bool over = false;
    in->name = db_text(files, row, 0);
    enum fault fault = ingest_open(in, db_text(files, row, 1), db_int(files, row, 2));
    if (fault == FAULT_NONE)
        upload_open(&in->upload, ingest_read, in);
    while (fault == FAULT_NONE && !over) {
        struct upload_record at;
        enum upload_result found = upload_next(&in->upload, &at);
        fault = ingest_take(in, found, &at, &over);
    }
    ingest_close(in);
    return fault;
}

/* The figures and refused records as they go into the database. */
static enum fault ingest_sum_up(struct ingest *in)
{
    struct ingest_result *r = in->result;
    r->input = in->intake.input;
    r->failed = in->intake.refused.count;
    refused_write(&in->intake.refused, &r->errors);
    return r->errors.overflow || r->reason.overflow ? FAULT_MEMORY : FAULT_NONE;
}

/* Has the database take what was staged. */
static enum fault ingest_hand_over(struct ingest *in)
{
    const struct ingest_order *o = in->order;
    const struct ingest_result *r = in->result;
    const char *params[] = {arena_int(o->arena, o->org),
                            arena_int(o->arena, o->sandbox),
                            o->batch,
                            o->attempt,
                            arena_int(o->arena, r->started_ms),
                            arena_int(o->arena, r->input),
                            arena_int(o->arena, r->failed),
                            r->errors.data};
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    enum fault fault = db_run(o->db, o->arena, &STMT_BATCH_LOAD, params, NULL);
    if (fault == FAULT_NONE)
        fault = intake_observe(&in->intake);
    return fault == FAULT_NONE ? db_commit(o->db) : fault;
}

/* The transaction of a load. On a fault the caller ends it. */
static enum fault ingest_transaction(struct ingest *in, const struct db_rows *files)
{
    const struct ingest_order *o = in->order;
    enum fault fault = db_begin(o->db, o->org, "");
    if (fault == FAULT_NONE)
        fault = intake_begin(&in->intake);
    for (int row = 0; fault == FAULT_NONE && row < files->count; row++)
        fault = ingest_file(in, files, row);
    if (fault == FAULT_NONE)
        fault = intake_end(&in->intake);
    if (fault == FAULT_NONE || fault == FAULT_MALFORMED) {
        enum fault summed = ingest_sum_up(in);
        fault = summed != FAULT_NONE ? summed : fault;
    }
    return fault == FAULT_NONE ? ingest_hand_over(in) : fault;
}

enum fault ingest_load(const struct ingest_order *order, struct ingest_result *result)
{
    struct ingest in = {.order = order, .result = result, .file = -1, .broken = FAULT_DISK};
    *result = (struct ingest_result){
        .started_ms = clock_wall_ms(), .errors = STR_INIT(INGEST_ERRORS_MAX), .reason = STR_INIT(INGEST_REASON_MAX)};
    const char *params[] = {arena_int(order->arena, order->org), arena_int(order->arena, order->sandbox), order->batch};
    struct db_rows files;
    struct intake_order intake = {.db = order->db,
                                  .arena = order->arena,
                                  .org = order->org,
                                  .sandbox = order->sandbox,
                                  .dataset = order->dataset,
                                  .event = order->event,
                                  .record_bytes = order->record_bytes,
                                  .errors_kept = order->errors_kept};
    enum fault fault = intake_init(&in.intake, &intake);
    if (fault == FAULT_NONE && (arena_exhausted(order->arena) || !upload_init(&in.upload, order->record_bytes)))
        fault = FAULT_MEMORY;
    if (fault == FAULT_NONE)
        fault = db_call(order->db, order->arena, order->org, &STMT_UPLOAD_LIST, params, &files);
    if (fault == FAULT_NONE)
        fault = ingest_transaction(&in, &files);
    if (fault != FAULT_NONE)
        db_close(order->db); /* a COPY may be under way: it ends with its connection */
    intake_free(&in.intake);
    upload_free(&in.upload);
    return fault;
}

void ingest_result_free(struct ingest_result *result)
{
    str_free(&result->errors);
    str_free(&result->reason);
}
