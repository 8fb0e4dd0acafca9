/*
 * fuzz_collection: the body of a streaming request, read as one message and as a list.
 *
 * Whatever is taken is a span of the body that is one JSON object by a reader that shares nothing with jscan, within
 * the bound; whatever is refused has a place and a reason. An object that is no list of messages is one message or a
 * record, so a text that is taken as a list is taken as a record too.
 */
#include "fuzz.h"
#include "profile/record.h"
#include "responder/collection_envelope.c" /* the responder is no part of the archive */

#define MOST_BYTES 4096u
#define DEPTH ((int)(RECORD_DEPTH + ENVELOPE_DEPTH))

static void check(const struct collection_message *m, const char *body, size_t length)
{
    if (m->refusal.pointer != NULL) {
        INVARIANT(m->refusal.reason != NULL && m->refusal.reason[0] != '\0');
        return;
    }
    INVARIANT(m->record >= body && m->record + m->length <= body + length && m->length <= MOST_BYTES);
    INVARIANT(m->length >= 2 && m->record[0] == '{' && m->record[m->length - 1] == '}');
    INVARIANT(fuzz_is_json(m->record, m->length, DEPTH) && fuzz_is_text(m->record, m->length));
    INVARIANT((m->schema == NULL) == (m->schema_pointer == NULL));
    INVARIANT(m->schema == NULL || fuzz_is_text(m->schema, strlen(m->schema)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct collection_expected EXPECTED = {
        .dataset = "0123456789abcdef01234567", .ims_org_id = "One@AdobeOrg", .record_bytes = MOST_BYTES};
    static struct arena *arena;
    const char *body = (const char *)data;
    struct collection_message one, *list;
    struct collection_refusal refusal = {NULL, NULL};
    uint32_t count = 0;
    if (arena == NULL)
        arena = arena_new(8u << 20);
    arena_reset(arena);
    enum fault single = collection_read_one(arena, body, size, &EXPECTED, &one, &refusal);
    INVARIANT(single == FAULT_NONE || single == FAULT_MALFORMED);
    INVARIANT((single == FAULT_NONE) == (refusal.pointer == NULL));
    if (single == FAULT_NONE)
        check(&one, body, size);
    INVARIANT(single != FAULT_NONE || fuzz_is_json(body, size, DEPTH));

    refusal = (struct collection_refusal){NULL, NULL};
    enum fault several = collection_read_many(arena, body, size, &EXPECTED, &list, &count, &refusal);
    INVARIANT(several == FAULT_NONE || several == FAULT_MALFORMED);
    INVARIANT((several == FAULT_NONE) == (refusal.pointer == NULL));
    if (several == FAULT_NONE) {
        INVARIANT(count >= 1 && count <= COLLECTION_MESSAGES_MAX);
        for (uint32_t i = 0; i < count; i++)
            check(&list[i], body, size);
    }
    arena_reset(arena);
    return 0;
}
