/*
 * ingest: loads one uploaded batch into the profile store. See ingest.h.
 */
#include "store/ingest.h"

#include <stdio.h>
#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "store/csv.h"
#include "store/decode.h"
#include "store/intake.h"
#include "store/source.h"
#include "store/upload.h"

#define INGEST_READ_BYTES (256u * 1024u) /* between two looks at `stopped` */
#define INGEST_ERRORS_MAX (64u * 1024u * 1024u)
#define INGEST_REASON_MAX 16384u
#define INGEST_TEXT_MAX 1024u

struct ingest {
    const struct ingest_order *order;
    struct ingest_result *result;
    struct source source;
    struct decode *decode;
    struct upload upload;
    struct csv csv;
    struct intake intake;
    const char *name; /* of the file, as the client called it */
    bool rows;        /* it is CSV */
    bool headed;      /* and its header was read */
    bool stopped;
};

/* The upload's read function. */
static ssize_t ingest_read(void *arg, char *out, size_t room)
{
    struct ingest *in = arg;
    in->stopped = in->order->stopped(in->order->stopped_arg);
    return in->stopped ? -1 : decode_read(in->decode, out, room < INGEST_READ_BYTES ? room : INGEST_READ_BYTES);
}

static struct intake_place ingest_place(const struct ingest *in, const struct upload_record *at)
{
    return (struct intake_place){.file = in->name, .line = at->line, .offset = at->offset};
}

/* Notes for the client why nothing of the batch is kept. */
static enum fault ingest_give_up(struct ingest *in, const char *code, const char *description)
{
    struct str *out = &in->result->reason;
    str_printf(out, "[{\"code\":\"%s\",\"description\":", code);
    refused_write_text(out, description, strlen(description), REFUSED_SHOWN_BYTES);
    str_append_text(out, "}]");
    return FAULT_MALFORMED;
}

/* The file cannot be cut into records: notes where, for the batch and among the refused records. */
static enum fault ingest_break(struct ingest *in, const char *code, const char *reason, const struct upload_record *at)
{
    struct intake_place place = ingest_place(in, at);
    const char *text = arena_printf(in->order->arena, "file %s: %s at offset %lld", in->name, reason, (long long)at->offset);
    intake_refuse(&in->intake, &place, code, reason, at->text, at->length);
    return text == NULL ? FAULT_MEMORY : ingest_give_up(in, code, text);
}

/* The read function gave up. */
static enum fault ingest_fail(struct ingest *in)
{
    struct upload_record at;
    char reason[INGEST_TEXT_MAX];
    if (in->stopped)
        return FAULT_STOPPED;
    upload_place(&in->upload, &at);
    switch (decode_state(in->decode)) {
    case DECODE_BROKEN:
        return ingest_break(in, "encoding", decode_reason(in->decode), &at);
    case DECODE_TOO_LARGE:
        snprintf(reason, sizeof reason, "the file is longer than %lld bytes", (long long)in->order->file_bytes);
        return ingest_break(in, "size", reason, &at);
    case DECODE_MEMORY:
        log_event(LOG_ERROR, "ingest_memory", "what=decode");
        return FAULT_MEMORY;
    case DECODE_SOURCE:
    case DECODE_FINE:
        break;
    }
    return in->source.fault != FAULT_NONE ? in->source.fault : FAULT_DISK;
}

/* A column's types by the dataset's schema. */
static unsigned ingest_kinds(void *arg, const char *path, size_t length)
{
    const struct ingest *in = arg;
    unsigned types = schema_types_at(in->intake.record.schema, path, length);
    unsigned kinds = CSV_STRING;
    if ((types & (SCHEMA_INTEGER | SCHEMA_NUMBER)) != 0)
        kinds |= CSV_NUMBER;
    if ((types & SCHEMA_BOOLEAN) != 0)
        kinds |= CSV_BOOLEAN;
    return kinds;
}

