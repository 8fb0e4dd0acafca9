/*
 * fuzz_jscan: the scanner against a second reader and against json-c.
 *
 * Accepted by jscan exactly when fuzz_is_json() takes it; the tape is well-formed and lies inside
 * the text; json-c reads the same values from it; what is printed from the tape, or by json-c, is
 * accepted again and prints the same. Refused: the offset lies in the text and jsonio says the same.
 */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "lib/jscan.h"
#include "lib/jscan_name.h"
#include "lib/jsonio.h"
#include "lib/str.h"

#define DEPTH 16

static const struct jscan_limits LIMITS = {.depth = DEPTH, .bytes = 1024u * 1024u};

/* The plain bytes of a string node; the caller frees them. */
static char *plain_of(const struct jscan *scan, uint32_t string, size_t *length)
{
    const struct jscan_node *node = &scan->node[string];
    char *plain = malloc((size_t)(node->end - node->begin) + 1);
    INVARIANT(plain != NULL);
    *length = jscan_string_copy(scan, string, plain);
    INVARIANT(*length <= node->end - node->begin);
    plain[*length] = '\0';
    return plain;
}

static void check_string(const struct jscan *scan, uint32_t string)
{
    const struct jscan_node *node = &scan->node[string];
    size_t length;
    INVARIANT(node->begin > 0 && scan->text[node->begin - 1] == '"');
    INVARIANT(node->end < scan->length && scan->text[node->end] == '"');
    INVARIANT((memchr(scan->text + node->begin, '\\', node->end - node->begin) != NULL) == (node->escaped != 0));
    char *plain = plain_of(scan, string, &length);
    INVARIANT(fuzz_is_text(plain, length));
    INVARIANT(jscan_string_equals(scan, string, plain, length));
    INVARIANT(jscan_string_compare(scan, string, plain, length) == 0);
    INVARIANT(jscan_string_key(scan, string) == jscan_string_key_slow(scan, string));
    free(plain);
}

static void check_node(const struct jscan *scan, uint32_t at);

/* The values inside a container follow each other and fill it. */
static void check_container(const struct jscan *scan, uint32_t at)
{
    const struct jscan_node *node = &scan->node[at];
    bool object = node->type == JSCAN_OBJECT;
    uint32_t child = at + 1, place = node->begin;
    INVARIANT(scan->text[node->begin] == (object ? '{' : '[') && scan->text[node->end - 1] == (object ? '}' : ']'));
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t name = child;
        if (object) {
            INVARIANT(name < node->next && scan->node[name].type == JSCAN_STRING);
            INVARIANT(scan->node[name].begin > place + 1);
            check_node(scan, name);
            place = scan->node[name].end;
            child = scan->node[name].next;
        }
        INVARIANT(child < node->next && scan->node[child].begin > place);
        check_node(scan, child);
        place = scan->node[child].end;
        INVARIANT(place < node->end);
        if (object) {
            size_t length;
            char *plain = plain_of(scan, name, &length);
            INVARIANT(jscan_member(scan, at, plain) == child);
            free(plain);
        }
        child = scan->node[child].next;
    }
    INVARIANT(child == node->next);
}

static void check_node(const struct jscan *scan, uint32_t at)
{
    const struct jscan_node *node = &scan->node[at];
    INVARIANT(node->begin <= node->end && node->end <= scan->length);
    INVARIANT(node->next > at && node->next <= scan->count);
    if (node->type == JSCAN_OBJECT || node->type == JSCAN_ARRAY) {
        check_container(scan, at);
        return;
    }
    INVARIANT(node->next == at + 1 && node->count == 0);
    if (node->type == JSCAN_STRING)
        check_string(scan, at);
    if (node->type == JSCAN_INTEGER)
        INVARIANT(llabs(jscan_integer(scan, at)) <= 9007199254740991);
}

/* The value as compact text with its strings written anew. */
static void print_node(const struct jscan *scan, uint32_t at, struct str *out)
{
    const struct jscan_node *node = &scan->node[at];
    if (node->type == JSCAN_STRING) {
        size_t length;
        char *plain = plain_of(scan, at, &length);
        str_append_json(out, plain, length);
        free(plain);
        return;
    }
    if (node->type != JSCAN_OBJECT && node->type != JSCAN_ARRAY) {
        str_append(out, scan->text + node->begin, node->end - node->begin);
        return;
    }
    bool object = node->type == JSCAN_OBJECT;
    uint32_t child = at + 1;
    str_append_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i > 0)
            str_append_char(out, ',');
        if (object) {
            print_node(scan, child++, out);
            str_append_char(out, ':');
        }
        print_node(scan, child, out);
        child = scan->node[child].next;
    }
    str_append_char(out, object ? '}' : ']');
}

