/*
 * spec: the reader of export requests. See spec.h.
 *
 * Each member has a small function that checks its type and rule; the first refusal ends the
 * reading. What a later version will do is refused (FAULT_NOT_SUPPORTED), never ignored.
 */
#include "core/spec.h"

#include <string.h>

#include "core/ident.h"
#include "lib/clock.h"
#include "lib/jsonio.h"

#define SPEC_POLICY "timestampOrdered-none-mp"
#define SPEC_SCHEMA "_xdm.context.profile"
/* A list shows up to 1000 jobs with these members as given, so together they are bounded. */
#define SPEC_KEPT_MAX 65536
/* What the export engine's projection takes; a job that is accepted must not fail there. */
#define SPEC_PATHS_MAX 1000
#define SPEC_SEGMENTS_MAX 64
/* Stored members were read from a body within the request limits, so they keep within these. */
#define SPEC_STORED_LIMITS JSCAN_REQUEST_LIMITS

struct spec_reader {
    struct arena *arena;
    struct spec_refusal *refusal;
};

static enum fault spec_refuse(struct spec_reader *r, enum fault fault, const char *pointer, const char *detail)
{
    *r->refusal = (struct spec_refusal){pointer, detail};
    return fault;
}

static enum fault spec_malformed(struct spec_reader *r, const char *pointer, const char *detail)
{
    return spec_refuse(r, FAULT_MALFORMED, pointer, detail);
}

static enum fault spec_later(struct spec_reader *r, const char *pointer, const char *detail)
{
    return spec_refuse(r, FAULT_NOT_SUPPORTED, pointer, detail);
}

/* The member of that type in *out, or NULL when absent. A null or another type is refused. */
static enum fault spec_member(struct spec_reader *r, struct json_object *parent, const char *name,
                              enum json_type type, const char *pointer, struct json_object **out)
{
    bool present = false;
    *out = jsonio_member(parent, name, &present);
    if (!present || json_object_is_type(*out, type))
        return FAULT_NONE;
    static const char *const RULES[] = {
        [json_type_boolean] = "must be a boolean", [json_type_object] = "must be an object",
        [json_type_array] = "must be an array",    [json_type_string] = "must be a string",
        [json_type_int] = "must be an integer",    [json_type_double] = "must be a number",
    };
    return spec_malformed(r, pointer, RULES[type]);
}

static enum fault spec_flag(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                            bool *out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_boolean, pointer, &value);
    *out = fault == FAULT_NONE && value != NULL && json_object_get_boolean(value);
    return fault;
}

/* One path: segments separated by dots, none of them empty, no control characters. */
static bool spec_path_valid(const char *path, size_t length)
{
    size_t segment = 0, segments = 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c < 0x20 || c == 0x7f || (c == '.' && segment == 0))
            return false;
        segments += c == '.';
        segment = c == '.' ? 0 : segment + 1;
    }
    return segment > 0 && segments <= SPEC_SEGMENTS_MAX;
}

bool spec_fields_valid(const char *text, size_t length)
{
    static const char BLANKS[] = " \t";
    size_t paths = 0;
    if (strspn(text, BLANKS) == length)
        return true; /* all fields */
    for (const char *end = text + length;; text++) {
        text += strspn(text, BLANKS);
        size_t path = strcspn(text, ","), kept = path;
        while (kept > 0 && strchr(BLANKS, text[kept - 1]) != NULL)
            kept--;
        if (!spec_path_valid(text, kept) || ++paths > SPEC_PATHS_MAX)
            return false;
        text += path;
        if (text == end)
            return true;
    }
}

static enum fault spec_fields(struct spec_reader *r, struct json_object *parent, const char *pointer, const char **out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, "fields", json_type_string, pointer, &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    if (!spec_fields_valid(text, length))
        return spec_malformed(r, pointer, "must be at most 1000 dot paths separated by commas, without empty segments");
    *out = arena_copy(r->arena, text, length);
    return FAULT_NONE;
}

static enum fault spec_moment(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                              int64_t *out)
{
    struct json_object *value = NULL;
    enum fault fault = spec_member(r, parent, name, json_type_string, pointer, &value);
    if (fault != FAULT_NONE || value == NULL)
        return fault;
    if (!clock_parse_rfc3339(json_object_get_string(value), (size_t)json_object_get_string_len(value), out))
        return spec_malformed(r, pointer, "must be a date-time of RFC 3339 with an offset");
    return FAULT_NONE;
}

