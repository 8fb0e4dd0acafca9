/*
 * datasets: the catalog's datasets (contract.md section 4).
 */
#include <string.h>

#include "core/ident.h"
#include "core/observed_show.h"
#include "core/stmt_api.h"
#include "lib/crypto.h"
#include "responder/catalog_list.h"
#include "responder/handlers.h"
#include "responder/registry_id.h"

#define DATASET_NAME_MAX 255
/* A list shows up to 100 datasets with these members as given, so each is bounded. */
#define DATASET_CONTENT_TYPE_MAX 255
#define DATASET_DESCRIPTION_MAX 2000
#define DATASET_TAGS_MAX 16384 /* bytes */
/* Stored observed schemas that one answer shows: of several datasets together, each node of which takes much more
 * memory on its way out; of one dataset alone, where core/observed.h bounds the nodes and names are what is large. */
#define DATASET_OBSERVED_ALL "1048576"
#define DATASET_OBSERVED_ONE "4194304"
#define DATASET_OBSERVED "observableSchema"

/* What a client may ask for when it creates a dataset. */
struct dataset_request {
    const char *name;
    const char *description; /* NULL: none */
    const char *schema_id;
    const char *content_type;
    const char *registry; /* the number of a registered schema, whose class is the dataset's; NULL: a base schema */
    const char *class;
    const char *format;
    const char *compression;
    const char *tags; /* JSON text, NULL: none */
    const char *webhook; /* of exports into it; NULL: none */
};

/* A string member; absent is NULL. Another type is refused. */
static enum fault dataset_text(struct call *c, struct json_object *parent, const char *name, const char *pointer,
                               const char **out)
{
    bool present;
    struct json_object *value = jsonio_member(parent, name, &present);
    *out = jsonio_member_text(parent, name);
    if (present && (value == NULL || *out == NULL))
        return call_refuse(c, FAULT_MALFORMED, pointer, "must be a string");
    return FAULT_NONE;
}

/* An object member; absent is NULL. Another type is refused. */
static enum fault dataset_object(struct call *c, struct json_object *parent, const char *name, const char *pointer,
                                 struct json_object **out)
{
    bool present;
    *out = jsonio_member(parent, name, &present);
    if (present && !json_object_is_type(*out, json_type_object))
        return call_refuse(c, FAULT_MALFORMED, pointer, "must be an object");
    return FAULT_NONE;
}

