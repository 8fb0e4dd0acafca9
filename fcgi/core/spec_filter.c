/*
 * spec_filter: which profiles and events an export takes: `filter` and `additionalFields` of a request
 * (contract.md section 5), and the orders made of them as stored. See spec.h and spec_reader.h.
 */
#include <string.h>

#include "core/spec_reader.h"

/* Stored members were read from a body within the request limits, so they keep within these. */
#define SPEC_STORED_LIMITS JSCAN_REQUEST_LIMITS
#define SPEC_SEGMENT_NS "ups"
#define SPEC_TIMES "/filter/segmentQualificationTime"

static enum fault spec_event_filter(struct spec_reader *r, struct json_object *list, struct spec_orders *orders)
{
    struct json_object *filter = NULL;
    enum fault fault = spec_member(r, list, "filter", json_type_object, "/additionalFields/eventList/filter", &filter);
    int64_t after = INT64_MIN;
    if (fault == FAULT_NONE && filter != NULL)
        fault = spec_moment(r, filter, "fromIngestTimestamp",
                            "/additionalFields/eventList/filter/fromIngestTimestamp", &after);
    if (fault == FAULT_NONE && filter != NULL)
        fault = spec_moment(r, filter, "toIngestTimestamp", "/additionalFields/eventList/filter/toIngestTimestamp",
                            &orders->events_before_ms);
    if (orders->events_after_ms < after)
        orders->events_after_ms = after;
    return fault;
}

enum fault spec_additional(struct spec_reader *r, struct json_object *additional, struct spec_orders *orders)
{
    struct json_object *list = NULL;
    if (additional == NULL)
        return FAULT_NONE;
    enum fault fault = spec_member(r, additional, "eventList", json_type_object, "/additionalFields/eventList", &list);
    if (fault != FAULT_NONE || list == NULL)
        return fault;
    orders->events = true;
    fault = spec_fields(r, list, "fields", "/additionalFields/eventList/fields", &orders->event_fields);
    return fault == FAULT_NONE ? spec_event_filter(r, list, orders) : fault;
}

/* The bit of a status, or 0. */
static unsigned spec_status(struct json_object *value)
{
    static const struct {
        const char *name;
        unsigned bit;
    } STATUSES[] = {{"realized", SPEC_REALIZED}, {"existing", SPEC_EXISTING}, {"exited", SPEC_EXITED}};
    for (size_t i = 0; json_object_is_type(value, json_type_string) && i < sizeof STATUSES / sizeof *STATUSES; i++) {
        if (strcmp(STATUSES[i].name, json_object_get_string(value)) == 0)
            return STATUSES[i].bit;
    }
    return 0;
}

/* A set, so a status named twice is no fault. None at all is the default: those who are in the segment now. */
static enum fault spec_statuses(struct spec_reader *r, struct json_object *segment, const char *pointer, unsigned *out)
{
    struct json_object *list = NULL;
    const char *at = arena_printf(r->arena, "%s/status", pointer);
    *out = 0;
    enum fault fault = spec_member(r, segment, "status", json_type_array, at, &list);
    if (fault != FAULT_NONE)
        return fault;
    for (size_t i = 0, count = list == NULL ? 0 : json_object_array_length(list); i < count; i++) {
        unsigned bit = spec_status(json_object_array_get_idx(list, i));
        if (bit == 0)
            return spec_malformed(r, arena_printf(r->arena, "%s/%zu", at, i), "must be realized, existing or exited");
        *out |= bit;
    }
    if (*out == 0)
        *out = SPEC_REALIZED | SPEC_EXISTING;
    return FAULT_NONE;
}

static enum fault spec_segment(struct spec_reader *r, struct json_object *value, const char *pointer,
                               struct spec_segment *out)
{
    if (!json_object_is_type(value, json_type_object))
        return spec_malformed(r, pointer, "must be an object");
    *out = (struct spec_segment){.ns = SPEC_SEGMENT_NS};
    const char *at = arena_printf(r->arena, "%s/segmentId", pointer);
    enum fault fault = spec_name(r, value, "segmentId", at, &out->id);
    if (fault == FAULT_NONE && out->id == NULL)
        return arena_exhausted(r->arena) ? FAULT_MEMORY : spec_malformed(r, at, "is required");
    if (fault == FAULT_NONE)
        fault = spec_name(r, value, "segmentNs", arena_printf(r->arena, "%s/segmentNs", pointer), &out->ns);
    return fault == FAULT_NONE ? spec_statuses(r, value, pointer, &out->statuses) : fault;
}

/* Whether the last of `count` segments is one of those before it. */
static bool spec_named_twice(const struct spec_segment *segment, size_t count)
{
    const struct spec_segment *last = &segment[count - 1];
    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(segment[i].id, last->id) == 0 && strcmp(segment[i].ns, last->ns) == 0)
            return true;
    }
    return false;
}

