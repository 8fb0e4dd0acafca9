/*
 * fuzz_schema: a document of the registry, and a record that is checked against it.
 *
 * The input is a document, and after a NUL byte a record. A document that is refused was no JSON, or has a pointer and a
 * rule; one that is taken has its members in order and within its bounds, and finds each by its name. A record is judged
 * the same every time; one that is refused has a reason that begins with a pointer; one without any member that the
 * document names is taken unless one is required.
 */
#include "fuzz.h"
#include "lib/arena.h"
#include "profile/record.h"
#include "profile/schema.h"

#define RECORD_LIMITS ((struct jscan_limits){.depth = RECORD_DEPTH, .bytes = 64u * 1024u})

static void check_refusal(const struct spec_refusal *refusal)
{
    INVARIANT(refusal->pointer != NULL && (*refusal->pointer == '\0' || *refusal->pointer == '/'));
    INVARIANT(fuzz_is_text(refusal->pointer, strlen(refusal->pointer)));
    INVARIANT(refusal->detail != NULL && *refusal->detail != '\0');
}

static int order(const struct schema_node *a, const struct schema_node *b)
{
    uint32_t least = a->name_length < b->name_length ? a->name_length : b->name_length;
    int found = memcmp(a->name, b->name, least);
    return found != 0 ? found : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

/* One definition: what is below it lies within the nodes, members in order of name. */
static void check_node(const struct schema *s, const struct schema_node *node)
{
    uint32_t required = 0;
    INVARIANT(node->member <= s->count && node->members <= s->count - node->member);
    INVARIANT(node->element < s->count && node->value < s->count && node->values <= SCHEMA_ENUM_MAX);
    for (uint32_t i = 0; i < node->members; i++) {
        const struct schema_node *member = &s->node[node->member + i];
        INVARIANT(member->name_length >= 1 && member->name_length <= SCHEMA_NAME_MAX);
        INVARIANT(fuzz_is_text(member->name, member->name_length));
        INVARIANT(i == 0 || order(member - 1, member) < 0);
        required += member->required;
        if (node == s->node && memchr(member->name, '.', member->name_length) == NULL)
            INVARIANT(schema_types_at(s, member->name, member->name_length) == member->types);
    }
    INVARIANT(required == node->required_members);
}

/* Whether the record has a member that the document names. */
static bool names_any(const struct schema *s, const struct jscan *scan)
{
    for (uint32_t name = 1; name < scan->node[0].next; name = scan->node[name + 1].next) {
        for (uint32_t i = 0; i < s->node[0].members; i++) {
            const struct schema_node *member = &s->node[s->node[0].member + i];
            if (jscan_string_equals(scan, name, member->name, member->name_length))
                return true;
        }
    }
    return false;
}

static void check_record(const struct schema *s, const char *text, size_t length)
{
    static struct jscan scan;
    uint32_t at[SCHEMA_IDENTITIES_MAX];
    char reason[RECORD_REASON_MAX] = "", again[RECORD_REASON_MAX] = "";
    if (jscan_document(&scan, text, length, RECORD_LIMITS) != JSCAN_OK || scan.node[0].type != JSCAN_OBJECT)
        return;
    bool taken = schema_check(s, &scan, at, reason, sizeof reason);
    INVARIANT(schema_check(s, &scan, at, again, sizeof again) == taken && strcmp(reason, again) == 0);
    if (taken) {
        for (uint32_t i = 0; i < s->identities; i++)
            INVARIANT(at[i] < scan.count && (at[i] == 0 || scan.node[at[i]].type != JSCAN_NULL));
        return;
    }
    INVARIANT(reason[0] == '/' && strlen(reason) < sizeof reason - 1);
    INVARIANT(fuzz_is_text(reason, strlen(reason)));
    INVARIANT(names_any(s, &scan) || s->node[0].required_members > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    const char *document = (const char *)data;
    const char *end = size == 0 ? NULL : memchr(document, '\0', size);
    size_t length = end == NULL ? size : (size_t)(end - document);
    const struct schema *schema = NULL;
    struct spec_refusal refusal = {NULL, NULL};
    static const char *const IDENTITIES[] = {NULL, "[{\"property\":\"/i\",\"namespace\":\"N\",\"primary\":true}]"};
    if (arena == NULL)
        arena = arena_new(SCHEMA_ARENA_BYTES);
    for (size_t i = 0; i < 2; i++) {
        arena_reset(arena);
        enum fault fault = schema_read(arena, document, length, IDENTITIES[i], &schema, &refusal);
        INVARIANT((fault == FAULT_NONE) == (schema != NULL));
        if (fault != FAULT_NONE) {
            INVARIANT(fault == FAULT_MALFORMED);
            check_refusal(&refusal);
            continue;
        }
        INVARIANT(fuzz_is_json(document, length, 2 * (int)SCHEMA_DEPTH_MAX + 16));
        INVARIANT(schema->count >= 1 && schema->count <= SCHEMA_NODES_MAX + 1 && schema->identities == i);
        for (uint32_t n = 0; n < schema->count; n++)
            check_node(schema, &schema->node[n]);
        if (end != NULL)
            check_record(schema, end + 1, size - length - 1);
    }
    arena_reset(arena);
    return 0;
}
