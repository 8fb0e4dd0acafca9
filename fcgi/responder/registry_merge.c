/*
 * registry_merge: definitions of one class become one. See registry_merge.h.
 *
 * The recursion follows the trees, which are as deep as a request or a record may be.
 */
#include "responder/registry_merge.h"

#include <string.h>

#include "lib/jsonio.h"

enum merge_kind {
    MERGE_ANY, /* nothing is known */
    MERGE_NULL,
    MERGE_BOOLEAN,
    MERGE_INTEGER,
    MERGE_NUMBER,
    MERGE_STRING,
    MERGE_DATE,
    MERGE_DATETIME,
    MERGE_OBJECT,
    MERGE_ARRAY,
    MERGE_MIXED
};

/* A kind's names; the first meta:xdmType of a kind is the one that several come to. */
static const struct merge_name {
    const char *xdm_type;
    enum merge_kind kind;
    const char *type;
    const char *format;
} NAMES[] = {
    {"null", MERGE_NULL, "null", NULL},        {"boolean", MERGE_BOOLEAN, "boolean", NULL},
    {"long", MERGE_INTEGER, "integer", NULL},  {"integer", MERGE_INTEGER, "integer", NULL},
    {"int", MERGE_INTEGER, "integer", NULL},   {"short", MERGE_INTEGER, "integer", NULL},
    {"byte", MERGE_INTEGER, "integer", NULL},  {"double", MERGE_NUMBER, "number", NULL},
    {"number", MERGE_NUMBER, "number", NULL},  {"string", MERGE_STRING, "string", NULL},
    {"date", MERGE_DATE, "string", "date"},    {"date-time", MERGE_DATETIME, "string", "date-time"},
    {"object", MERGE_OBJECT, "object", NULL},  {"map", MERGE_OBJECT, "object", NULL},
    {"array", MERGE_ARRAY, "array", NULL},     {"mixed", MERGE_MIXED, "string", NULL},
};
#define NAME_COUNT (sizeof NAMES / sizeof *NAMES)

static const struct merge_name *merge_by_xdm_type(const char *text)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(NAMES[i].xdm_type, text) == 0)
            return &NAMES[i];
    return NULL;
}

static const struct merge_name *merge_by_kind(enum merge_kind kind)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (NAMES[i].kind == kind)
            return &NAMES[i];
    return NULL;
}

static bool merge_texts(enum merge_kind kind)
{
    return kind == MERGE_STRING || kind == MERGE_DATE || kind == MERGE_DATETIME;
}

static enum merge_kind merge_widest(enum merge_kind a, enum merge_kind b)
{
    if (a == b || b <= MERGE_NULL)
        return a == MERGE_ANY ? b : a;
    if (a <= MERGE_NULL)
        return b;
    if ((a == MERGE_INTEGER && b == MERGE_NUMBER) || (a == MERGE_NUMBER && b == MERGE_INTEGER))
        return MERGE_NUMBER;
    return merge_texts(a) && merge_texts(b) ? MERGE_STRING : MERGE_MIXED;
}

/* The names of a JSON Schema type. */
static const struct merge_name *merge_by_type(const char *type, const char *format)
{
    if (strcmp(type, "string") == 0 && format != NULL && (strcmp(format, "date") == 0 || strcmp(format, "date-time") == 0))
        return merge_by_xdm_type(format);
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(NAMES[i].type, type) == 0 && (NAMES[i].format == NULL))
            return &NAMES[i];
    return NULL;
}

/* What a definition is; NULL: it does not say. */
static const struct merge_name *merge_name_of(struct json_object *definition)
{
    const char *xdm_type = jsonio_member_text(definition, "meta:xdmType");
    const char *format = jsonio_member_text(definition, "format");
    struct json_object *type = jsonio_member(definition, "type", NULL);
    const struct merge_name *name = xdm_type == NULL ? NULL : merge_by_xdm_type(xdm_type);
    if (name != NULL || type == NULL)
        return name;
    if (json_object_is_type(type, json_type_string))
        return merge_by_type(json_object_get_string(type), format);
    enum merge_kind kind = MERGE_ANY;
    size_t count = json_object_is_type(type, json_type_array) ? json_object_array_length(type) : 0;
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(type, i);
        name = json_object_is_type(one, json_type_string) ? merge_by_type(json_object_get_string(one), format) : NULL;
        kind = merge_widest(kind, name == NULL ? MERGE_ANY : name->kind);
    }
    return merge_by_kind(kind);
}

static enum merge_kind merge_kind_of(const struct merge_name *name)
{
    return name == NULL ? MERGE_ANY : name->kind;
}

/* Names `into` by what it was and what came. Answers the kind. */
static enum merge_kind merge_type(struct json_object *into, struct json_object *from)
{
    const struct merge_name *was = merge_name_of(into), *came = merge_name_of(from);
    enum merge_kind kind = merge_widest(merge_kind_of(was), merge_kind_of(came));
    const struct merge_name *now = merge_by_kind(kind);
    if (now == NULL)
        return kind;
    if (merge_kind_of(was) == kind && (merge_kind_of(came) != kind || came == was))
        now = was;
    else if (merge_kind_of(came) == kind && merge_kind_of(was) != kind)
        now = came;
    jsonio_add_text(into, "type", now->type);
    jsonio_add_text(into, "meta:xdmType", now->xdm_type);
    json_object_object_del(into, "format");
    jsonio_add_text(into, "format", now->format);
    return kind;
}

