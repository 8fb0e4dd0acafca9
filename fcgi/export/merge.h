/*
 * merge: one profile out of its fragments.
 *
 * The rules of contract.md section 6 for `timestampOrdered`, as a fold from the weakest fragment to
 * the strongest. Which fragments take part and in what order is the policy's business: they come
 * here in ascending precedence, oldest first. Caller: the export's runner.
 *
 * - Objects merge member by member. Anything else, arrays and null included, is replaced by the
 *   stronger value, also where the types differ: {"a":{"x":1}}, {"a":5}, {"a":{"y":2}} give
 *   {"a":{"y":2}}.
 * - Members keep the order in which they were first seen; names are compared after unescaping.
 * - `identityMap` is united: of each namespace all entries, entries of equal `id` merged as objects.
 *   Only objects with a string `id`, in an array under a namespace, are entries; ingestion refuses
 *   anything else, and if it is there all the same it takes no part.
 * - With a projection, the selected paths and always `identityMap`. The path `identities` and those
 *   below it select from [{"id","namespace":{"code"},"primary"}], a view of the united identityMap
 *   in its order, left out when there is no identity. Without a projection there is no view. Ingestion
 *   refuses a stored member of that name; if it is there all the same it does not show beside the view,
 *   and without a projection it is a member like any other.
 *
 * Memory grows with the fragments of one profile, and what an unusually large one took is given
 * back before the next.
 */
#ifndef CONSIGN_EXPORT_MERGE_H
#define CONSIGN_EXPORT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/projection.h"
#include "lib/fault.h"
#include "lib/str.h"

#define MERGE_MAX_FRAGMENTS 4096u

/* One JSON object text that ingestion has accepted. */
struct merge_fragment {
    const char *body;
    size_t length;
};

/* Working memory, kept from profile to profile. */
struct merge;

/* NULL when there is no memory. Released with merge_free(); NULL is fine there. */
struct merge *merge_new(void);
void merge_free(struct merge *merge);

/* Appends the merged profile to out as one object on one line, `{` first and `}` last, so that a
 * caller may drop the last byte and go on with further members. No fragments give `{}`. One
 * fragment under a projection of everything is passed on as it stands, but for line breaks between
 * tokens and for entries of its identityMap that need uniting.
 * FAULT_MALFORMED: more than MERGE_MAX_FRAGMENTS. FAULT_INTERNAL: a body that is not an object or
 * breaks PROJECTION_LIMITS (logged). FAULT_MEMORY: out overflowed or there is no memory. After a
 * fault out's content is undefined. */
enum fault merge_profile(struct merge *merge, const struct merge_fragment *fragment, size_t count,
                         const struct projection *fields, struct str *out) MUST_CHECK;

/* Of the profile merged last: how many different identities (namespace and id) it has. */
uint32_t merge_identity_count(const struct merge *merge);

/* Of the profile merged last: its namespaces that hold an identity, each once, unescaped. Begin with
 * *cursor = 0; false after the last. *name is NUL-terminated and valid until the next merge. */
bool merge_next_namespace(const struct merge *merge, size_t *cursor, const char **name, size_t *length);

#endif