static enum fault spec_event_filter(struct spec_reader *r, struct json_object *list, struct spec_orders *orders)
{
    struct json_object *filter = NULL;
    enum fault fault = spec_member(r, list, "filter", json_type_object, "/additionalFields/eventList/filter", &filter);
    if (fault == FAULT_NONE && filter != NULL)
        fault = spec_moment(r, filter, "fromIngestTimestamp",
                            "/additionalFields/eventList/filter/fromIngestTimestamp", &orders->events_after_ms);
    if (fault == FAULT_NONE && filter != NULL)
        fault = spec_moment(r, filter, "toIngestTimestamp", "/additionalFields/eventList/filter/toIngestTimestamp",
                            &orders->events_before_ms);
    return fault;
}

/* `additional` is the value of additionalFields, or NULL. */
static enum fault spec_additional(struct spec_reader *r, struct json_object *additional, struct spec_orders *orders)
{
    struct json_object *list = NULL;
    if (additional == NULL)
        return FAULT_NONE;
    enum fault fault = spec_member(r, additional, "eventList", json_type_object, "/additionalFields/eventList", &list);
    if (fault != FAULT_NONE || list == NULL)
        return fault;
    orders->events = true;
    fault = spec_fields(r, list, "/additionalFields/eventList/fields", &orders->event_fields);
    return fault == FAULT_NONE ? spec_event_filter(r, list, orders) : fault;
}

/* `filter` is the value of filter, or NULL. */
static enum fault spec_filter(struct spec_reader *r, struct json_object *filter, struct spec_orders *orders)
{
    struct json_object *value = NULL;
    int64_t moment;
    if (filter == NULL)
        return FAULT_NONE;
    enum fault fault = spec_member(r, filter, "segments", json_type_array, "/filter/segments", &value);
    if (fault == FAULT_NONE && value != NULL)
        fault = spec_later(r, "/filter/segments", "selecting by segment is not offered by this version");
    if (fault == FAULT_NONE)
        fault = spec_member(r, filter, "segmentQualificationTime", json_type_object,
                            "/filter/segmentQualificationTime", &value);
    if (fault == FAULT_NONE && value != NULL)
        fault = spec_later(r, "/filter/segmentQualificationTime",
                           "selecting by qualification time is not offered by this version");
    if (fault == FAULT_NONE)
        fault = spec_moment(r, filter, "fromIngestTimestamp", "/filter/fromIngestTimestamp", &moment);
    if (fault == FAULT_NONE && jsonio_member(filter, "fromIngestTimestamp", NULL) != NULL)
        fault = spec_later(r, "/filter/fromIngestTimestamp",
                           "selecting by ingestion time is not offered by this version");
    if (fault == FAULT_NONE)
        fault = spec_flag(r, filter, "emptyProfiles", "/filter/emptyProfiles", &orders->empty_profiles);
    return fault;
}

static enum fault spec_destination(struct spec_reader *r, struct json_object *body, struct spec_request *out)
{
    struct json_object *destination = NULL, *one = NULL, *other = NULL;
    enum fault fault = spec_member(r, body, "destination", json_type_object, "/destination", &destination);
    if (fault == FAULT_NONE && destination == NULL)
        fault = spec_malformed(r, "/destination", "is required");
    if (fault == FAULT_NONE)
        fault = spec_member(r, destination, "datasetId", json_type_string, "/destination/datasetId", &one);
    if (fault == FAULT_NONE)
        fault = spec_member(r, destination, "dataSetId", json_type_string, "/destination/dataSetId", &other);
    if (fault != FAULT_NONE)
        return fault;
    if (one == NULL && other == NULL)
        return spec_malformed(r, "/destination/datasetId", "is required");
    const char *pointer = one != NULL ? "/destination/datasetId" : "/destination/dataSetId";
    const char *id = json_object_get_string(one != NULL ? one : other);
    if (one != NULL && other != NULL && strcmp(id, json_object_get_string(other)) != 0)
        return spec_malformed(r, "/destination/dataSetId", "differs from datasetId");
    if (!ident_is_hex(id, IDENT_DATASET_DIGITS))
        return spec_malformed(r, pointer, "must be the id of a dataset of this sandbox");
    out->dataset = arena_text(r->arena, id);

    bool per_segment = false;
    fault = spec_flag(r, destination, "segmentPerBatch", "/destination/segmentPerBatch", &per_segment);
    if (fault == FAULT_NONE && per_segment)
        return spec_malformed(r, "/destination/segmentPerBatch", "true needs filter.segments");
    return fault;
}

