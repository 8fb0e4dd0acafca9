/*
 * schema: compiling a document. See schema.h.
 */
#include "profile/schema.h"

#include <stdlib.h>
#include <string.h>

#include "profile/schema_internal.h"

/* A definition takes at most two levels of the text: the member `properties` and its own object. */
#define SCHEMA_LIMITS ((struct jscan_limits){.depth = 2 * SCHEMA_DEPTH_MAX + 16, .bytes = SCHEMA_DOCUMENT_MAX})

enum fault schema_malformed(struct schema_reader *r, uint32_t node, const char *detail)
{
    char place[SCHEMA_PLACE_MAX];
    size_t length = schema_place(&r->scan, node, NULL, place, sizeof place);
    const char *pointer = arena_copy(r->arena, place, length);
    *r->refusal = (struct spec_refusal){pointer == NULL ? "" : pointer, detail};
    return FAULT_MALFORMED;
}

const char *schema_text(struct schema_reader *r, uint32_t string, uint32_t *length)
{
    const struct jscan_node *node = &r->scan.node[string];
    char *out = arena_alloc(r->arena, (size_t)(node->end - node->begin) + 1);
    if (out != NULL)
        *length = (uint32_t)jscan_string_copy(&r->scan, string, out);
    return out;
}

/* The next place for a definition; NULL: there are too many. */
static struct schema_node *schema_place_for(struct schema_reader *r, uint32_t definition)
{
    struct schema *s = r->schema;
    if (s->count == r->room)
        return NULL;
    struct schema_node *node = &s->node[s->count++];
    *node = (struct schema_node){.definition = definition, .max_length = UINT32_MAX};
    return node;
}

static enum fault schema_too_many(struct schema_reader *r, uint32_t definition)
{
    return schema_malformed(r, definition, "the schema has more than 5000 definitions");
}

/* A place for a member, side by side with the ones before. `name` is the tape's node of its name. */
static enum fault schema_add_member(struct schema_reader *r, uint32_t name, uint32_t definition,
                                    struct schema_node **out)
{
    struct schema_node *node = schema_place_for(r, definition);
    if (node == NULL)
        return schema_too_many(r, definition != 0 ? definition : name);
    node->name = schema_text(r, name, &node->name_length);
    if (node->name == NULL)
        return FAULT_MEMORY;
    if (node->name_length < 1 || node->name_length > SCHEMA_NAME_MAX)
        return schema_malformed(r, definition != 0 ? definition : name, "a member's name must have 1 to 255 bytes");
    *out = node;
    return FAULT_NONE;
}

static int schema_order(const void *a, const void *b)
{
    const struct schema_node *x = a, *y = b;
    uint32_t length = x->name_length < y->name_length ? x->name_length : y->name_length;
    int order = memcmp(x->name, y->name, length);
    return order != 0 ? order : (x->name_length > y->name_length) - (x->name_length < y->name_length);
}

static void schema_sort(struct schema *s, uint32_t parent)
{
    if (s->node[parent].members > 0)
        qsort(&s->node[s->node[parent].member], s->node[parent].members, sizeof *s->node, schema_order);
}

/* Marks the members that `required` names; one without a definition gets one that takes any value. */
static enum fault schema_read_required(struct schema_reader *r, uint32_t parent, uint32_t required)
{
    const struct jscan *scan = &r->scan;
    struct schema *s = r->schema;
    uint32_t defined = s->node[parent].members;
    if (scan->node[required].type != JSCAN_ARRAY)
        return schema_malformed(r, required, "must be an array of names");
    for (uint32_t name = required + 1; name < scan->node[required].next; name = scan->node[name].next) {
        if (scan->node[name].type != JSCAN_STRING)
            return schema_malformed(r, name, "must be a string");
        uint32_t known = schema_member_of(s, parent, scan, name);
        struct schema_node *member = &s->node[known];
        enum fault fault = known != 0 ? FAULT_NONE : schema_add_member(r, name, 0, &member);
        if (fault != FAULT_NONE)
            return fault;
        if (member->required)
            return schema_malformed(r, name, "names a member twice");
        member->required = true;
        s->node[parent].required_members++;
    }
    s->node[parent].members = s->count - s->node[parent].member;
    schema_sort(s, parent);
    for (uint32_t i = 1; i < s->node[parent].members && s->node[parent].members > defined; i++) {
        const struct schema_node *member = &s->node[s->node[parent].member + i];
        if (schema_order(member - 1, member) == 0)
            return schema_malformed(r, required, "names a member twice");
    }
    return FAULT_NONE;
}

