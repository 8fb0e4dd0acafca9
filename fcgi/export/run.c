/*
 * run: the life of an export run. See run.h; one profile is run_row.c's.
 */
#include "export/run.h"

#include <stdlib.h>
#include <string.h>

#include "export/columns.h"
#include "export/run_internal.h"
#include "lib/clock.h"
#include "lib/invariant.h"
#include "lib/log.h"

#define RUN_ROW_BYTES (16u * 1024u * 1024u) /* of a profile without its events, and of an event */
#define RUN_SINK_BYTES ((size_t)256 * 1024) /* the least memory of a sink */
#define RUN_COLUMNS 18000u /* of all targets together: each takes a sink 2 KiB at least */
#define RUN_SCHEMA_BYTES (1024u * 1024u)

static enum fault run_compile(struct projection *projection, const char *fields)
{
    struct projection_error error;
    enum fault fault = projection_compile(projection, fields, strlen(fields), &error);
    if (fault != FAULT_MALFORMED)
        return fault;
    log_event(LOG_ERROR, "stored_fields", "offset=%zu reason=\"%s\"", error.offset, error.reason);
    return FAULT_INTERNAL; /* it was checked when the job was accepted */
}

static enum fault run_make_columns(struct run *run)
{
    const struct run_order *o = &run->order;
    uint32_t most = RUN_COLUMNS / o->targets;
    struct columns_order order = {.db = o->fragments,
                                  .arena = o->arena,
                                  .org = o->org,
                                  .sandbox = o->sandbox,
                                  .policy = o->policy,
                                  .fields = &run->fields,
                                  .event_fields = &run->event_fields,
                                  .events = o->orders->events,
                                  .leaves = most < ROWSCHEMA_LEAVES_MAX ? most : ROWSCHEMA_LEAVES_MAX};
    enum fault fault = columns_load(&order, &run->schema);
    if (fault == FAULT_NONE)
        rowschema_write(&run->schema, &run->schema_text);
    return fault == FAULT_NONE && run->schema_text.overflow ? FAULT_MEMORY : fault;
}

/* Opens the store. */
static enum fault run_read(struct run *run)
{
    const struct run_order *o = &run->order;
    /* Profiles without records exist by any of their events, whatever the filters of eventList. */
    bool all = o->orders->empty_profiles;
    struct reader_order reading = {.fragments = o->fragments,
                                   .events = o->events,
                                   .arena = o->arena,
                                   .org = o->org,
                                   .sandbox = o->sandbox,
                                   .policy = o->policy,
                                   .snapshot = o->snapshot,
                                   .want_events = o->orders->events || all,
                                   .want_bare = all,
                                   .events_after_ms = all ? INT64_MIN : o->orders->events_after_ms,
                                   .events_before_ms = all ? INT64_MAX : o->orders->events_before_ms};
    struct reader_look look;
    enum fault fault = reader_open(run->reader, &reading, &look);
    if (fault != FAULT_NONE)
        return fault;
    run->result.watermark_ms = look.watermark_ms;
    run->result.identities = look.identities;
    run->result.snapshot = look.snapshot;
    return o->format == SINK_PARQUET ? run_make_columns(run) : FAULT_NONE;
}

enum fault run_open(const struct run_order *order, struct run **out)
{
    struct run *run = calloc(1, sizeof *run);
    *out = run;
    if (run == NULL)
        return FAULT_MEMORY;
    INVARIANT(order->targets >= 1 && order->targets <= RUN_TARGETS_MAX);
    run->order = *order;
    run->fields = run->event_fields = PROJECTION_INIT;
    run->schema = ROWSCHEMA_INIT;
    run->schema_text = STR_INIT(RUN_SCHEMA_BYTES);
    run->scan = JSCAN_INIT;
    run->row = STR_INIT(RUN_ROW_BYTES);
    run->result.namespaces = &run->namespaces;
    run->preview = PREVIEW_INIT;
    run->result.preview = &run->preview;
    run->reader = reader_new();
    run->merge = merge_new();
    if (run->reader == NULL || run->merge == NULL)
        return FAULT_MEMORY;
    order->progress->phase = "reading";
    enum fault fault = run_compile(&run->fields, order->orders->fields);
    if (fault == FAULT_NONE)
        fault = run_compile(&run->event_fields, order->orders->event_fields);
    return fault == FAULT_NONE ? run_read(run) : fault;
}

const struct run_result *run_result(const struct run *run)
{
    return &run->result;
}

