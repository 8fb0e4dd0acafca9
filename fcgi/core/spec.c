/*
 * spec: the reader of export requests. See spec.h. What `filter` and `additionalFields` may hold is in
 * spec_filter.c.
 *
 * Each member has a small function that checks its type and rule; the first refusal ends the reading.
 */
#include <string.h>

#include "core/ident.h"
#include "core/spec_reader.h"

#define SPEC_SCHEMA "_xdm.context.profile"
/* A list shows up to 1000 jobs with these members as given, so together they are bounded. */
#define SPEC_KEPT_MAX 65536

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
    return spec_flag(r, destination, "segmentPerBatch", "/destination/segmentPerBatch", &out->segment_per_batch);
}

/* A batch a segment needs segments, and not too many batches. */
static enum fault spec_batches(struct spec_reader *r, const struct spec_request *request)
{
    if (request->segment_per_batch && request->segments == 0)
        return spec_malformed(r, "/destination/segmentPerBatch", "true needs filter.segments");
    if (request->segment_per_batch && request->segments > SPEC_SEGMENT_BATCHES_MAX)
        return spec_malformed(r, "/filter/segments", "must have at most 50 segments with segmentPerBatch");
    return FAULT_NONE;
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

/* A version without an id is one of the default policy. Whether there is such a policy, and such a version
 * of it, is the database's answer. */
static enum fault spec_policy(struct spec_reader *r, struct json_object *body, struct spec_request *out)
{
    struct json_object *policy = NULL;
    enum fault fault = spec_member(r, body, "mergePolicy", json_type_object, "/mergePolicy", &policy);
    if (fault == FAULT_NONE && policy != NULL)
        fault = spec_name(r, policy, "id", "/mergePolicy/id", &out->policy);
    if (fault != FAULT_NONE || policy == NULL)
        return fault;
    bool present = false;
    struct json_object *version = jsonio_member(policy, "version", &present);
    if (!present)
        return FAULT_NONE;
    if (!json_object_is_type(version, json_type_int) && !json_object_is_type(version, json_type_double))
        return spec_malformed(r, "/mergePolicy/version", "must be a number");
    double number = json_object_get_double(version);
    if (!(number >= 1 && number <= INT32_MAX) || (double)(int)number != number)
        return spec_malformed(r, "/mergePolicy/version", "must be a whole number from 1");
    out->policy_version = (int)number;
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

enum fault spec_parse_request(struct arena *a, const char *body, size_t length, struct spec_request *out,
                              struct spec_refusal *refusal)
{
    struct spec_reader r = {a, refusal};
    struct spec_orders orders = SPEC_ORDERS_ALL;
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
    fault = spec_fields(&r, tree, "fields", "/fields", &out->fields);
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
    out->segment = orders.segment;
    out->segments = orders.segments;
    if (fault == FAULT_NONE)
        fault = spec_batches(&r, out);
    if (fault == FAULT_NONE)
        fault = spec_schema(&r, tree);
    if (fault == FAULT_NONE)
        fault = spec_name(&r, tree, "webhook", "/webhook", &out->webhook); /* whether it is there is the database's answer */
    if (fault != FAULT_NONE)
        return fault;
    out->filter = spec_keep(&r, filter);
    out->additional = spec_keep(&r, additional);
    if (spec_size(out->fields) + spec_size(out->filter) + spec_size(out->additional) > SPEC_KEPT_MAX)
        return spec_malformed(&r, "", "fields, filter and additionalFields together: at most 64 KiB");
    return arena_exhausted(a) ? FAULT_MEMORY : FAULT_NONE;
}