/* The first row of a file names the members of the others. */
static enum fault ingest_header(struct ingest *in, const struct upload_record *at)
{
    in->headed = true;
    if (csv_header(&in->csv, at->text, at->length, in->upload.delimiter, ingest_kinds, in))
        return FAULT_NONE;
    return ingest_break(in, "csv", in->csv.reason, at);
}

static enum fault ingest_row(struct ingest *in, const struct upload_record *at)
{
    struct intake_place place = ingest_place(in, at);
    if (!in->headed)
        return ingest_header(in, at);
    if (!csv_row(&in->csv, at->text, at->length)) {
        intake_refuse(&in->intake, &place, in->csv.code, in->csv.reason, at->text, at->length);
        return FAULT_NONE;
    }
    place.shown = at->text;
    place.shown_length = at->length;
    return intake_take(&in->intake, &place, in->csv.json.data, in->csv.json.length);
}

static enum fault ingest_oversized(struct ingest *in, const struct upload_record *at)
{
    struct intake_place place = ingest_place(in, at);
    char reason[RECORD_REASON_MAX];
    if (in->rows && !in->headed)
        return ingest_break(in, "csv", "the header is too long", at);
    record_size_reason(reason, sizeof reason, in->order->record_bytes);
    intake_refuse(&in->intake, &place, "size", reason, at->text, at->length);
    return FAULT_NONE;
}

/* Takes one thing that the upload found; *over when it was the last. */
static enum fault ingest_take(struct ingest *in, enum upload_result found, struct upload_record *at, bool *over)
{
    struct intake_place place = ingest_place(in, at);
    switch (found) {
    case UPLOAD_END:
        *over = true;
        upload_place(&in->upload, at);
        return in->rows && !in->headed ? ingest_break(in, "csv", "the header is missing", at) : FAULT_NONE;
    case UPLOAD_FAILED:
        return ingest_fail(in);
    case UPLOAD_BROKEN:
        return ingest_break(in, "json", at->reason, at);
    case UPLOAD_OVERSIZED:
        return ingest_oversized(in, at);
    case UPLOAD_RECORD:
        break;
    }
    return in->rows ? ingest_row(in, at) : intake_take(&in->intake, &place, at->text, at->length);
}

/* Begins the file of this row. */
static enum fault ingest_open(struct ingest *in, const struct db_rows *files, int row)
{
    enum decode_encoding encoding;
    if (!decode_encoding_named(db_text(files, row, SOURCE_ENCODING), &encoding)) {
        log_event(LOG_ERROR, "ingest_encoding", "encoding=%s", log_quote(db_text(files, row, SOURCE_ENCODING)));
        return FAULT_INTERNAL;
    }
    in->name = db_text(files, row, SOURCE_NAME);
    in->rows = strcmp(db_text(files, row, SOURCE_FORMAT), "csv") == 0;
    in->headed = false;
    source_open(&in->source, row);
    decode_open(in->decode, encoding, in->order->file_bytes, source_read, &in->source);
    if (in->rows)
        upload_open_rows(&in->upload, ingest_read, in, *db_text(files, row, SOURCE_DELIMITER));
    else
        upload_open(&in->upload, ingest_read, in);
    return FAULT_NONE;
}

/* Takes all of one file; *row becomes the row of the next. */
static enum fault ingest_file(struct ingest *in, const struct db_rows *files, int *row)
{
    bool over = false;
    enum fault fault = ingest_open(in, files, *row);
    while (fault == FAULT_NONE && !over) {
        struct upload_record at;
        enum upload_result found = upload_next(&in->upload, &at);
        fault = ingest_take(in, found, &at, &over);
    }
    source_close(&in->source);
    *row = in->source.stop;
    return fault;
}