static enum fault run_open_sink(struct run *run, uint32_t target)
{
    const struct run_order *o = &run->order;
    size_t memory = o->memory_bytes / o->targets;
    char *watermark = arena_int(o->arena, run->result.watermark_ms), *job = arena_int(o->arena, o->job);
    struct sink_note note[] = {{"consign.job", job},
                               {"consign.batch", o->target[target].batch},
                               {"consign.watermark", watermark},
                               {"consign.schema", run->schema_text.data}};
    struct sink_note *kept = arena_alloc(o->arena, sizeof note);
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    memcpy(kept, note, sizeof note);
    struct sink_settings settings = {.format = o->format,
                                     .compression = o->compression,
                                     .directory = o->target[target].directory,
                                     .part_bytes = o->part_bytes,
                                     .memory_bytes = memory > RUN_SINK_BYTES ? memory : RUN_SINK_BYTES,
                                     .always = o->always && run->result.files == 0, /* once */
                                     .written = &o->progress->bytes_written,
                                     .schema = &run->schema,
                                     .note = kept,
                                     .notes = sizeof note / sizeof *note};
    return sink_open(&settings, &run->sink[target]);
}

static void run_count_files(struct run *run)
{
    run->order.progress->files_written = run->result.files;
    for (uint32_t i = 0; i < run->order.targets; i++)
        run->order.progress->files_written += run->sink[i] != NULL ? run->sink[i]->parts : 0;
}

static enum fault run_read_range(struct run *run, int64_t from, int64_t to)
{
    struct reader_profile profile;
    enum fault fault = reader_range(run->reader, from, to);
    while (fault == FAULT_NONE && (fault = reader_next(run->reader, &profile)) == FAULT_NONE && !profile.over) {
        fault = run_take_profile(run, &profile);
        run->order.progress->profiles_done = run->result.profiles;
        if (fault == FAULT_NONE)
            fault = run->order.tick(run->order.arg);
    }
    return fault;
}

/* Adds the parts of a finished sink to the result. */
static enum fault run_list_parts(struct run *run, uint32_t target)
{
    const struct sink *sink = run->sink[target];
    struct run_result *r = &run->result;
    struct run_file *file = realloc(r->file, (r->files + sink->parts) * sizeof *file + 1);
    if (file == NULL)
        return FAULT_MEMORY;
    r->file = file;
    for (uint32_t i = 0; i < sink->parts; i++)
        r->file[r->files++] = (struct run_file){.target = target, .part = sink->part[i]};
    return FAULT_NONE;
}

/* After the last row: makes the files durable. */
static enum fault run_finish_sinks(struct run *run)
{
    enum fault fault = FAULT_NONE;
    run->order.progress->phase = "writing";
    for (uint32_t i = 0; fault == FAULT_NONE && i < run->order.targets; i++) {
        fault = sink_finish(run->sink[i]);
        run_count_files(run);
        if (fault == FAULT_NONE)
            fault = run_list_parts(run, i);
        sink_close(run->sink[i]);
        run->sink[i] = NULL;
        if (fault == FAULT_NONE)
            fault = run->order.tick(run->order.arg);
    }
    return fault;
}

enum fault run_write(struct run *run)
{
    int64_t from, to;
    bool over = false;
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < run->order.targets; i++)
        fault = run_open_sink(run, i);
    run->order.progress->phase = "reading";
    while (fault == FAULT_NONE && (fault = run->order.next_range(run->order.arg, &from, &to, &over)) == FAULT_NONE &&
           !over) {
        fault = run_read_range(run, from, to);
        run_count_files(run);
    }
    return fault == FAULT_NONE ? run_finish_sinks(run) : fault;
}

enum fault run_end(struct run *run)
{
    run->result.end_ms = clock_wall_ms();
    return reader_close(run->reader);
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (uint32_t i = 0; i < run->order.targets; i++)
        sink_close(run->sink[i]);
    reader_free(run->reader);
    merge_free(run->merge);
    projection_free(&run->fields);
    projection_free(&run->event_fields);
    rowschema_free(&run->schema);
    str_free(&run->schema_text);
    jscan_free(&run->scan);
    str_free(&run->row);
    tally_free(&run->namespaces);
    preview_free(&run->preview);
    free(run->result.file);
    free(run);
}

void run_print_skipped(const struct run_result *r, struct str *out)
{
    str_printf(out, "{\"tooManyIdentities\":%lld,\"tooLarge\":%lld}", (long long)r->too_many_identities,
               (long long)r->too_large);
}

void run_print_namespaces(const struct run_result *r, struct str *out)
{
    tally_write(r->namespaces, out);
}
