/*
 * fuzz_spec: the body of an export request.
 *
 * What is accepted keeps its promises to the rest of the service: the kept members are JSON that
 * the strict scanner takes, within their bound, and printed once more are the same; the spooler can
 * make its orders of them and the engine compiles their field lists; what they say of events and
 * profiles is in them, its segments too. A refusal always has a pointer into the body and a rule.
 */
#include <stdlib.h>

#include "core/ident.h"
#include "core/spec.h"
#include "profile/projection.h"
#include "fuzz.h"
#include "lib/jsonio.h"
#include "lib/str.h"

#define KEPT_MAX 65536u

static size_t kept_size(const char *text)
{
    if (text == NULL)
        return 0;
    INVARIANT(fuzz_is_text(text, strlen(text)));
    return strlen(text);
}

/* The engine takes the list and can reduce the body by it. */
static void check_fields(const char *fields, const char *body, size_t length)
{
    struct projection projection = PROJECTION_INIT;
    struct projection_error error;
    struct jscan scan = JSCAN_INIT;
    struct str out = STR_INIT(4u << 20);
    INVARIANT(projection_compile(&projection, fields, strlen(fields), &error) == FAULT_NONE);
    INVARIANT(projection_write_document(&projection, &scan, body, length, &out) == FAULT_NONE);
    INVARIANT(fuzz_is_json(out.data, out.length, 16) && memchr(out.data, '\n', out.length) == NULL);
    str_free(&out);
    jscan_free(&scan);
    projection_free(&projection);
}

static void check_kept_object(struct arena *arena, const char *text)
{
    struct jsonio_refusal refusal;
    struct json_object *tree = NULL;
    size_t length = 0;
    if (text == NULL)
        return;
    INVARIANT(*text == '{' && fuzz_is_json(text, strlen(text), 15));
    INVARIANT(jsonio_parse(arena, text, strlen(text), JSCAN_REQUEST_LIMITS, &tree, &refusal) == FAULT_NONE);
    const char *again = jsonio_print(arena, tree, &length);
    INVARIANT(again != NULL && strcmp(again, text) == 0);
}

/* What the client asked for is what will be done. */
static void check_orders(struct json_object *body, const struct spec_request *request, const struct spec_orders *orders)
{
    struct json_object *filter = jsonio_member(body, "filter", NULL);
    struct json_object *list = jsonio_member(jsonio_member(body, "additionalFields", NULL), "eventList", NULL);
    struct json_object *empty = jsonio_member(filter, "emptyProfiles", NULL);
    const char *fields = jsonio_member_text(body, "fields"), *event_fields = jsonio_member_text(list, "fields");
    INVARIANT(strcmp(orders->fields, fields == NULL ? "" : fields) == 0);
    INVARIANT((request->fields == NULL) == (fields == NULL));
    INVARIANT(orders->empty_profiles == (empty != NULL && json_object_get_boolean(empty)));
    INVARIANT(orders->events == (list != NULL));
    INVARIANT(strcmp(orders->event_fields, event_fields == NULL ? "" : event_fields) == 0);
    struct json_object *times = jsonio_member(list, "filter", NULL);
    struct json_object *updated = jsonio_member(filter, "fromIngestTimestamp", NULL);
    INVARIANT((orders->updated_after_ms == INT64_MIN) == (updated == NULL));
    INVARIANT((orders->events_after_ms == INT64_MIN) ==
              (updated == NULL && jsonio_member(times, "fromIngestTimestamp", NULL) == NULL));
    INVARIANT(orders->events_after_ms >= orders->updated_after_ms);
    INVARIANT((orders->events_before_ms == INT64_MAX) == (jsonio_member(times, "toIngestTimestamp", NULL) == NULL));
}