/* The figures and refused records as they go into the database. */
static enum fault ingest_sum_up(struct ingest *in)
{
    struct ingest_result *r = in->result;
    r->input = in->intake.input;
    r->failed = in->intake.refused.count;
    r->bytes = in->intake.bytes;
    refused_write(&in->intake.refused, &r->errors);
    return r->errors.overflow || r->reason.overflow ? FAULT_MEMORY : FAULT_NONE;
}

/* Whether more records are bad than the batch takes: then nothing of it is kept. */
static enum fault ingest_judge(struct ingest *in)
{
    const struct ingest_order *o = in->order;
    const struct ingest_result *r = in->result;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), o->batch,
                            arena_int(o->arena, r->input), arena_int(o->arena, r->failed)};
    struct db_rows rows;
    if (r->failed == 0)
        return FAULT_NONE;
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    enum fault fault = db_run(o->db, o->arena, &STMT_BATCH_TOO_BAD, params, &rows);
    if (fault != FAULT_NONE || rows.count != 1 || !db_bool(&rows, 0, 0))
        return fault;
    const char *text = arena_printf(o->arena, "%lld of %lld records were refused, more than %s percent",
                                    (long long)r->failed, (long long)r->input, db_text(&rows, 0, 1));
    return text == NULL ? FAULT_MEMORY : ingest_give_up(in, "threshold", text);
}

/* Notes how much of the batch the store holds now. */
static enum fault ingest_measure(struct ingest *in)
{
    const struct ingest_order *o = in->order;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), o->batch,
                            arena_int(o->arena, in->intake.bytes)};
    return arena_exhausted(o->arena) ? FAULT_MEMORY : db_run(o->db, o->arena, &STMT_BATCH_WRITTEN, params, NULL);
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
        fault = ingest_measure(in);
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
    in->source.files = files;
    for (int row = 0; fault == FAULT_NONE && row < files->count;)
        fault = ingest_file(in, files, &row);
    if (fault == FAULT_NONE)
        fault = intake_end(&in->intake);
    if (fault == FAULT_NONE || fault == FAULT_MALFORMED) {
        enum fault summed = ingest_sum_up(in);
        fault = summed != FAULT_NONE ? summed : fault;
    }
    if (fault == FAULT_NONE)
        fault = ingest_judge(in);
    return fault == FAULT_NONE ? ingest_hand_over(in) : fault;
}

/* Prepares what a load works with. Whatever comes of it, ingest_free() follows. */
static enum fault ingest_init(struct ingest *in, const struct intake_order *intake)
{
    const struct ingest_order *o = in->order;
    enum fault fault = intake_init(&in->intake, intake);
    in->decode = decode_new();
    bool memory = upload_init(&in->upload, o->record_bytes);
    memory = csv_init(&in->csv, o->record_bytes) && memory && in->decode != NULL;
    return fault == FAULT_NONE && !memory ? FAULT_MEMORY : fault;
}

static void ingest_free(struct ingest *in)
{
    intake_free(&in->intake);
    upload_free(&in->upload);
    csv_free(&in->csv);
    decode_free(in->decode);
}

enum fault ingest_load(const struct ingest_order *order, struct ingest_result *result)
{
    struct ingest in = {
        .order = order,
        .result = result,
        .source = {.inbox = order->inbox, .org = order->org, .sandbox = order->sandbox, .batch = order->batch, .file = -1}};
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
    enum fault fault = ingest_init(&in, &intake);
    if (fault == FAULT_NONE && arena_exhausted(order->arena))
        fault = FAULT_MEMORY;
    if (fault == FAULT_NONE)
        fault = db_call(order->db, order->arena, order->org, &STMT_UPLOAD_LIST, params, &files);
    if (fault == FAULT_NONE)
        fault = ingest_transaction(&in, &files);
    if (fault != FAULT_NONE)
        db_close(order->db); /* a COPY may be under way: it ends with its connection */
    ingest_free(&in);
    return fault;
}

void ingest_result_free(struct ingest_result *result)
{
    str_free(&result->errors);
    str_free(&result->reason);
}
