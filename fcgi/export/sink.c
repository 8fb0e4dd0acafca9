/*
 * sink: what all formats share: the choice, the sticky fault, the part list, the abort. See sink.h.
 */
#include "export/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/invariant.h"

static enum fault keep(struct sink *sink, enum fault fault)
{
    sink->fault = fault;
    return fault;
}

enum fault sink_open(const struct sink_settings *settings, struct sink **out)
{
    return settings->format == SINK_JSON ? sink_json_open(settings, out) : sink_parquet_open(settings, out);
}

enum fault sink_row_begin(struct sink *sink, const char *profile, size_t length)
{
    if (sink->fault != FAULT_NONE)
        return sink->fault;
    INVARIANT(!sink->finished && !sink->in_row);
    sink->in_row = true;
    return keep(sink, sink->kind->row_begin(sink, profile, length));
}

enum fault sink_row_event(struct sink *sink, const char *event, size_t length)
{
    if (sink->fault != FAULT_NONE)
        return sink->fault;
    INVARIANT(sink->in_row);
    return keep(sink, sink->kind->row_event(sink, event, length));
}

enum fault sink_row_end(struct sink *sink)
{
    if (sink->fault != FAULT_NONE)
        return sink->fault;
    INVARIANT(sink->in_row);
    sink->in_row = false;
    sink->rows++;
    return keep(sink, sink->kind->row_end(sink));
}

enum fault sink_finish(struct sink *sink)
{
    if (sink->fault != FAULT_NONE)
        return sink->fault;
    INVARIANT(!sink->finished && !sink->in_row);
    sink->finished = keep(sink, sink->kind->finish(sink)) == FAULT_NONE;
    return sink->fault;
}

void sink_close(struct sink *sink)
{
    if (sink == NULL)
        return;
    struct part_description *part = sink->part;
    if (!sink->finished)
        for (uint32_t i = 0; i < sink->parts; i++)
            (void)unlinkat(sink->settings.directory, part[i].name, 0);
    sink->kind->release(sink);
    free(part);
}

enum fault sink_add_part(struct sink *sink, struct part *part)
{
    if (sink->parts == sink->part_capacity) {
        uint32_t capacity = sink->part_capacity == 0 ? 16 : sink->part_capacity * 2;
        struct part_description *list = realloc(sink->part, capacity * sizeof *list);
        if (list == NULL)
            return FAULT_MEMORY;
        sink->part = list;
        sink->part_capacity = capacity;
    }
    enum fault fault = part_finish(part, &sink->part[sink->parts]);
    if (fault == FAULT_NONE)
        sink->parts++;
    return fault;
}

void sink_name_part(const struct sink *sink, const char *suffix, char name[PART_NAME_BYTES])
{
    char uuid[CRYPTO_UUID_TEXT];
    crypto_uuid(uuid);
    int length = snprintf(name, PART_NAME_BYTES, "part-%05" PRIu32 "-%s%s", sink->parts, uuid, suffix);
    INVARIANT(length > 0 && length < PART_NAME_BYTES);
}
