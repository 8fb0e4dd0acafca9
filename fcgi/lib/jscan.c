/*
 * jscan: the structure of a JSON text. See jscan.h.
 *
 * One loop over values, no recursion. The open containers form a chain through the tape itself:
 * while a container is open, its `next` holds the index of the one around it, so the stack costs
 * nothing and is exactly as deep as the limit allows. Strings, numbers and the duplicate check
 * have their own files.
 *
 * The functions that see every value are inline: the walk then lives in registers.
 */
#include "lib/jscan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/jscan_internal.h"
#include "lib/jscan_skip.h"

#define FIRST_CAPACITY 256u
#define NO_CONTAINER UINT32_MAX

struct walk {
    struct jscan *scan;
    const unsigned char *text;
    const unsigned char *end;
    uint32_t open; /* innermost open container, or NO_CONTAINER */
    uint32_t depth;
    uint32_t max_depth;
    uint32_t max_nodes;
    struct jscan_stop stop;
};

/* Everything below takes a place in the text and returns the place after what it read, or NULL
 * with the fault in w->stop: the place then stays in a register from value to value. */

static const unsigned char *refuse(struct walk *w, const unsigned char *at, enum jscan_fault fault)
{
    w->stop = (struct jscan_stop){fault, at};
    return NULL;
}

/* A byte that the grammar does not allow at `at`, which may be the end. */
static const unsigned char *refuse_byte(struct walk *w, const unsigned char *at)
{
    return refuse(w, at, at == w->end ? JSCAN_TRUNCATED : JSCAN_SYNTAX);
}

/* After a tape_push() that gave nothing. */
static const unsigned char *refuse_node(struct walk *w, const unsigned char *at)
{
    return refuse(w, at, w->scan->count >= w->max_nodes ? JSCAN_TOO_MANY : JSCAN_MEMORY);
}

static bool tape_grow(struct walk *w)
{
    struct jscan *scan = w->scan;
    /* A node stands for at least one byte of text, so the count cannot pass UINT32_MAX. */
    size_t capacity = scan->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : (size_t)scan->capacity * 2;
    if (capacity > w->max_nodes)
        capacity = w->max_nodes;
    if (capacity <= scan->count)
        return false;
    struct jscan_node *node = realloc(scan->node, capacity * sizeof *node);
    if (node == NULL)
        return false;
    scan->node = node;
    scan->capacity = (uint32_t)capacity;
    return true;
}

static inline struct jscan_node *tape_push(struct walk *w, enum jscan_type type, const unsigned char *begin)
{
    struct jscan *scan = w->scan;
    if (scan->count == scan->capacity && !tape_grow(w))
        return NULL;
    struct jscan_node *node = &scan->node[scan->count++];
    node->begin = (uint32_t)(begin - w->text);
    node->end = node->begin;
    node->next = scan->count;
    node->count = 0;
    node->type = (uint8_t)type;
    node->escaped = 0;
    return node;
}

/* The string whose opening quote is at `p`. */
static inline const unsigned char *read_string(struct walk *w, const unsigned char *p)
{
    struct jscan_node *node = tape_push(w, JSCAN_STRING, p + 1);
    if (node == NULL)
        return refuse_node(w, p);
    p = jscan_skip_plain(p + 1, w->end);
    if (p == w->end || *p != '"') {
        p = jscan_string_rest(p, w->end, &node->escaped, &w->stop);
        if (p == NULL)
            return NULL;
    }
    node->end = (uint32_t)(p - w->text);
    return p + 1;
}

static inline const unsigned char *read_number(struct walk *w, const unsigned char *p)
{
    struct jscan_node *node = tape_push(w, JSCAN_INTEGER, p);
    if (node == NULL)
        return refuse_node(w, p);
    enum jscan_type type = JSCAN_INTEGER;
    p = jscan_number_read(p, w->end, &type, &w->stop);
    if (p == NULL)
        return NULL;
    node->type = (uint8_t)type;
    node->end = (uint32_t)(p - w->text);
    return p;
}

static const unsigned char *read_literal(struct walk *w, const unsigned char *p, enum jscan_type type, const char *word,
                                         size_t length)
{
    struct jscan_node *node = tape_push(w, type, p);
    if (node == NULL)
        return refuse_node(w, p);
    for (size_t i = 1; i < length; i++)
        if (p + i == w->end || p[i] != (unsigned char)word[i])
            return refuse_byte(w, p + i);
    p += length;
    node->end = (uint32_t)(p - w->text);
    return p;
}

/* A member's name and colon. */
static inline const unsigned char *read_name(struct walk *w, const unsigned char *p)
{
    p = jscan_skip_space(p, w->end);
    if (p == w->end || *p != '"')
        return refuse_byte(w, p);
    p = read_string(w, p);
    if (p == NULL)
        return NULL;
    p = jscan_skip_space(p, w->end);
    if (p == w->end || *p != ':')
        return refuse_byte(w, p);
    return p + 1;
}

static inline const unsigned char *open_container(struct walk *w, const unsigned char *p, enum jscan_type type)
{
    if (w->depth == w->max_depth)
        return refuse(w, p, JSCAN_DEPTH);
    struct jscan_node *node = tape_push(w, type, p);
    if (node == NULL)
        return refuse_node(w, p);
    node->next = w->open;
    w->open = w->scan->count - 1;
    w->depth++;
    return p + 1;
}

