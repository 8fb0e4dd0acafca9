/*
 * dataset_change: changing and deleting a dataset (contract.md sections 1 and 4).
 *
 * A change is a merge patch (RFC 7396) of what is the client's to change: name, description, tags and webhook. Members that say
 * what the dataset is can't be changed and are refused; what the service writes and what is unknown is passed over, as
 * when a dataset is made.
 */
#include <string.h>

#include "core/ident.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "responder/handlers.h"

/* The bounds of datasets.c. */
#define CHANGE_NAME_MAX 255
#define CHANGE_DESCRIPTION_MAX 2000
#define CHANGE_TAGS_MAX 16384 /* bytes */
#define CHANGE_DELETE_MS 2000 /* how long a deletion goes on with what has expired */

struct dataset_change {
    const char *name; /* NULL: it stays */
    bool sets_description;
    const char *description; /* NULL: none from now on */
    bool sets_tags;
    const char *tags; /* JSON text; NULL: none from now on */
    bool sets_webhook;
    const char *webhook; /* NULL: none from now on */
};

/* Characters, not bytes: every byte that does not continue one begins one. */
static size_t change_characters(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static enum fault change_read_texts(struct call *c, struct json_object *body, struct dataset_change *out)
{
    bool renames;
    struct json_object *description = jsonio_member(body, "description", &out->sets_description);
    (void)jsonio_member(body, "name", &renames);
    out->name = jsonio_member_text(body, "name");
    out->description = jsonio_member_text(body, "description");
    struct json_object *webhook = jsonio_member(body, "webhook", &out->sets_webhook);
    out->webhook = jsonio_member_text(body, "webhook");
    if (webhook != NULL && out->webhook == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/webhook", "must be a string or null");
    if (renames && out->name == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/name", "must be a string");
    if (renames && (*out->name == '\0' || change_characters(out->name) > CHANGE_NAME_MAX))
        return call_refuse(c, FAULT_MALFORMED, "/name", "must have 1 to 255 characters");
    if (description != NULL && out->description == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/description", "must be a string or null");
    if (out->description != NULL && change_characters(out->description) > CHANGE_DESCRIPTION_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/description", "must have at most 2000 characters");
    return FAULT_NONE;
}

/* Tags are replaced as a whole: what they hold is the client's, and nothing here knows its parts. */
static enum fault change_read_tags(struct call *c, struct json_object *body, struct dataset_change *out)
{
    size_t length = 0;
    struct json_object *tags = jsonio_member(body, "tags", &out->sets_tags);
    if (tags == NULL)
        return FAULT_NONE;
    if (!json_object_is_type(tags, json_type_object))
        return call_refuse(c, FAULT_MALFORMED, "/tags", "must be an object or null");
    out->tags = jsonio_print(c->arena, tags, &length);
    if (length > CHANGE_TAGS_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/tags", "must have at most 16 KiB");
    return FAULT_NONE;
}

static enum fault change_read(struct call *c, struct json_object *body, struct dataset_change *out)
{
    static const char *const FIXED[] = {"schemaRef", "fileDescription"};
    *out = (struct dataset_change){0};
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++) {
        bool present;
        (void)jsonio_member(body, FIXED[i], &present);
        if (present)
            return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/%s", FIXED[i]),
                               "cannot be changed; name, description, tags and webhook can");
    }
    enum fault fault = change_read_texts(c, body, out);
    return fault == FAULT_NONE ? change_read_tags(c, body, out) : fault;
}

/* ["@/dataSets/{id}"], as the reference answers. */
static enum fault change_answer(struct call *c)
{
    struct json_object *answer = jsonio_own(c->arena, json_object_new_array());
    const char *reference = arena_printf(c->arena, "@/dataSets/%s", c->segment[0]);
    if (answer == NULL || reference == NULL)
        return FAULT_MEMORY;
    json_object_array_add(answer, json_object_new_string(reference));
    return reply_json(&c->reply, c->arena, 200, answer);
}

enum fault dataset_handle_change(struct call *c)
{
    struct json_object *body;
    struct dataset_change change;
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = change_read(c, body, &change);
    if (fault != FAULT_NONE)
        return fault;
    if (!ident_is_hex(c->segment[0], IDENT_DATASET_DIGITS))
        return FAULT_NOT_FOUND;
    const char *const params[] = {c->segment[0],      change.name,
                                  change.sets_description ? "true" : "false", change.description,
                                  change.sets_tags ? "true" : "false",        change.tags,
                                  change.sets_webhook ? "true" : "false",     change.webhook};
    fault = call_db(c, &STMT_DATASET_CHANGE, params, sizeof params / sizeof *params, NULL);
    if (fault == FAULT_WEBHOOK)
        return call_refuse(c, FAULT_MALFORMED, "/webhook", "is no webhook of this sandbox");
    return fault == FAULT_NONE ? change_answer(c) : fault;
}

/* What expired in a dataset goes with it, some at a time; a client of one that holds very much of it comes again, and
 * what went until then stays gone. */
static enum fault change_delete(struct call *c)
{
    const char *const params[] = {c->segment[0]};
    int64_t deadline_ms = clock_monotonic_ms() + CHANGE_DELETE_MS;
    enum fault fault = FAULT_NONE;
    bool done = false;
    while (fault == FAULT_NONE && !done) {
        struct db_rows rows;
        if (clock_monotonic_ms() >= deadline_ms)
            return call_refuse(c, FAULT_OVERLOADED, NULL, "the dataset held many expired batches, and some are left");
        fault = call_db(c, &STMT_DATASET_DELETE, params, 1, &rows);
        done = fault == FAULT_NONE && !db_null(&rows, 0, 0);
    }
    return fault;
}

enum fault dataset_handle_delete(struct call *c)
{
    if (!ident_is_hex(c->segment[0], IDENT_DATASET_DIGITS))
        return FAULT_NOT_FOUND;
    enum fault fault = change_delete(c);
    if (fault == FAULT_STATE)
        return call_refuse(c, fault, NULL, "the dataset holds batches that have not expired, records or messages, a job "
                                           "that has not ended needs it, or a merge policy names it");
    return fault == FAULT_NONE ? change_answer(c) : fault;
}
