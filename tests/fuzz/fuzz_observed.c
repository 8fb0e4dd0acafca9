/*
 * fuzz_observed: records observed, one after the other, and stored texts read back.
 *
 * The input is texts that end with a NUL byte. Each is added when it is a record and read as a stored text
 * when it isn't one. At the end what is written must read back as itself, within the bounds.
 */
#include <stdlib.h>

#include "core/observed.h"
#include "fuzz.h"

#define MOST_BYTES (64u * 1024u)
#define TEXT_BYTES (64u * 1024u * 1024u)

/* Checks what a node is made of; answers how many nodes it and all below it are. */
static uint32_t check_node(const struct observed *o, uint32_t at)
{
    const struct observed_node *node = &o->node[at];
    uint32_t below = 1, members = 0;
    INVARIANT(at < o->count && strlen(node->name) == node->name_length && node->name_length <= OBSERVED_NAME_MAX);
    INVARIANT(!node->open || (node->member == 0 && node->element == 0 && node->value == 0));
    INVARIANT(node->member == 0 || node->value == 0);
    for (uint32_t member = node->member; member != 0; member = o->node[member].next) {
        below += check_node(o, member);
        members++;
    }
    INVARIANT(members <= OBSERVED_MEMBERS_MAX);
    if (node->element != 0)
        below += check_node(o, node->element);
    if (node->value != 0)
        below += check_node(o, node->value);
    return below;
}

/* Takes one text. False: it was neither a record nor a stored text, and the schema is of no use. */
static bool take(struct observed *o, struct jscan *scan, const char *text, size_t length)
{
    const struct jscan_limits limits = {.depth = 64, .bytes = MOST_BYTES};
    if (length > 0 && text[0] != '!') {
        if (jscan_document(scan, text, length, limits) == JSCAN_OK && scan->node[0].type == JSCAN_OBJECT)
            INVARIANT(observed_add(o, scan));
        return true;
    }
    return observed_merge_text(o, text + (length > 0), length - (length > 0)) == FAULT_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jscan scan;
    struct observed *o = observed_new(), *again = observed_new();
    struct str first = STR_INIT(TEXT_BYTES), second = STR_INIT(TEXT_BYTES);
    char *input = malloc(size + 1);
    bool good = true;
    INVARIANT(o != NULL && again != NULL && input != NULL);
    memcpy(input, data, size);
    input[size] = '\0';
    char *at = input, *text;
    while (good && (text = fuzz_next(&at, input + size)) != NULL)
        good = take(o, &scan, text, strlen(text));
    if (good) {
        INVARIANT(check_node(o, 0) <= OBSERVED_NODES_MAX);
        observed_write(o, &first);
        INVARIANT(!first.overflow && observed_merge_text(again, first.data, first.length) == FAULT_NONE);
        observed_write(again, &second);
        INVARIANT(second.length == first.length && memcmp(second.data, first.data, first.length) == 0);
        INVARIANT(check_node(again, 0) == check_node(o, 0));
    }
    str_free(&first);
    str_free(&second);
    observed_free(o);
    observed_free(again);
    free(input);
    return 0;
}