/* Characters, not bytes: every byte that does not continue one begins one. */
static size_t dataset_characters(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* One answer for an id of another form and for a schema that is not there. */
static enum fault dataset_refuse_schema(struct call *c)
{
    return call_refuse(c, FAULT_MALFORMED, "/schemaRef/id",
                       "must be the profile union, profile or experience event schema, or a schema of this sandbox");
}

static enum fault dataset_read_schema(struct call *c, struct json_object *body, struct dataset_request *out)
{
    static const struct {
        const char *id;
        const char *class;
    } SCHEMAS[] = {{"https://ns.adobe.com/xdm/context/profile__union", "profile_union"},
                   {"https://ns.adobe.com/xdm/context/profile", "profile"},
                   {"https://ns.adobe.com/xdm/context/experienceevent", "experienceevent"}};
    struct json_object *ref = NULL;
    enum fault fault = dataset_object(c, body, "schemaRef", "/schemaRef", &ref);
    if (fault == FAULT_NONE && ref == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/schemaRef", "is required");
    if (fault == FAULT_NONE)
        fault = dataset_text(c, ref, "id", "/schemaRef/id", &out->schema_id);
    if (fault == FAULT_NONE)
        fault = dataset_text(c, ref, "contentType", "/schemaRef/contentType", &out->content_type);
    if (fault != FAULT_NONE)
        return fault;
    if (out->schema_id == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/schemaRef/id", "is required");
    if (out->content_type == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/schemaRef/contentType", "is required");
    if (dataset_characters(out->content_type) > DATASET_CONTENT_TYPE_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/schemaRef/contentType", "must have at most 255 characters");
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof *SCHEMAS; i++) {
        if (strcmp(SCHEMAS[i].id, out->schema_id) == 0)
            out->class = SCHEMAS[i].class;
    }
    if (out->class == NULL)
        out->registry = registry_read_id(c, out->schema_id);
    return out->class == NULL && out->registry == NULL ? dataset_refuse_schema(c) : FAULT_NONE;
}

static bool dataset_one_of(const char *text, const char *first, const char *second, const char *third)
{
    return strcmp(text, first) == 0 || strcmp(text, second) == 0 || strcmp(text, third) == 0;
}

/* contract.md section 4: a dataset is exported as Parquet unless its fileDescription says otherwise. */
static enum fault dataset_read_format(struct call *c, struct json_object *body, struct dataset_request *out)
{
    struct json_object *file = NULL;
    const char *container = NULL;
    out->format = "parquet";
    out->compression = "zstd";
    enum fault fault = dataset_object(c, body, "fileDescription", "/fileDescription", &file);
    if (fault != FAULT_NONE || file == NULL)
        return fault;
    const char *format = NULL, *compression = NULL;
    fault = dataset_text(c, file, "format", "/fileDescription/format", &format);
    if (fault == FAULT_NONE)
        fault = dataset_text(c, file, "containerFormat", "/fileDescription/containerFormat", &container);
    if (fault == FAULT_NONE)
        fault = dataset_text(c, file, "compression", "/fileDescription/compression", &compression);
    if (fault != FAULT_NONE)
        return fault;
    const char *pointer = format != NULL ? "/fileDescription/format" : "/fileDescription/containerFormat";
    if (format == NULL)
        format = container;
    if (format != NULL && !dataset_one_of(format, "json", "parquet", "parquet"))
        return call_refuse(c, FAULT_MALFORMED, pointer, "must be parquet or json");
    if (compression != NULL && !dataset_one_of(compression, "zstd", "none", "snappy"))
        return call_refuse(c, FAULT_MALFORMED, "/fileDescription/compression", "must be zstd or none");
    if (compression != NULL && strcmp(compression, "snappy") == 0)
        return call_refuse(c, FAULT_NOT_SUPPORTED, "/fileDescription/compression", "snappy is not offered by this version");
    out->format = format != NULL ? format : out->format;
    out->compression = compression != NULL ? compression : out->compression;
    return FAULT_NONE;
}

static enum fault dataset_read(struct call *c, struct json_object *body, struct dataset_request *out)
{
    struct json_object *tags = NULL;
    *out = (struct dataset_request){0};
    enum fault fault = dataset_text(c, body, "name", "/name", &out->name);
    if (fault == FAULT_NONE && out->name == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/name", "is required");
    if (fault == FAULT_NONE && (*out->name == '\0' || dataset_characters(out->name) > DATASET_NAME_MAX))
        return call_refuse(c, FAULT_MALFORMED, "/name", "must have 1 to 255 characters");
    if (fault == FAULT_NONE)
        fault = dataset_text(c, body, "description", "/description", &out->description);
    if (fault == FAULT_NONE && out->description != NULL &&
        dataset_characters(out->description) > DATASET_DESCRIPTION_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/description", "must have at most 2000 characters");
    if (fault == FAULT_NONE)
        fault = dataset_object(c, body, "tags", "/tags", &tags);
    if (fault == FAULT_NONE && tags != NULL) {
        size_t length;
        out->tags = jsonio_print(c->arena, tags, &length);
        if (length > DATASET_TAGS_MAX)
            return call_refuse(c, FAULT_MALFORMED, "/tags", "must have at most 16 KiB");
    }
    if (fault == FAULT_NONE)
        fault = dataset_text(c, body, "webhook", "/webhook", &out->webhook);
    if (fault == FAULT_NONE)
        fault = dataset_read_schema(c, body, out);
    return fault == FAULT_NONE ? dataset_read_format(c, body, out) : fault;
}

enum fault dataset_handle_create(struct call *c)
{
    struct json_object *body;
    struct dataset_request r;
    struct db_rows rows;
    const char *key, *digest;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = dataset_read(c, body, &r);
    if (fault == FAULT_NONE)
        fault = call_idempotency(c, &key, &digest);
    if (fault != FAULT_NONE)
        return fault;
    char id[IDENT_DATASET_DIGITS + 1];
    crypto_random_hex(id, IDENT_DATASET_DIGITS / 2);
    const char *const params[] = {id,       r.name,        r.description, r.schema_id,        r.content_type, r.class,
                                  r.format, r.compression, r.tags,        c->scope.client_id, key,            digest,
                                  r.registry, r.webhook};
    fault = call_db(c, &STMT_DATASET_CREATE, params, sizeof params / sizeof *params, &rows);
    if (fault == FAULT_MALFORMED)
        return dataset_refuse_schema(c);
    if (fault == FAULT_WEBHOOK)
        return call_refuse(c, FAULT_MALFORMED, "/webhook", "is no webhook of this sandbox");
    if (fault != FAULT_NONE)
        return call_key_refusal(c, fault);
    if (db_null(&rows, 0, 0))
        return call_refuse(c, FAULT_NOT_FOUND, NULL, "the dataset that this Idempotency-Key made is gone");
    const char *made = db_text(&rows, 0, 0);
    c->audit.object = made;
    struct json_object *answer = jsonio_own(c->arena, json_object_new_array());
    const char *reference = arena_printf(c->arena, "@/datasets/%s", made);
    if (answer == NULL || reference == NULL)
        return FAULT_MEMORY;
    json_object_array_add(answer, json_object_new_string(reference));
    reply_header(&c->reply, "Location", call_link(c, arena_printf(c->arena, "/data/foundation/catalog/dataSets/%s", made)));
    return reply_json(&c->reply, c->arena, 201, answer);
}

static struct json_object *dataset_schema_ref(const struct db_rows *rows, int row)
{
    struct json_object *ref = json_object_new_object();
    jsonio_add_text(ref, "id", db_text(rows, row, DATASET_SCHEMA));
    jsonio_add_text(ref, "contentType", db_text(rows, row, DATASET_CONTENT_TYPE));
    return ref;
}

static struct json_object *dataset_file_description(const struct db_rows *rows, int row)
{
    struct json_object *file = json_object_new_object();
    json_object_object_add(file, "persisted", json_object_new_boolean(1));
    jsonio_add_text(file, "containerFormat", db_text(rows, row, DATASET_FORMAT));
    jsonio_add_text(file, "format", db_text(rows, row, DATASET_FORMAT));
    jsonio_add_text(file, "compression", db_text(rows, row, DATASET_COMPRESSION));
    return file;
}

static struct json_object *dataset_document(struct call *c, const struct db_rows *rows, int row)
{
    struct json_object *d = json_object_new_object();
    jsonio_add_text(d, "name", db_text(rows, row, DATASET_NAME));
    jsonio_add_text(d, "description", db_text(rows, row, DATASET_DESCRIPTION));
    catalog_add_tenant(c, d);
    jsonio_add_int(d, "created", db_int(rows, row, DATASET_CREATED));
    jsonio_add_int(d, "updated", db_int(rows, row, DATASET_UPDATED));
    jsonio_add_text(d, "createdClient", db_text(rows, row, DATASET_CLIENT));
    jsonio_add_text(d, "createdUser", db_text(rows, row, DATASET_CLIENT));
    jsonio_add_text(d, "version", arena_printf(c->arena, "%s.0.0", db_text(rows, row, DATASET_VERSION)));
    json_object_object_add(d, "schemaRef", dataset_schema_ref(rows, row));
    json_object_object_add(d, "fileDescription", dataset_file_description(rows, row));
    json_object_object_add(d, "tags", db_null(rows, row, DATASET_TAGS) ? json_object_new_object()
                                                                      : jsonio_raw(db_text(rows, row, DATASET_TAGS)));
    jsonio_add_text(d, "webhook", db_null(rows, row, DATASET_WEBHOOK) ? NULL : db_text(rows, row, DATASET_WEBHOOK));
    jsonio_add_text(d, "files", arena_printf(c->arena, "@/dataSetFiles?dataSetId=%s", db_text(rows, row, DATASET_ID)));
    jsonio_add_text(d, "lastBatchId", db_text(rows, row, DATASET_LAST_BATCH));
    jsonio_add_text(d, "lastBatchStatus", db_text(rows, row, DATASET_LAST_STATUS));
    jsonio_add_text(d, "lastSuccessfulBatch", db_text(rows, row, DATASET_LAST_SUCCESS));
    return d;
}

/* The ids of the rows, one at least, as text of a PostgreSQL array. */
static const char *dataset_ids(struct call *c, const struct db_rows *rows)
{
    const size_t step = IDENT_DATASET_DIGITS + 1;
    size_t end = (size_t)rows->count * step;
    char *ids = arena_alloc(c->arena, end + 2);
    for (int i = 0; ids != NULL && i < rows->count; i++) {
        ids[(size_t)i * step] = i == 0 ? '{' : ',';
        memcpy(ids + (size_t)i * step + 1, db_text(rows, i, DATASET_ID), IDENT_DATASET_DIGITS);
    }
    if (ids != NULL)
        ids[end] = '}';
    return ids;
}

/* One that is too large to show: its members are not told. */
static struct json_object *dataset_observed_open(void)
{
    return jsonio_raw("{\"type\":\"object\",\"meta:xdmType\":\"object\",\"additionalProperties\":true}");
}

/* What was observed of the datasets' records, put into their documents, which are the members of `map`. A dataset
 * that nothing is known of has {}. */
static enum fault dataset_add_observed(struct call *c, const struct db_rows *rows, struct json_object *map)
{
    struct db_rows observed;
    const char *const params[] = {dataset_ids(c, rows), rows->count > 1 ? DATASET_OBSERVED_ALL : DATASET_OBSERVED_ONE};
    enum fault fault = call_db(c, &STMT_DATASET_OBSERVED, params, 2, &observed);
    for (int i = 0; fault == FAULT_NONE && i < rows->count; i++)
        json_object_object_add(jsonio_member(map, db_text(rows, i, DATASET_ID), NULL), DATASET_OBSERVED,
                               json_object_new_object());
    for (int i = 0; fault == FAULT_NONE && i < observed.count; i++) {
        struct json_object *shown = NULL;
        bool too_large = db_bool(&observed, i, 2);
        if (too_large && rows->count > 1)
            return call_refuse(c, FAULT_MALFORMED, NULL,
                               "properties: the " DATASET_OBSERVED " of so many datasets is too large; a smaller limit helps");
        if (too_large)
            shown = dataset_observed_open();
        else
            fault = observed_show(db_text(&observed, i, 1), db_length(&observed, i, 1), true, &shown);
        if (fault == FAULT_NONE)
            json_object_object_add(jsonio_member(map, db_text(&observed, i, 0), NULL), DATASET_OBSERVED, shown);
    }
    return fault;
}

/* A map keyed by dataset id, as the reference's catalog answers lists and single objects alike. */
static enum fault dataset_answer(struct call *c, const struct db_rows *rows, const char *properties, bool observed)
{
    struct json_object *map = jsonio_own(c->arena, json_object_new_object());
    if (map == NULL)
        return FAULT_MEMORY;
    for (int i = 0; i < rows->count; i++) {
        struct json_object *d = dataset_document(c, rows, i);
        catalog_keep_properties(d, properties);
        json_object_object_add(map, db_text(rows, i, DATASET_ID), d);
    }
    enum fault fault = observed && rows->count > 0 ? dataset_add_observed(c, rows, map) : FAULT_NONE;
    return fault == FAULT_NONE ? reply_json(&c->reply, c->arena, 200, map) : fault;
}

enum fault dataset_handle_list(struct call *c)
{
    struct query q;
    struct catalog_list list;
    struct db_rows rows;
    enum fault fault = catalog_query(c, &q);
    if (fault == FAULT_NONE)
        fault = catalog_list_read(c, &q, true, &list);
    if (fault != FAULT_NONE)
        return fault;
    const char *name = query_get(&q, "name");
    const char *const params[] = {arena_int(c->arena, list.limit), arena_int(c->arena, list.start), name};
    const struct stmt *stmt = stmt_dataset_list(list.sort, list.descending, name != NULL);
    fault = call_db(c, stmt, params, name != NULL ? 3 : 2, &rows);
    bool observed = list.properties != NULL && catalog_listed(list.properties, DATASET_OBSERVED);
    return fault == FAULT_NONE ? dataset_answer(c, &rows, list.properties, observed) : fault;
}

enum fault dataset_handle_get(struct call *c)
{
    struct db_rows rows;
    const char *properties;
    enum fault fault = catalog_read_one(c, IDENT_DATASET_DIGITS, &STMT_DATASET_GET, &rows, &properties);
    bool observed = properties == NULL || *properties == '\0' || catalog_listed(properties, DATASET_OBSERVED);
    return fault == FAULT_NONE ? dataset_answer(c, &rows, properties, observed) : fault;
}