/* Whether json-c's value is the node's. */
static void check_same(const struct jscan *scan, uint32_t at, struct json_object *value)
{
    static const enum json_type TYPES[] = {json_type_null,   json_type_boolean, json_type_boolean, json_type_int,
                                           json_type_double, json_type_string,  json_type_array,   json_type_object};
    const struct jscan_node *node = &scan->node[at];
    size_t length;
    INVARIANT(json_object_is_type(value, TYPES[node->type]));
    if (node->type == JSCAN_TRUE || node->type == JSCAN_FALSE)
        INVARIANT(json_object_get_boolean(value) == (node->type == JSCAN_TRUE));
    if (node->type == JSCAN_INTEGER)
        INVARIANT(json_object_get_int64(value) == jscan_integer(scan, at));
    if (node->type == JSCAN_NUMBER)
        INVARIANT(isfinite(json_object_get_double(value)));
    if (node->type == JSCAN_STRING) {
        char *plain = plain_of(scan, at, &length);
        INVARIANT((size_t)json_object_get_string_len(value) == length);
        INVARIANT(memcmp(json_object_get_string(value), plain, length) == 0);
        free(plain);
    }
    if (node->type == JSCAN_ARRAY) {
        INVARIANT(json_object_array_length(value) == node->count);
        uint32_t child = at + 1;
        for (uint32_t i = 0; i < node->count; i++, child = scan->node[child].next)
            check_same(scan, child, json_object_array_get_idx(value, i));
    }
    if (node->type == JSCAN_OBJECT) {
        INVARIANT((uint32_t)json_object_object_length(value) == node->count);
        uint32_t child = at + 1;
        for (uint32_t i = 0; i < node->count; i++, child = scan->node[child + 1].next) {
            char *plain = plain_of(scan, child, &length);
            struct json_object *member = NULL;
            INVARIANT(json_object_object_get_ex(value, plain, &member));
            check_same(scan, child + 1, member);
            free(plain);
        }
    }
}

/* Scans it and prints it from the tape. */
static void print_text(const char *text, size_t length, struct str *out)
{
    struct jscan scan = JSCAN_INIT;
    INVARIANT(jscan_document(&scan, text, length, LIMITS) == JSCAN_OK);
    print_node(&scan, 0, out);
    INVARIANT(!out->overflow);
    jscan_free(&scan);
}

static void check_accepted(const struct jscan *scan, struct arena *arena)
{
    struct jsonio_refusal refusal;
    struct json_object *tree = NULL;
    struct str once = STR_INIT(16u << 20), twice = STR_INIT(16u << 20), other = STR_INIT(16u << 20);
    size_t length = 0;
    INVARIANT(scan->count > 0 && scan->node[0].next == scan->count);
    check_node(scan, 0);
    INVARIANT(jsonio_parse(arena, scan->text, scan->length, LIMITS, &tree, &refusal) == FAULT_NONE);
    check_same(scan, 0, tree);
    print_node(scan, 0, &once);
    print_text(once.data, once.length, &twice);
    INVARIANT(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    const char *printed = jsonio_print(arena, tree, &length);
    INVARIANT(printed != NULL);
    print_text(printed, length, &other);
    str_free(&once);
    str_free(&twice);
    str_free(&other);
}

static void check_refused(const struct jscan *scan, enum jscan_fault fault, struct arena *arena)
{
    struct jsonio_refusal refusal;
    struct json_object *tree = NULL;
    INVARIANT(fault != JSCAN_MEMORY && scan->fault_offset <= scan->length);
    INVARIANT(fault != JSCAN_TRUNCATED || scan->fault_offset == scan->length);
    INVARIANT(jsonio_parse(arena, scan->text, scan->length, LIMITS, &tree, &refusal) == FAULT_MALFORMED);
    INVARIANT(refusal.offset == scan->fault_offset && strcmp(refusal.reason, jscan_reason(fault)) == 0);
}

/* jscan_value() takes the value with which the text begins, and stops behind it. */
static void check_first(const char *text, size_t length, enum jscan_fault whole, size_t fault_offset)
{
    struct jscan scan = JSCAN_INIT;
    size_t used = 0;
    enum jscan_fault fault = jscan_value(&scan, text, length, LIMITS, &used);
    INVARIANT(fault == (whole == JSCAN_TRAILING ? JSCAN_OK : whole));
    if (fault == JSCAN_OK) {
        INVARIANT(used > 0 && used <= length && (whole == JSCAN_OK || used <= fault_offset));
        INVARIANT(fuzz_is_json(text, used, DEPTH));
    }
    jscan_free(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jscan scan; /* used again, as in a worker: nothing of the last text may show */
    static struct arena *arena;
    const char *text = (const char *)data;
    if (arena == NULL)
        arena = arena_new(8u << 20);
    arena_reset(arena);
    enum jscan_fault fault = jscan_document(&scan, text, size, LIMITS);
    INVARIANT((fault == JSCAN_OK) == fuzz_is_json(text, size, DEPTH));
    check_first(text, size, fault, scan.fault_offset);
    if (fault == JSCAN_OK)
        check_accepted(&scan, arena);
    else
        check_refused(&scan, fault, arena);
    arena_reset(arena);
    return 0;
}
