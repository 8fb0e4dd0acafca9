/*
 * run_row: from a profile in the store to its rows. Caller: run.
 */
#include "export/run_internal.h"
#include "export/select.h"

#define ROW_KEEP_BYTES (1024u * 1024u) /* a buffer that grew beyond this is given back */

static void row_restart(struct run *run)
{
    if (run->row.capacity > ROW_KEEP_BYTES)
        str_free(&run->row);
    str_reset(&run->row);
}

/* What became of the profile at hand. */
enum row_state {
    ROW_OPEN,    /* not known yet whether it is wanted */
    ROW_BEGUN,   /* it is a row in the targets that take it */
    ROW_LEFT_OUT /* it is wanted, and has too many identities: contract.md section 6 */
};

/* The profile is wanted: begins its row in every target that takes it. */
static enum fault row_begin(struct run *run, enum row_state *state)
{
    size_t cursor = 0, length;
    const char *name;
    if (merge_identity_count(run->merge) > MERGE_IDENTITIES_MAX) {
        run->result.too_many_identities++;
        *state = ROW_LEFT_OUT;
        return FAULT_NONE;
    }
    *state = ROW_BEGUN;
    row_restart(run);
    enum fault fault = merge_write(run->merge, &run->row);
    for (uint32_t i = 0; fault == FAULT_NONE && i < run->order.targets; i++)
        if (run->in[i])
            fault = sink_row_begin(run->sink[i], run->row.data, run->row.length);
    preview_row_begin(&run->preview, run->row.data, run->row.length);
    run->result.profiles++;
    while (merge_next_namespace(run->merge, &cursor, &name, &length))
        tally_add(&run->namespaces, name, length);
    return fault;
}

static enum fault row_end(struct run *run)
{
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < run->order.targets; i++)
        if (run->in[i])
            fault = sink_row_end(run->sink[i]);
    preview_row_end(&run->preview);
    return fault;
}

/* Whether the filters of eventList let an event through. */
static bool row_wants_event(const struct spec_orders *o, const struct stream_row *event)
{
    return o->events && event->ingested_ms > o->events_after_ms && event->ingested_ms < o->events_before_ms;
}

static enum fault row_add_event(struct run *run, const struct stream_row *event)
{
    row_restart(run);
    enum fault fault = projection_write_document(&run->event_fields, &run->scan, event->body, event->length, &run->row);
    for (uint32_t i = 0; fault == FAULT_NONE && i < run->order.targets; i++)
        if (run->in[i])
            fault = sink_row_event(run->sink[i], run->row.data, run->row.length);
    preview_row_event(&run->preview, run->row.data, run->row.length);
    run->result.events++;
    return fault;
}

/* Writes the row with the events that pass. Whether there is one at all may be for an event to say: a profile whose
 * records are old is a row when an event of the row is new, one without records when any event is. */
static enum fault row_write(struct run *run, const struct reader_profile *profile)
{
    const struct spec_orders *o = run->order.orders;
    const struct stream_row *event;
    enum row_state state = ROW_OPEN;
    enum fault fault = FAULT_NONE;
    if (o->updated_after_ms == INT64_MIN || profile->updated_ms > o->updated_after_ms)
        fault = row_begin(run, &state);
    while (fault == FAULT_NONE && state != ROW_LEFT_OUT &&
           (fault = reader_next_event(run->reader, &event)) == FAULT_NONE && event != NULL) {
        bool wanted = row_wants_event(o, event);
        fault = run->order.tick(run->order.arg);
        if (fault == FAULT_NONE && state == ROW_OPEN && event->ingested_ms > o->updated_after_ms &&
            (wanted || profile->bare))
            fault = row_begin(run, &state);
        if (fault == FAULT_NONE && wanted && state == ROW_BEGUN)
            fault = row_add_event(run, event);
    }
    return fault == FAULT_NONE && state == ROW_BEGUN ? row_end(run) : fault;
}

enum fault run_take_profile(struct run *run, const struct reader_profile *profile)
{
    if (profile->count == 0 && !profile->too_large)
        return FAULT_NONE; /* events without a record, which nobody asked for */
    enum fault fault = FAULT_MALFORMED;
    if (!profile->too_large)
        fault = merge_read(run->merge, profile->fragment, profile->count, &run->fields);
    if (fault == FAULT_MALFORMED) {
        run->result.too_large++;
        return FAULT_NONE;
    }
    if (fault != FAULT_NONE)
        return fault;
    if (!select_targets(run->order.orders, run->order.per_segment, run->merge, profile->bare, run->in))
        return FAULT_NONE;
    return row_write(run, profile);
}
