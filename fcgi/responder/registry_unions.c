/*
 * registry_unions: the union schema of each class, of all that the sandbox's schemas and records have.
 *
 * It is made when it is asked for: of the members that the service itself knows, of every schema of the class, oldest
 * first, and of what was observed of the class's datasets. The schemas of a sandbox are 16 MiB at most
 * (registry_schema_create), and of observed schemas as many are read as make 16 MiB. Of all these as many are taken as have
 * UNION_VALUES_MOST values together, because a value costs the same however short it is; a union that lacks some says so by
 * "meta:partial".
 */
#include <string.h>

#include "core/observed_show.h"
#include "core/stmt_api.h"
#include "responder/handlers.h"
#include "responder/registry_id.h"
#include "responder/registry_merge.h"
#include "responder/registry_page.h"
#include "responder/worker.h"

#define UNION_OBSERVED_BYTES "16777216"
#define UNION_VALUES_MOST 500000 /* 5 MiB of ordinary schemas, some 40,000 definitions; 0.25 s, at worst 0.7 s */
#define UNION_ARENA_BYTES 65536 /* a tree lies outside */
#define UNION_LIMITS ((struct jscan_limits){.depth = 16, .bytes = 2u * 1024u * 1024u})

#define UNION_IDENTITY_MAP                                                                                             \
    "\"identityMap\":{\"type\":\"object\",\"meta:xdmType\":\"map\",\"additionalProperties\":{\"type\":\"array\","      \
    "\"items\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"primary\":{\"type\":\"boolean\"},"  \
    "\"authenticatedState\":{\"type\":\"string\"}}}}}"

/* A class, and the members of its records that the service itself reads (profile/record.h). */
static const struct union_class {
    const char *class;
    const char *id;
    const char *alt_id;
    const char *class_id;
    const char *title;
    const char *base;
} CLASSES[] = {
    {"profile", REGISTRY_CONTEXT "profile__union", "_xdm.context.profile__union", REGISTRY_CONTEXT "profile",
     "Union of the profile class",
     "{\"type\":\"object\",\"properties\":{" UNION_IDENTITY_MAP ",\"segmentMembership\":{\"type\":\"object\","
     "\"meta:xdmType\":\"map\",\"additionalProperties\":{\"type\":\"object\",\"meta:xdmType\":\"map\","
     "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\"}}}}}}}"},
    {"experienceevent", REGISTRY_CONTEXT "experienceevent__union", "_xdm.context.experienceevent__union",
     REGISTRY_CONTEXT "experienceevent", "Union of the experience event class",
     "{\"type\":\"object\",\"properties\":{\"_id\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\","
     "\"format\":\"date-time\"}," UNION_IDENTITY_MAP "}}"},
};
#define CLASS_COUNT (sizeof CLASSES / sizeof *CLASSES)

/* A union in the making, and what it is made of. */
struct union_work {
    struct registry_union merged;
    struct db_rows schemas;
    struct db_rows observed;
    struct arena *one; /* of the document at hand: all of them at once, as trees, could be a gigabyte */
    const char *asked; /* the number that union_find_schema() was given last */
    struct json_object *found;
    size_t values; /* of all that was read */
    bool partial;  /* something was not */
};

static void union_release(void *arena)
{
    arena_free(arena);
}

/* Counts a text, while it is one of those that may be read. From the first that may not, nothing more is. Before each value of
 * a JSON text but the first stands one of these bytes; those in strings count too. */
static bool union_affords(struct union_work *w, const char *text, size_t length)
{
    size_t values = 1;
    for (size_t i = 0; i < length; i++)
        values += text[i] == ',' || text[i] == ':' || text[i] == '{' || text[i] == '[';
    w->values += values;
    w->partial = w->partial || w->values > UNION_VALUES_MOST;
    return !w->partial;
}

/* A text of ours or that we accepted, as a tree that lasts until the next. */
static enum fault union_parse(struct union_work *w, const char *text, size_t length, struct json_object **out)
{
    struct jsonio_refusal broken;
    arena_reset(w->one);
    enum fault fault = jsonio_parse(w->one, text, length, UNION_LIMITS, out, &broken);
    return fault == FAULT_MALFORMED ? FAULT_INTERNAL : fault;
}

/* NULL: it may not be read. */
static enum fault union_parse_schema(struct union_work *w, int row, struct json_object **out)
{
    *out = NULL;
    if (!union_affords(w, db_text(&w->schemas, row, 1), db_length(&w->schemas, row, 1)))
        return FAULT_NONE;
    return union_parse(w, db_text(&w->schemas, row, 1), db_length(&w->schemas, row, 1), out);
}

static enum fault union_load(struct call *c, const char *class, struct union_work *out)
{
    const char *const params[] = {class, UNION_OBSERVED_BYTES};
    *out = (struct union_work){.one = arena_new(UNION_ARENA_BYTES)};
    if (out->one == NULL || !arena_own(c->arena, out->one, union_release))
        return FAULT_MEMORY;
    out->merged.root = jsonio_own(c->arena, json_object_new_object());
    if (out->merged.root == NULL)
        return FAULT_MEMORY;
    enum fault fault = call_db(c, &STMT_SCHEMA_OF_CLASS, params, 1, &out->schemas);
    return fault == FAULT_NONE ? call_db(c, &STMT_OBSERVED_OF_CLASS, params, 2, &out->observed) : fault;
}