static enum fault spec_segments(struct spec_reader *r, struct json_object *filter, struct spec_orders *orders)
{
    struct json_object *list = NULL;
    enum fault fault = spec_member(r, filter, "segments", json_type_array, "/filter/segments", &list);
    size_t count = fault == FAULT_NONE && list != NULL ? json_object_array_length(list) : 0;
    if (count == 0)
        return fault; /* an empty list is as none */
    if (count > SPEC_SEGMENT_MAX)
        return spec_malformed(r, "/filter/segments", "must have at most 1000 segments");
    struct spec_segment *segment = arena_alloc(r->arena, count * sizeof *segment);
    if (segment == NULL)
        return FAULT_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *pointer = arena_printf(r->arena, "/filter/segments/%zu", i);
        if (pointer == NULL)
            return FAULT_MEMORY;
        fault = spec_segment(r, json_object_array_get_idx(list, i), pointer, &segment[i]);
        if (fault != FAULT_NONE || arena_exhausted(r->arena))
            return fault != FAULT_NONE ? fault : FAULT_MEMORY;
        if (spec_named_twice(segment, i + 1))
            return spec_malformed(r, pointer, "names a segment of before once more");
    }
    orders->qualified = true;
    orders->segment = segment;
    orders->segments = (uint32_t)count;
    return FAULT_NONE;
}

/* An object without either bound is as none. */
static enum fault spec_qualification(struct spec_reader *r, struct json_object *filter, struct spec_orders *orders)
{
    struct json_object *times = NULL;
    enum fault fault = spec_member(r, filter, "segmentQualificationTime", json_type_object, SPEC_TIMES, &times);
    if (fault != FAULT_NONE || times == NULL)
        return fault;
    fault = spec_moment(r, times, "startTime", SPEC_TIMES "/startTime", &orders->qualified_from_ms);
    if (fault == FAULT_NONE)
        fault = spec_moment(r, times, "endTime", SPEC_TIMES "/endTime", &orders->qualified_to_ms);
    if (fault == FAULT_NONE && orders->qualified_from_ms > orders->qualified_to_ms)
        fault = spec_malformed(r, SPEC_TIMES, "startTime must not be after endTime");
    if (orders->qualified_from_ms != INT64_MIN || orders->qualified_to_ms != INT64_MAX)
        orders->qualified = true;
    return fault;
}

enum fault spec_filter(struct spec_reader *r, struct json_object *filter, struct spec_orders *orders)
{
    if (filter == NULL)
        return FAULT_NONE;
    enum fault fault = spec_segments(r, filter, orders);
    if (fault == FAULT_NONE)
        fault = spec_qualification(r, filter, orders);
    if (fault == FAULT_NONE)
        fault = spec_moment(r, filter, "fromIngestTimestamp", "/filter/fromIngestTimestamp",
                            &orders->updated_after_ms);
    if (orders->events_after_ms < orders->updated_after_ms)
        orders->events_after_ms = orders->updated_after_ms;
    if (fault == FAULT_NONE)
        fault = spec_flag(r, filter, "emptyProfiles", "/filter/emptyProfiles", &orders->empty_profiles);
    return fault;
}

/* Parses a stored member; NULL text stays NULL. */
static enum fault spec_stored(struct arena *a, const char *text, struct json_object **out)
{
    struct jsonio_refusal broken;
    if (text == NULL)
        return FAULT_NONE;
    enum fault fault = jsonio_parse(a, text, strlen(text), SPEC_STORED_LIMITS, out, &broken);
    if (fault == FAULT_NONE && !json_object_is_type(*out, json_type_object))
        return FAULT_INTERNAL;
    return fault == FAULT_MALFORMED ? FAULT_INTERNAL : fault;
}

enum fault spec_read_orders(struct arena *a, const char *fields, const char *filter, const char *additional,
                            struct spec_orders *out)
{
    struct spec_refusal refusal;
    struct spec_reader r = {a, &refusal};
    struct json_object *filter_tree = NULL, *additional_tree = NULL;
    *out = SPEC_ORDERS_ALL;
    if (fields != NULL && !spec_fields_valid(fields, strlen(fields)))
        return FAULT_INTERNAL;
    if (fields != NULL)
        out->fields = arena_text(a, fields);
    enum fault fault = spec_stored(a, filter, &filter_tree);
    if (fault == FAULT_NONE)
        fault = spec_stored(a, additional, &additional_tree);
    if (fault == FAULT_NONE)
        fault = spec_filter(&r, filter_tree, out);
    if (fault == FAULT_NONE)
        fault = spec_additional(&r, additional_tree, out);
    if (fault == FAULT_NONE && arena_exhausted(a))
        return FAULT_MEMORY;
    return fault == FAULT_MALFORMED ? FAULT_INTERNAL : fault;
}
