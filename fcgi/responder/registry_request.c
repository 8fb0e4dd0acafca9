/*
 * registry_request: what a client may register. See registry_request.h.
 */
#include "responder/registry_request.h"

#include <string.h>

#include "profile/schema.h"
#include "responder/registry_id.h"

#define REQUEST_TITLE_MAX 255       /* characters */
#define REQUEST_DESCRIPTION_MAX 2000
#define REQUEST_REFERENCES_MAX 100

static const struct {
    const char *class;
    const char *id;
    const char *alt_id;
} CLASSES[] = {{"profile", REGISTRY_CONTEXT "profile", "_xdm.context.profile"},
               {"experienceevent", REGISTRY_CONTEXT "experienceevent", "_xdm.context.experienceevent"}};
#define CLASS_COUNT (sizeof CLASSES / sizeof *CLASSES)

/* Members of a schema that are the service's to make; a client's are passed over. */
static const char *const OURS[] = {"$id", "version", "imsOrg", "meta:altId", "meta:resourceType", "meta:class",
                                   "meta:extends", "meta:abstract", "meta:extensible", "meta:containerId",
                                   "meta:tenantNamespace", "meta:registryMetadata", "meta:sandboxId",
                                   "meta:sandboxType"};
#define OURS_COUNT (sizeof OURS / sizeof *OURS)

const char *registry_class_id(const char *class)
{
    return strcmp(class, CLASSES[0].class) == 0 ? CLASSES[0].id : CLASSES[1].id;
}

/* The class whose base schema has that id, or NULL. */
static const char *request_class(const char *id)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (strcmp(CLASSES[i].id, id) == 0 || strcmp(CLASSES[i].alt_id, id) == 0)
            return CLASSES[i].class;
    return NULL;
}

/* Characters, not bytes: every byte that does not continue one begins one. */
static size_t request_characters(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

enum fault registry_text(struct call *c, struct json_object *parent, const char *name, const char **out)
{
    bool present;
    (void)jsonio_member(parent, name, &present);
    *out = jsonio_member_text(parent, name);
    if (present && *out == NULL)
        return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/%s", name), "must be a string");
    return FAULT_NONE;
}

/* One entry of allOf. */
static enum fault request_read_reference(struct call *c, struct json_object *entry, size_t place,
                                         struct registry_request *out)
{
    const char *reference = json_object_is_type(entry, json_type_object) ? jsonio_member_text(entry, "$ref") : NULL;
    if (reference == NULL)
        return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/allOf/%zu", place),
                           "must be an object with a $ref");
    const char *class = request_class(reference);
    if (class == NULL && strncmp(reference, REGISTRY_XDM, strlen(REGISTRY_XDM)) != 0)
        return call_refuse(c, FAULT_MALFORMED, arena_printf(c->arena, "/allOf/%zu/$ref", place),
                           "must be the profile or experience event class or a standard field group below " REGISTRY_XDM);
    if (class != NULL && out->class != NULL && strcmp(class, out->class) != 0)
        return call_refuse(c, FAULT_MALFORMED, "/allOf", "must name one class");
    out->class = class != NULL ? class : out->class;
    return FAULT_NONE;
}

static enum fault request_read_class(struct call *c, struct json_object *body, struct registry_request *out)
{
    bool present;
    const char *named;
    enum fault fault = registry_text(c, body, "meta:class", &named);
    struct json_object *all = jsonio_member(body, "allOf", &present);
    if (fault != FAULT_NONE)
        return fault;
    if (present && !json_object_is_type(all, json_type_array))
        return call_refuse(c, FAULT_MALFORMED, "/allOf", "must be an array");
    size_t count = present ? json_object_array_length(all) : 0;
    if (count > REQUEST_REFERENCES_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/allOf", "must have at most 100 entries");
    for (size_t i = 0; i < count && fault == FAULT_NONE; i++)
        fault = request_read_reference(c, json_object_array_get_idx(all, i), i, out);
    if (fault != FAULT_NONE)
        return fault;
    const char *class = named == NULL ? out->class : request_class(named);
    if (named != NULL && (class == NULL || (out->class != NULL && out->class != class)))
        return call_refuse(c, FAULT_MALFORMED, "/meta:class",
                           "must be the profile or experience event class, the one that allOf refers to");
    if (class == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/allOf",
                           "must refer to the profile or experience event class");
    out->class = class;
    return FAULT_NONE;
}

static enum fault request_read_texts(struct call *c, struct json_object *body, struct registry_request *out)
{
    const char *description = NULL, *type = NULL;
    enum fault fault = registry_text(c, body, "title", &out->title);
    if (fault == FAULT_NONE)
        fault = registry_text(c, body, "description", &description);
    if (fault == FAULT_NONE)
        fault = registry_text(c, body, "type", &type);
    if (fault != FAULT_NONE)
        return fault;
    if (out->title == NULL)
        return call_refuse(c, FAULT_MALFORMED, "/title", "is required");
    if (*out->title == '\0' || request_characters(out->title) > REQUEST_TITLE_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/title", "must have 1 to 255 characters");
    if (description != NULL && request_characters(description) > REQUEST_DESCRIPTION_MAX)
        return call_refuse(c, FAULT_MALFORMED, "/description", "must have at most 2000 characters");
    if (type != NULL && strcmp(type, "object") != 0)
        return call_refuse(c, FAULT_MALFORMED, "/type", "must be object");
    return FAULT_NONE;
}

/* The text that is kept. It must compile: every record of a dataset that follows it is checked by it. */
static enum fault request_make_document(struct call *c, struct json_object *body, struct registry_request *out)
{
    size_t length;
    const struct schema *compiled;
    struct spec_refusal refusal = {NULL, NULL};
    for (size_t i = 0; i < OURS_COUNT; i++)
        json_object_object_del(body, OURS[i]);
    if (jsonio_member(body, "type", NULL) == NULL)
        jsonio_add_text(body, "type", "object");
    out->document = jsonio_print(c->arena, body, &length);
    if (out->document == NULL)
        return FAULT_MEMORY;
    enum fault fault = schema_read(c->arena, out->document, length, NULL, &compiled, &refusal);
    return fault == FAULT_MALFORMED ? call_refuse(c, fault, refusal.pointer, refusal.detail) : fault;
}

enum fault registry_request_read(struct call *c, struct registry_request *out)
{
    struct json_object *body;
    *out = (struct registry_request){0};
    enum fault fault = call_body_object(c, &body);
    if (fault == FAULT_NONE)
        fault = request_read_texts(c, body, out);
    if (fault == FAULT_NONE)
        fault = request_read_class(c, body, out);
    return fault == FAULT_NONE ? request_make_document(c, body, out) : fault;
}
