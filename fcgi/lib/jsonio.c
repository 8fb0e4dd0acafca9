/*
 * jsonio: json-c, behind the strict scanner. See jsonio.h.
 */
#include "lib/jsonio.h"

#include <string.h>

#include "lib/invariant.h"

static void jsonio_release(void *tree)
{
    json_object_put(tree);
}

struct json_object *jsonio_own(struct arena *a, struct json_object *tree)
{
    if (tree == NULL)
        return NULL;
    return arena_own(a, tree, jsonio_release) ? tree : NULL;
}

/* The scanner of this process; a process works on one text at a time. */
static struct jscan scanner;

/* What json-c takes for a value, in bytes: measured on amd64 (0.16), rounded up. An object brings a hash table of
 * sixteen entries, an empty one too; a name or a scalar comes with its entry in the table or list above it. */
enum { COST_OBJECT = 800, COST_ARRAY = 160, COST_OTHER = 104 };

/* The first value of the scanned text with which the tree would be larger than JSONIO_TREE_BYTES, or NULL. */
static const struct jscan_node *beyond_bound(const struct jscan *scan)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < scan->count; i++) {
        uint8_t type = scan->node[i].type;
        bytes += type == JSCAN_OBJECT ? COST_OBJECT : type == JSCAN_ARRAY ? COST_ARRAY : COST_OTHER;
        if (bytes > JSONIO_TREE_BYTES)
            return &scan->node[i];
    }
    return NULL;
}

enum fault jsonio_parse(struct arena *a, const char *text, size_t length, struct jscan_limits limits,
                        struct json_object **out, struct jsonio_refusal *refusal)
{
    enum jscan_fault found = jscan_document(&scanner, text, length, limits);
    if (found == JSCAN_MEMORY)
        return FAULT_MEMORY;
    if (found != JSCAN_OK) {
        *refusal = (struct jsonio_refusal){scanner.fault_offset, jscan_reason(found)};
        return FAULT_MALFORMED;
    }
    const struct jscan_node *beyond = beyond_bound(&scanner);
    if (beyond != NULL) {
        *refusal = (struct jsonio_refusal){beyond->begin, jscan_reason(JSCAN_TOO_MANY)};
        return FAULT_MALFORMED;
    }
    struct json_tokener *tokener = json_tokener_new_ex((int)limits.depth + 2);
    if (tokener == NULL)
        return FAULT_MEMORY;
    struct json_object *tree = json_tokener_parse_ex(tokener, text, (int)length);
    /* a bare number at the end of the text needs a byte after it to be complete */
    if (tree == NULL && json_tokener_get_error(tokener) == json_tokener_continue)
        tree = json_tokener_parse_ex(tokener, " ", 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (error != json_tokener_success) {
        *refusal = (struct jsonio_refusal){0, "the text cannot be read"};
        return FAULT_MALFORMED;
    }
    *out = tree; /* NULL is JSON null */
    return tree == NULL || jsonio_own(a, tree) != NULL ? FAULT_NONE : FAULT_MEMORY;
}

struct json_object *jsonio_member(struct json_object *object, const char *name, bool *present)
{
    struct json_object *value = NULL;
    bool found = json_object_object_get_ex(object, name, &value) != 0;
    if (present != NULL)
        *present = found;
    return value;
}

const char *jsonio_member_text(struct json_object *object, const char *name)
{
    struct json_object *value = jsonio_member(object, name, NULL);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int jsonio_print_raw(struct json_object *value, struct printbuf *out, int level, int flags)
{
    (void)level;
    (void)flags;
    const char *text = json_object_get_string(value);
    return printbuf_memappend(out, text, json_object_get_string_len(value));
}

struct json_object *jsonio_raw(const char *text)
{
    struct json_object *value = json_object_new_string(text);
    if (value != NULL)
        json_object_set_serializer(value, jsonio_print_raw, NULL, NULL);
    return value;
}

void jsonio_add_text(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_object_add(object, name, json_object_new_string(text));
}

void jsonio_add_int(struct json_object *object, const char *name, int64_t n)
{
    json_object_object_add(object, name, json_object_new_int64(n));
}

const char *jsonio_print(struct arena *a, struct json_object *tree, size_t *length)
{
    size_t size = 0;
    const char *text = json_object_to_json_string_length(tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
                                                         &size);
    char *copy = text == NULL ? NULL : arena_copy(a, text, size);
    *length = copy == NULL ? 0 : size;
    return copy;
}
