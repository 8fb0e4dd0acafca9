/*
 * run: one export from the store into files. See run.h.
 */
#include "export/run.h"

#include <string.h>

#include "export/bare.h"
#include "export/merge.h"
#include "export/projection.h"
#include "export/reader.h"
#include "export/tally.h"
#include "lib/clock.h"
#include "lib/log.h"

#define RUN_ROW_BYTES (128u * 1024u * 1024u) /* most that a row may take, its events aside */
#define RUN_KEEP_BYTES (4u * 1024u * 1024u)  /* a buffer that grew beyond this is given back */
#define RUN_FLUSH_BYTES (64u * 1024u)        /* the sink is fed in pieces of about this size */
#define RUN_FIGURES_BYTES (2u * 1024u * 1024u)

struct run {
    const struct run_order *order;
    struct run_result *result;
    struct reader *reader;
    struct merge *merge;
    struct projection fields;
    struct projection event_fields;
    struct jscan scan;
    struct str row;  /* what the sink did not get yet */
    struct str bare; /* of a profile without fragments */
    struct tally namespaces;
    int64_t too_many_identities;
    int64_t too_large;
};

static enum fault run_compile(struct projection *projection, const char *fields)
{
    struct projection_error error;
    enum fault fault = projection_compile(projection, fields, strlen(fields), &error);
    if (fault != FAULT_MALFORMED)
        return fault;
    log_event(LOG_ERROR, "stored_fields", "offset=%zu reason=\"%s\"", error.offset, error.reason);
    return FAULT_INTERNAL; /* it was checked when the job was accepted */
}

/* Everything that an export needs, opened. */
static enum fault run_open(struct run *run)
{
    const struct run_order *o = run->order;
    const struct spec_orders *orders = o->orders;
    /* events of profiles without fragments count even when none of them pass the filters */
    bool all = orders->empty_profiles;
    struct reader_order reading = {.fragments = o->fragments,
                                   .events = o->events,
                                   .arena = o->arena,
                                   .org = o->org,
                                   .sandbox = o->sandbox,
                                   .want_events = orders->events || all,
                                   .events_after_ms = all ? INT64_MIN : orders->events_after_ms,
                                   .events_before_ms = all ? INT64_MAX : orders->events_before_ms};
    run->reader = reader_new();
    run->merge = merge_new();
    if (run->reader == NULL || run->merge == NULL)
        return FAULT_MEMORY;
    enum fault fault = run_compile(&run->fields, orders->fields);
    if (fault == FAULT_NONE)
        fault = run_compile(&run->event_fields, orders->event_fields);
    if (fault == FAULT_NONE)
        fault = json_sink_open(&o->sink, &run->result->sink);
    if (fault == FAULT_NONE)
        fault = reader_open(run->reader, &reading);
    if (fault != FAULT_NONE)
        return fault;
    run->result->watermark_ms = run->reader->watermark_ms;
    o->progress->profiles_estimated = run->reader->identities;
    return FAULT_NONE;
}

static void run_close(struct run *run)
{
    reader_free(run->reader);
    merge_free(run->merge);
    projection_free(&run->fields);
    projection_free(&run->event_fields);
    jscan_free(&run->scan);
    str_free(&run->row);
    str_free(&run->bare);
    tally_free(&run->namespaces);
}

/* Hands what the row buffer holds to the sink. */
static enum fault run_flush(struct run *run)
{
    enum fault fault = run->row.overflow ? FAULT_MEMORY : FAULT_NONE;
    if (fault == FAULT_NONE && run->row.length > 0)
        fault = sink_row_bytes(run->result->sink, run->row.data, run->row.length);
    if (run->row.capacity > RUN_KEEP_BYTES)
        str_free(&run->row);
    str_reset(&run->row);
    return fault;
}

/* Whether the filters of eventList let an event through. */
static bool run_wants_event(const struct run *run, const struct stream_row *event)
{
    const struct spec_orders *o = run->order->orders;
    return o->events && event->ingested_ms > o->events_after_ms && event->ingested_ms < o->events_before_ms;
}

/* Appends the events of the profile at hand as the member eventList, unless there are none. They go to
 * the sink as they come. */
static enum fault run_add_events(struct run *run)
{
    const struct stream_row *event;
    bool any = false;
    enum fault fault;
    while ((fault = reader_next_event(run->reader, &event)) == FAULT_NONE && event != NULL) {
        fault = run->order->tick(run->order->tick_arg);
        if (fault != FAULT_NONE)
            return fault;
        if (!run_wants_event(run, event))
            continue;
        str_append_text(&run->row, any ? "," : ",\"eventList\":[");
        any = true;
        fault = projection_write_document(&run->event_fields, &run->scan, event->body, event->length, &run->row);
        if (fault == FAULT_NONE && run->row.length >= RUN_FLUSH_BYTES)
            fault = run_flush(run);
        if (fault != FAULT_NONE)
            return fault;
        run->result->events++;
    }
    if (any)
        str_append_char(&run->row, ']');
    return fault;
}