/* The pool and the spooler see the same segments, each once and of the accepted form. */
static void check_segments(struct json_object *body, const struct spec_request *request, const struct spec_orders *orders)
{
    struct json_object *filter = jsonio_member(body, "filter", NULL);
    struct json_object *list = jsonio_member(filter, "segments", NULL), *times = jsonio_member(filter, "segmentQualificationTime", NULL);
    bool from = jsonio_member(times, "startTime", NULL) != NULL, to = jsonio_member(times, "endTime", NULL) != NULL;
    INVARIANT(orders->segments == (list == NULL ? 0 : json_object_array_length(list)));
    INVARIANT(request->segments == orders->segments && orders->segments <= SPEC_SEGMENT_MAX);
    INVARIANT(!request->segment_per_batch || (orders->segments >= 1 && orders->segments <= SPEC_SEGMENT_BATCHES_MAX));
    INVARIANT(orders->qualified == (orders->segments > 0 || from || to));
    INVARIANT((orders->qualified_from_ms == INT64_MIN) == !from && (orders->qualified_to_ms == INT64_MAX) == !to);
    INVARIANT(orders->qualified_from_ms <= orders->qualified_to_ms);
    for (uint32_t i = 0; i < orders->segments; i++) {
        const struct spec_segment *segment = &orders->segment[i], *told = &request->segment[i];
        const char *id = jsonio_member_text(json_object_array_get_idx(list, i), "segmentId");
        INVARIANT(strcmp(segment->id, id) == 0 && *id != '\0' && strlen(id) <= SPEC_SEGMENT_BYTES);
        INVARIANT(*segment->ns != '\0' && strlen(segment->ns) <= SPEC_SEGMENT_BYTES);
        INVARIANT(segment->statuses != 0 && (segment->statuses & ~(unsigned)(SPEC_REALIZED | SPEC_EXISTING | SPEC_EXITED)) == 0);
        INVARIANT(strcmp(told->id, id) == 0 && strcmp(told->ns, segment->ns) == 0 && told->statuses == segment->statuses);
        for (uint32_t k = 0; k < i; k++)
            INVARIANT(strcmp(orders->segment[k].id, id) != 0 || strcmp(orders->segment[k].ns, segment->ns) != 0);
    }
}

static void check_accepted(struct arena *arena, const char *body, size_t length, const struct spec_request *request)
{
    struct spec_orders orders;
    struct jsonio_refusal refusal;
    struct json_object *tree = NULL;
    INVARIANT(fuzz_is_json(body, length, 16));
    INVARIANT(request->dataset != NULL && ident_is_hex(request->dataset, IDENT_DATASET_DIGITS));
    INVARIANT(request->policy == NULL || (*request->policy != '\0' && strlen(request->policy) <= SPEC_SEGMENT_BYTES));
    INVARIANT(request->policy_version >= 0);
    INVARIANT(kept_size(request->fields) + kept_size(request->filter) + kept_size(request->additional) <= KEPT_MAX);
    check_kept_object(arena, request->filter);
    check_kept_object(arena, request->additional);
    INVARIANT(spec_read_orders(arena, request->fields, request->filter, request->additional, &orders) == FAULT_NONE);
    INVARIANT(jsonio_parse(arena, body, length, JSCAN_REQUEST_LIMITS, &tree, &refusal) == FAULT_NONE);
    check_orders(tree, request, &orders);
    check_segments(tree, request, &orders);
    check_fields(orders.fields, body, length);
    check_fields(orders.event_fields, body, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct spec_request request;
    struct spec_refusal refusal = {NULL, NULL};
    const char *body = (const char *)data;
    if (arena == NULL)
        arena = arena_new(16u << 20);
    arena_reset(arena);
    enum fault fault = spec_parse_request(arena, body, size, &request, &refusal);
    if (fault == FAULT_NONE) {
        check_accepted(arena, body, size, &request);
    } else {
        INVARIANT(fault == FAULT_MALFORMED);
        INVARIANT(refusal.pointer != NULL && (*refusal.pointer == '\0' || *refusal.pointer == '/'));
        INVARIANT(refusal.detail != NULL && *refusal.detail != '\0' && fuzz_is_text(refusal.detail, strlen(refusal.detail)));
    }
    arena_reset(arena);
    return 0;
}