/* Ends the innermost container with the bracket at `p`. */
static inline const unsigned char *close_container(struct walk *w, const unsigned char *p)
{
    struct jscan *scan = w->scan;
    struct jscan_node *node = &scan->node[w->open];
    uint32_t container = w->open;

    p++;
    w->depth--;
    w->open = node->next;
    node->next = scan->count;
    node->end = (uint32_t)(p - w->text);
    if (node->type == JSCAN_OBJECT && node->count > 1) {
        uint32_t second = 0;
        enum jscan_fault fault = jscan_unique_check(scan, container, &second);
        if (fault != JSCAN_OK)
            return refuse(w, w->text + scan->node[second].begin - 1, fault);
    }
    return p;
}

/* The value at `p`: a scalar whole, of a container only its opening bracket. */
static inline const unsigned char *read_value(struct walk *w, const unsigned char *p)
{
    switch (*p) {
    case '"':
        return read_string(w, p);
    case '{':
        return open_container(w, p, JSCAN_OBJECT);
    case '[':
        return open_container(w, p, JSCAN_ARRAY);
    case 't':
        return read_literal(w, p, JSCAN_TRUE, "true", 4);
    case 'f':
        return read_literal(w, p, JSCAN_FALSE, "false", 5);
    case 'n':
        return read_literal(w, p, JSCAN_NULL, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(w, p);
    default:
        return refuse_byte(w, p);
    }
}

/* Goes on after a value, or after an opening bracket: closes what ends here and stops before the
 * next value, or after the outermost one with no container open. */
static inline const unsigned char *step_to_value(struct walk *w, const unsigned char *p, bool opened)
{
    while (w->open != NO_CONTAINER) {
        struct jscan_node *node = &w->scan->node[w->open];
        bool object = node->type == JSCAN_OBJECT;
        p = jscan_skip_space(p, w->end);
        if (p == w->end)
            return refuse(w, p, JSCAN_TRUNCATED);
        if (*p == (object ? '}' : ']')) {
            p = close_container(w, p);
            if (p == NULL)
                return NULL;
            opened = false;
            continue;
        }
        if (!opened) {
            if (*p != ',')
                return refuse(w, p, JSCAN_SYNTAX);
            p++;
        }
        node->count++;
        return object ? read_name(w, p) : p;
    }
    return p;
}

static const unsigned char *read_tree(struct walk *w, const unsigned char *p)
{
    do {
        p = jscan_skip_space(p, w->end);
        if (p == w->end)
            return refuse(w, p, JSCAN_TRUNCATED);
        uint32_t depth = w->depth;
        p = read_value(w, p);
        if (p != NULL)
            p = step_to_value(w, p, w->depth > depth);
        if (p == NULL)
            return NULL;
    } while (w->open != NO_CONTAINER);
    return p;
}

enum jscan_fault jscan_value(struct jscan *scan, const char *text, size_t length, struct jscan_limits limits,
                             size_t *used)
{
    size_t most = limits.bytes < UINT32_MAX ? limits.bytes : UINT32_MAX - 1;
    scan->text = text;
    scan->length = length;
    scan->count = 0;
    scan->fault_offset = 0;
    *used = 0;
    if (length > most) {
        scan->fault_offset = most;
        return JSCAN_TOO_LONG;
    }
    if (length == 0)
        return JSCAN_EMPTY;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return JSCAN_BOM;

    const unsigned char *bytes = (const unsigned char *)text;
    const unsigned char *begin = jscan_skip_space(bytes, bytes + length);
    struct walk w = {.scan = scan,
                     .text = bytes,
                     .end = bytes + length,
                     .open = NO_CONTAINER,
                     .max_depth = limits.depth,
                     .max_nodes = limits.nodes == 0 ? UINT32_MAX : limits.nodes};
    if (begin == w.end) {
        scan->fault_offset = length;
        return JSCAN_EMPTY;
    }
    const unsigned char *after = read_tree(&w, begin);
    if (after == NULL) {
        scan->fault_offset = (size_t)(w.stop.at - bytes);
        return w.stop.fault;
    }
    *used = (size_t)(after - bytes);
    return scan->count > w.max_nodes ? JSCAN_TOO_MANY : JSCAN_OK; /* the tape may have been long from before */
}

enum jscan_fault jscan_document(struct jscan *scan, const char *text, size_t length, struct jscan_limits limits)
{
    size_t used;
    enum jscan_fault fault = jscan_value(scan, text, length, limits, &used);
    if (fault != JSCAN_OK)
        return fault;
    const unsigned char *bytes = (const unsigned char *)text;
    const unsigned char *after = jscan_skip_space(bytes + used, bytes + length);
    if (after == bytes + length)
        return JSCAN_OK;
    scan->fault_offset = (size_t)(after - bytes);
    return JSCAN_TRAILING;
}

void jscan_trim(struct jscan *scan)
{
    free(scan->scratch);
    scan->scratch = NULL;
    scan->scratch_size = 0;
    if (scan->count == 0 || scan->count == scan->capacity)
        return;
    struct jscan_node *node = realloc(scan->node, scan->count * sizeof *node);
    if (node == NULL)
        return;
    scan->node = node;
    scan->capacity = scan->count;
}

void jscan_free(struct jscan *scan)
{
    free(scan->node);
    free(scan->scratch);
    *scan = JSCAN_INIT;
}