static void merge_definition(struct registry_union *u, struct json_object *into, struct json_object *from);

/* Counts a text, as long as JSON may write it, while it fits; false: it does not. */
static bool merge_count(size_t *used, size_t most, const char *text)
{
    size_t length = 2; /* the quotes */
    for (const char *at = text; *at != '\0'; at++)
        length += (unsigned char)*at < 0x20 ? 6 : 1u + (*at == '"' || *at == '\\' || *at == '/');
    if (length > most - *used)
        return false;
    *used += length;
    return true;
}

/* The definition at `name` of `parent`, made if it is not there. NULL: the union has as many as it may have. */
static struct json_object *merge_child(struct registry_union *u, struct json_object *parent, const char *name)
{
    struct json_object *child = jsonio_member(parent, name, NULL);
    if (json_object_is_type(child, json_type_object))
        return child;
    if (u->nodes == REGISTRY_UNION_NODES || !merge_count(&u->names, REGISTRY_UNION_NAMES, name))
        return NULL;
    u->nodes++;
    child = json_object_new_object();
    json_object_object_add(parent, name, child);
    return child;
}

static void merge_below(struct registry_union *u, struct json_object *into, struct json_object *from, const char *name)
{
    struct json_object *definition = jsonio_member(from, name, NULL);
    if (!json_object_is_type(definition, json_type_object))
        return;
    struct json_object *child = merge_child(u, into, name);
    if (child != NULL)
        merge_definition(u, child, definition);
}

static void merge_members(struct registry_union *u, struct json_object *into, struct json_object *from)
{
    struct json_object *members = jsonio_member(from, "properties", NULL);
    struct json_object *any = jsonio_member(from, "additionalProperties", NULL);
    bool open = json_object_is_type(any, json_type_boolean) && json_object_get_boolean(any);
    if (json_object_is_type(members, json_type_object)) {
        if (jsonio_member(into, "properties", NULL) == NULL)
            json_object_object_add(into, "properties", json_object_new_object());
        struct json_object *all = jsonio_member(into, "properties", NULL);
        json_object_object_foreach(members, name, definition)
        {
            struct json_object *child = merge_child(u, all, name);
            if (child != NULL)
                merge_definition(u, child, definition);
            open = open || child == NULL;
        }
    }
    merge_below(u, into, from, "additionalProperties");
    if (open && jsonio_member(into, "additionalProperties", NULL) == NULL)
        json_object_object_add(into, "additionalProperties", json_object_new_boolean(1));
}

static void merge_title(struct registry_union *u, struct json_object *into, struct json_object *from, const char *name)
{
    const char *text = jsonio_member_text(from, name);
    if (jsonio_member(into, name, NULL) == NULL && text != NULL && merge_count(&u->texts, REGISTRY_UNION_TEXTS, text))
        jsonio_add_text(into, name, text);
}

static void merge_definition(struct registry_union *u, struct json_object *into, struct json_object *from)
{
    if (!json_object_is_type(from, json_type_object))
        return;
    merge_title(u, into, from, "title");
    merge_title(u, into, from, "description");
    switch (merge_type(into, from)) {
    case MERGE_ANY:
    case MERGE_OBJECT:
        merge_members(u, into, from);
        return;
    case MERGE_ARRAY:
        merge_below(u, into, from, "items");
        return;
    default:
        json_object_object_del(into, "properties");
        json_object_object_del(into, "additionalProperties");
        json_object_object_del(into, "items");
    }
}

void registry_merge(struct registry_union *into, struct json_object *from)
{
    merge_definition(into, into->root, from);
}

/* Whether `declared` says it all; takes out of `seen` what it says below. */
static bool trim_covers(struct json_object *seen, struct json_object *declared)
{
    switch (merge_kind_of(merge_name_of(declared))) {
    case MERGE_ANY:
        return false;
    case MERGE_OBJECT:
        registry_trim(seen, declared);
        return false;
    case MERGE_ARRAY: {
        struct json_object *items = jsonio_member(seen, "items", NULL), *of = jsonio_member(declared, "items", NULL);
        if (items != NULL && of != NULL && trim_covers(items, of))
            json_object_object_del(seen, "items");
        return false;
    }
    default:
        return true;
    }
}

void registry_trim(struct json_object *seen, struct json_object *declared)
{
    struct json_object *members = jsonio_member(seen, "properties", NULL);
    struct json_object *known = jsonio_member(declared, "properties", NULL);
    struct json_object *rest = jsonio_member(declared, "additionalProperties", NULL);
    if (!json_object_is_type(members, json_type_object))
        return;
    /* json-c lets the member at hand be deleted, and no other */
    json_object_object_foreach(members, name, value)
    {
        struct json_object *definition = known == NULL ? NULL : jsonio_member(known, name, NULL);
        if (definition == NULL && json_object_is_type(rest, json_type_object))
            definition = rest;
        if (definition != NULL && trim_covers(value, definition))
            json_object_object_del(members, name);
    }
}