/* The schema of that number as a tree, NULL when it is none of the class. It is parsed when another one was asked for
 * last: the rows of `observed` come schema by schema, many of them may follow one, and it may be a megabyte. */
static enum fault union_find_schema(struct union_work *w, const char *number, struct json_object **out)
{
    enum fault fault = FAULT_NONE;
    if (w->asked == NULL || strcmp(w->asked, number) != 0) {
        w->asked = number;
        w->found = NULL;
        for (int i = 0; i < w->schemas.count && w->found == NULL && fault == FAULT_NONE; i++) {
            if (strcmp(db_text(&w->schemas, i, 0), number) == 0)
                fault = union_parse_schema(w, i, &w->found);
        }
    }
    *out = w->found;
    return fault;
}

/* What was observed of one dataset, without what its schema declares. */
static enum fault union_add_observed(struct union_work *w, int row)
{
    struct json_object *seen, *declared = NULL;
    enum fault fault = FAULT_NONE;
    if (!db_null(&w->observed, row, 0))
        fault = union_find_schema(w, db_text(&w->observed, row, 0), &declared);
    if (fault != FAULT_NONE || !union_affords(w, db_text(&w->observed, row, 1), db_length(&w->observed, row, 1)))
        return fault;
    fault = observed_show(db_text(&w->observed, row, 1), db_length(&w->observed, row, 1), false, &seen);
    if (fault != FAULT_NONE)
        return fault;
    if (declared != NULL)
        registry_trim(seen, declared);
    registry_merge(&w->merged, seen);
    json_object_put(seen);
    return FAULT_NONE;
}

/* The merged definition, an object. The tree belongs to the arena. */
static enum fault union_merge(struct call *c, const struct union_class *class, struct json_object **out, bool *partial)
{
    struct union_work w;
    struct json_object *document;
    enum fault fault = union_load(c, class->class, &w);
    if (fault == FAULT_NONE)
        fault = union_parse(&w, class->base, strlen(class->base), &document);
    if (fault == FAULT_NONE)
        registry_merge(&w.merged, document);
    for (int i = 0; fault == FAULT_NONE && !w.partial && i < w.schemas.count; i++) {
        worker_progress();
        fault = union_parse_schema(&w, i, &document);
        if (fault == FAULT_NONE && document != NULL)
            registry_merge(&w.merged, document);
    }
    for (int i = 0; fault == FAULT_NONE && !w.partial && i < w.observed.count; i++) {
        worker_progress();
        fault = union_add_observed(&w, i);
    }
    if (fault != FAULT_NONE)
        return fault;
    *partial = w.partial || (w.observed.count > 0 && db_int(&w.observed, 0, 2) > w.observed.count);
    *out = w.merged.root;
    return FAULT_NONE;
}

/* The union's document. The tree is the caller's. */
static enum fault union_document(struct call *c, const struct union_class *class, struct json_object **out)
{
    struct json_object *merged;
    bool partial;
    enum fault fault = union_merge(c, class, &merged, &partial);
    struct json_object *d = fault == FAULT_NONE ? json_object_new_object() : NULL;
    if (d == NULL)
        return fault == FAULT_NONE ? FAULT_MEMORY : fault;
    jsonio_add_text(d, "$id", class->id);
    jsonio_add_text(d, "meta:altId", class->alt_id);
    jsonio_add_text(d, "meta:resourceType", "unions");
    jsonio_add_text(d, "version", "1.0");
    jsonio_add_text(d, "title", class->title);
    jsonio_add_text(d, "type", "object");
    jsonio_add_text(d, "meta:xdmType", "object");
    jsonio_add_text(d, "meta:class", class->class_id);
    json_object_object_add(d, "properties", json_object_get(jsonio_member(merged, "properties", NULL)));
    json_object_object_add(d, "additionalProperties",
                           json_object_get(jsonio_member(merged, "additionalProperties", NULL)));
    if (jsonio_member(d, "additionalProperties", NULL) == NULL)
        json_object_object_del(d, "additionalProperties");
    if (partial)
        json_object_object_add(d, "meta:partial", json_object_new_boolean(1));
    registry_add_tenant(c, d);
    *out = d;
    return FAULT_NONE;
}

enum fault union_handle_list(struct call *c)
{
    struct registry_page page = {.limit = CLASS_COUNT};
    struct json_object *results = json_object_new_array();
    enum fault fault = FAULT_NONE;
    for (size_t i = 0; i < CLASS_COUNT && fault == FAULT_NONE; i++) {
        struct json_object *d;
        fault = union_document(c, &CLASSES[i], &d);
        if (fault == FAULT_NONE)
            json_object_array_add(results, d);
    }
    if (fault != FAULT_NONE) {
        json_object_put(results);
        return fault;
    }
    return registry_page_answer(c, &page, "unions", results, NULL);
}

enum fault union_handle_get(struct call *c)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        struct json_object *d;
        if (strcmp(c->segment[0], CLASSES[i].id) != 0 && strcmp(c->segment[0], CLASSES[i].alt_id) != 0)
            continue;
        enum fault fault = union_document(c, &CLASSES[i], &d);
        if (fault != FAULT_NONE)
            return fault;
        d = jsonio_own(c->arena, d);
        return d == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, d);
    }
    return FAULT_NOT_FOUND;
}