/* Places for the members of a definition, in order of name. */
static enum fault schema_read_members(struct schema_reader *r, uint32_t parent)
{
    const struct jscan *scan = &r->scan;
    struct schema *s = r->schema;
    uint32_t definition = s->node[parent].definition;
    uint32_t properties = jscan_member(scan, definition, "properties");
    uint32_t required = jscan_member(scan, definition, "required");
    s->node[parent].member = s->count;
    if (properties != 0 && scan->node[properties].type != JSCAN_OBJECT)
        return schema_malformed(r, properties, "must be an object");
    for (uint32_t name = properties + 1; properties != 0 && name < scan->node[properties].next;
         name = scan->node[name + 1].next) {
        struct schema_node *member;
        enum fault fault = schema_add_member(r, name, name + 1, &member);
        if (fault != FAULT_NONE)
            return fault;
    }
    s->node[parent].members = s->count - s->node[parent].member;
    schema_sort(s, parent);
    return required == 0 ? FAULT_NONE : schema_read_required(r, parent, required);
}

/* A place for a definition that has no name: of elements, of the values of a map. */
static enum fault schema_read_nameless(struct schema_reader *r, uint32_t parent, const char *keyword, uint32_t *out)
{
    const struct jscan *scan = &r->scan;
    uint32_t definition = jscan_member(scan, r->schema->node[parent].definition, keyword);
    enum jscan_type type = definition == 0 ? JSCAN_NULL : (enum jscan_type)scan->node[definition].type;
    if (definition == 0 || (out == &r->schema->node[parent].value && (type == JSCAN_TRUE || type == JSCAN_FALSE)))
        return FAULT_NONE;
    uint32_t place = r->schema->count;
    if (schema_place_for(r, definition) == NULL)
        return schema_too_many(r, definition);
    *out = place;
    return FAULT_NONE;
}

static enum fault schema_read_definition(struct schema_reader *r, uint32_t at, uint32_t depth);

/* Reads what is below a definition. */
static enum fault schema_read_below(struct schema_reader *r, uint32_t at, uint32_t depth)
{
    struct schema_node *node = &r->schema->node[at];
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < node->members; i++) {
        if (r->schema->node[node->member + i].definition != 0)
            fault = schema_read_definition(r, node->member + i, depth + 1);
    }
    if (fault == FAULT_NONE && node->element != 0)
        fault = schema_read_definition(r, node->element, depth + 1);
    if (fault == FAULT_NONE && node->value != 0)
        fault = schema_read_definition(r, node->value, depth + 1);
    return fault;
}

static enum fault schema_read_definition(struct schema_reader *r, uint32_t at, uint32_t depth)
{
    struct schema_node *node = &r->schema->node[at];
    if (r->scan.node[node->definition].type != JSCAN_OBJECT)
        return schema_malformed(r, node->definition, "must be an object");
    if (depth > SCHEMA_DEPTH_MAX)
        return schema_malformed(r, node->definition, "the schema is nested deeper than 32 levels");
    enum fault fault = schema_read_keywords(r, node);
    if (fault == FAULT_NONE)
        fault = schema_read_members(r, at);
    if (fault == FAULT_NONE && at != 0)
        fault = schema_read_nameless(r, at, "items", &node->element);
    if (fault == FAULT_NONE && at != 0)
        fault = schema_read_nameless(r, at, "additionalProperties", &node->value);
    return fault == FAULT_NONE ? schema_read_below(r, at, depth) : fault;
}

/* Copies the document, so that names and numbers can point into it, and makes the places. */
static enum fault schema_begin(struct schema_reader *r, const char *document, size_t length)
{
    const char *text = arena_copy(r->arena, document, length);
    r->schema = arena_alloc(r->arena, sizeof *r->schema);
    if (text == NULL || r->schema == NULL)
        return FAULT_MEMORY;
    enum jscan_fault broken = jscan_document(&r->scan, text, length, SCHEMA_LIMITS);
    if (broken != JSCAN_OK) {
        *r->refusal = (struct spec_refusal){"", jscan_reason(broken)};
        return broken == JSCAN_MEMORY ? FAULT_MEMORY : FAULT_MALFORMED;
    }
    /* each definition but the document's has a value on the tape, a required member's name at least */
    r->room = r->scan.count < SCHEMA_NODES_MAX ? r->scan.count + 1 : SCHEMA_NODES_MAX + 1;
    r->schema->node = arena_alloc(r->arena, r->room * sizeof *r->schema->node);
    if (r->schema->node == NULL)
        return FAULT_MEMORY;
    return schema_place_for(r, 0) == NULL ? FAULT_MEMORY : FAULT_NONE;
}

enum fault schema_read(struct arena *a, const char *document, size_t length, const char *identities,
                       const struct schema **out, struct spec_refusal *refusal)
{
    struct schema_reader r = {.arena = a, .scan = JSCAN_INIT, .refusal = refusal};
    enum fault fault = schema_begin(&r, document, length);
    if (fault == FAULT_NONE)
        fault = schema_read_definition(&r, 0, 0);
    if (fault == FAULT_NONE && identities != NULL)
        fault = schema_read_identities(&r, identities);
    jscan_free(&r.scan);
    if (fault == FAULT_NONE && arena_exhausted(a))
        fault = FAULT_MEMORY;
    *out = fault == FAULT_NONE ? r.schema : NULL;
    return fault;
}