static void run_count(struct run *run)
{
    size_t cursor = 0, length;
    const char *name;
    run->result->rows++;
    while (merge_next_namespace(run->merge, &cursor, &name, &length))
        tally_add(&run->namespaces, name, length);
}

/* Writes the merged profile in the row buffer and its events as one row. */
static enum fault run_write_row(struct run *run)
{
    struct sink *sink = run->result->sink;
    run->row.data[--run->row.length] = '\0'; /* its closing brace: eventList may follow */
    enum fault fault = sink_row_begin(sink);
    if (fault == FAULT_NONE)
        fault = run_add_events(run);
    if (fault != FAULT_NONE)
        return fault;
    str_append_char(&run->row, '}');
    fault = run_flush(run);
    if (fault == FAULT_NONE)
        fault = sink_row_end(sink);
    run_count(run);
    return fault;
}

/* The fragment of a profile that has events only. */
static enum fault run_make_bare(struct run *run, struct merge_fragment *fragment)
{
    const struct stream_row *event;
    enum fault fault = reader_next_event(run->reader, &event);
    if (fault != FAULT_NONE || event == NULL)
        return fault != FAULT_NONE ? fault : FAULT_INTERNAL;
    str_reset(&run->bare);
    fault = bare_write_profile(&run->scan, event->body, event->length, &run->bare);
    reader_unread_event(run->reader);
    *fragment = (struct merge_fragment){.body = run->bare.data, .length = run->bare.length};
    return fault;
}

/* Merges one profile and writes its row, or leaves it out. */
static enum fault run_profile(struct run *run, const struct reader_profile *profile)
{
    struct merge_fragment bare;
    const struct merge_fragment *fragment = profile->fragment;
    size_t count = profile->count;
    bool too_many = false;
    enum fault fault = FAULT_NONE;
    if (profile->too_large) {
        run->too_large++;
        return FAULT_NONE;
    }
    if (count == 0 && !run->order->orders->empty_profiles)
        return FAULT_NONE;
    if (count == 0) {
        fault = run_make_bare(run, &bare);
        fragment = &bare;
        count = 1;
    }
    if (fault == FAULT_NONE) {
        fault = merge_profile(run->merge, fragment, count, &run->fields, &run->row);
        too_many = merge_identity_count(run->merge) > RUN_IDENTITIES_MAX;
    }
    if (too_many && (fault == FAULT_NONE || fault == FAULT_MEMORY)) { /* so many that the row had no room */
        run->too_many_identities++;
        str_reset(&run->row);
        return FAULT_NONE;
    }
    return fault == FAULT_NONE ? run_write_row(run) : fault;
}

static enum fault run_all_profiles(struct run *run)
{
    struct reader_profile profile;
    enum fault fault;
    while ((fault = reader_next(run->reader, &profile)) == FAULT_NONE && !profile.over) {
        fault = run_profile(run, &profile);
        if (fault == FAULT_NONE)
            fault = run->order->tick(run->order->tick_arg);
        if (fault != FAULT_NONE)
            return fault;
        run->order->progress->profiles_done = run->result->rows;
        run->order->progress->files_written = run->result->sink->parts;
    }
    return fault;
}

static void run_write_skipped(const struct run *run, struct str *out)
{
    if (run->too_many_identities == 0 && run->too_large == 0)
        return;
    str_append_char(out, '{');
    if (run->too_many_identities > 0)
        str_printf(out, "\"tooManyIdentities\":%lld", (long long)run->too_many_identities);
    if (run->too_large > 0)
        str_printf(out, "%s\"tooLarge\":%lld", run->too_many_identities > 0 ? "," : "", (long long)run->too_large);
    str_append_char(out, '}');
}

/* After the last row: the figures, and the files made durable. */
static enum fault run_finish(struct run *run)
{
    struct run_result *r = run->result;
    r->read_end_ms = clock_wall_ms();
    run->order->progress->phase = "writing";
    tally_write(&run->namespaces, &r->by_namespace);
    run_write_skipped(run, &r->skipped);
    enum fault fault = sink_finish(r->sink);
    run->order->progress->files_written = r->sink->parts;
    return fault == FAULT_NONE && (r->by_namespace.overflow || r->skipped.overflow) ? FAULT_MEMORY : fault;
}

enum fault run_export(const struct run_order *order, struct run_result *result)
{
    struct run run = {.order = order,
                      .result = result,
                      .fields = PROJECTION_INIT,
                      .event_fields = PROJECTION_INIT,
                      .scan = JSCAN_INIT,
                      .row = STR_INIT(RUN_ROW_BYTES),
                      .bare = STR_INIT(RUN_FLUSH_BYTES)};
    *result = (struct run_result){.by_namespace = STR_INIT(RUN_FIGURES_BYTES), .skipped = STR_INIT(256)};
    order->progress->phase = "reading";
    enum fault fault = run_open(&run);
    if (fault == FAULT_NONE)
        fault = run_all_profiles(&run);
    if (fault == FAULT_NONE)
        fault = run_finish(&run);
    run_close(&run);
    return fault;
}

void run_release(struct run_result *result)
{
    sink_close(result->sink);
    result->sink = NULL;
    str_free(&result->by_namespace);
    str_free(&result->skipped);
}