static enum fault spec_schema(struct spec_reader *r, struct json_object *body)
{
    struct json_object *schema = NULL, *name = NULL;
    enum fault fault = spec_member(r, body, "schema", json_type_object, "/schema", &schema);
    if (fault == FAULT_NONE && schema == NULL)
        return spec_malformed(r, "/schema", "is required");
    if (fault == FAULT_NONE)
        fault = spec_member(r, schema, "name", json_type_string, "/schema/name", &name);
    if (fault == FAULT_NONE && name == NULL)
        return spec_malformed(r, "/schema/name", "is required");
    if (fault == FAULT_NONE && strcmp(json_object_get_string(name), SPEC_SCHEMA) != 0)
        return spec_malformed(r, "/schema/name", "must be " SPEC_SCHEMA);
    return fault;
}

static enum fault spec_policy(struct spec_reader *r, struct json_object *body, struct spec_request *out)
{
    struct json_object *policy = NULL, *id = NULL;
    out->policy = SPEC_POLICY;
    out->policy_version = 1;
    enum fault fault = spec_member(r, body, "mergePolicy", json_type_object, "/mergePolicy", &policy);
    if (fault != FAULT_NONE || policy == NULL)
        return fault;
    fault = spec_member(r, policy, "id", json_type_string, "/mergePolicy/id", &id);
    if (fault == FAULT_NONE && id != NULL && strcmp(json_object_get_string(id), SPEC_POLICY) != 0)
        return spec_malformed(r, "/mergePolicy/id", "is no merge policy of this sandbox; " SPEC_POLICY " always exists");
    if (fault != FAULT_NONE)
        return fault;
    bool present = false;
    struct json_object *version = jsonio_member(policy, "version", &present);
    bool number = json_object_is_type(version, json_type_int) || json_object_is_type(version, json_type_double);
    if (present && (!number || json_object_get_double(version) != 1.0))
        return spec_malformed(r, "/mergePolicy/version",
                              number ? "is no version of this merge policy" : "must be a number");
    return FAULT_NONE;
}

/* The text of a member as it is kept, or NULL. */
static const char *spec_keep(struct spec_reader *r, struct json_object *value)
{
    size_t length;
    return value == NULL ? NULL : jsonio_print(r->arena, value, &length);
}

static size_t spec_size(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

static const struct spec_orders ALL = {
    .fields = "", .event_fields = "", .events_after_ms = INT64_MIN, .events_before_ms = INT64_MAX};

enum fault spec_parse_request(struct arena *a, const char *body, size_t length, struct spec_request *out,
                              struct spec_refusal *refusal)
{
    struct spec_reader r = {a, refusal};
    struct spec_orders orders = ALL;
    struct json_object *tree = NULL, *filter = NULL, *additional = NULL;
    struct jsonio_refusal broken;
    enum fault fault = jsonio_parse(a, body, length, JSCAN_REQUEST_LIMITS, &tree, &broken);
    if (fault == FAULT_MALFORMED)
        return spec_malformed(&r, "", arena_printf(a, "%s at byte %zu", broken.reason, broken.offset));
    if (fault != FAULT_NONE)
        return fault;
    if (!json_object_is_type(tree, json_type_object))
        return spec_malformed(&r, "", "must be an object");
    *out = (struct spec_request){0};
    fault = spec_fields(&r, tree, "/fields", &out->fields);
    if (fault == FAULT_NONE)
        fault = spec_policy(&r, tree, out);
    if (fault == FAULT_NONE)
        fault = spec_member(&r, tree, "additionalFields", json_type_object, "/additionalFields", &additional);
    if (fault == FAULT_NONE)
        fault = spec_additional(&r, additional, &orders);
    if (fault == FAULT_NONE)
        fault = spec_member(&r, tree, "filter", json_type_object, "/filter", &filter);
    if (fault == FAULT_NONE)
        fault = spec_filter(&r, filter, &orders);
    if (fault == FAULT_NONE)
        fault = spec_destination(&r, tree, out);
    if (fault == FAULT_NONE)
        fault = spec_schema(&r, tree);
    if (fault != FAULT_NONE)
        return fault;
    out->filter = spec_keep(&r, filter);
    out->additional = spec_keep(&r, additional);
    if (spec_size(out->fields) + spec_size(out->filter) + spec_size(out->additional) > SPEC_KEPT_MAX)
        return spec_malformed(&r, "", "fields, filter and additionalFields together: at most 64 KiB");
    return arena_exhausted(a) ? FAULT_MEMORY : FAULT_NONE;
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
    *out = ALL;
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
    return fault == FAULT_MALFORMED || fault == FAULT_NOT_SUPPORTED ? FAULT_INTERNAL : fault;
}
