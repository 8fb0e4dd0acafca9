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
 * - `segmentMembership` is united likewise: {"<ns>":{"<segment>":{...}}}, entries of one segment merged as
 *   objects; anything that is no object in these three places takes no part.
 * - `identityMap` is united: of each namespace all entries, entries of equal `id` merged as objects.
 *   Only objects with a string `id`, in an array under a namespace, are entries; ingestion refuses
 *   anything else, and if it is there all the same it takes no part.
 * - With a projection, the selected paths and always `identityMap`. The path `identities` and those
 *   below it select from [{"id","namespace":{"code"},"primary"}], a view of the united identityMap
 *   in its order, left out when there is no identity. Without a projection there is no view. Ingestion
 *   refuses a stored member of that name; if it is there all the same it does not show beside the view,
 *   and without a projection it is a member like any other.
 *
 * Memory grows with the fragments of one profile up to the bounds below, and what an unusually large one took
 * is given back before the next. Whether a profile is too large depends on it and the projection only, never on
 * what was merged before it.
 */
#ifndef CONSIGN_PROFILE_MERGE_H
#define CONSIGN_PROFILE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/projection.h"
#include "lib/fault.h"
#include "lib/str.h"

#define MERGE_MAX_FRAGMENTS 4096u
#define MERGE_PROFILE_BYTES ((size_t)6 * 1024 * 1024) /* of a profile's fragments; a larger one is not merged */
#define MERGE_IDENTITIES_MAX 50u /* a profile with more is shown nowhere (contract.md section 6) */
#define MERGE_TAPE_BYTES ((size_t)12 * 1024 * 1024) /* of one profile; what a worker may take is bounded by it */
#define MERGE_MEMBERS_MAX 131072u /* that are merged or looked up side by side; each takes 32 bytes */
#define MERGE_VIEW_IDENTITIES 64u /* of more than this there is no view: more than any row may have */
#define MERGE_VIEW_BYTES ((size_t)2 * 1024 * 1024) /* of the text of `identities` */

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

/* Reads the fragments of one profile and unites its identities; what they say can be asked from then on, until the
 * next call. The bodies and the projection must stay where they are until then.
 * FAULT_MALFORMED: the profile is too large: more than MERGE_MAX_FRAGMENTS; tapes that would take more than
 * MERGE_TAPE_BYTES together; more than MERGE_MEMBERS_MAX of identities, of memberships, or, in several fragments, of
 * members outside arrays; or a view longer than MERGE_VIEW_BYTES. FAULT_INTERNAL: a body that is not an object or
 * breaks PROJECTION_LIMITS (logged). FAULT_MEMORY. After a fault the profile has nothing. */
enum fault merge_read(struct merge *merge, const struct merge_fragment *fragment, size_t count,
                      const struct projection *fields) MUST_CHECK;

/* Appends the profile read last to out as one object on one line, `{` first and `}` last; again and again if asked
 * to. No fragments give `{}`. One fragment under a projection of everything is passed on as it stands, but for
 * line breaks between tokens and for an identityMap or segmentMembership that uniting changes.
 * FAULT_MALFORMED: it has more than MERGE_VIEW_IDENTITIES and the projection selects the view. FAULT_MEMORY: out
 * overflowed or there is no memory. After a fault out's content is undefined. */
enum fault merge_write(struct merge *merge, struct str *out) MUST_CHECK;

/* Of the profile read last: how many different identities (namespace and id) it has. */
uint32_t merge_identity_count(const struct merge *merge);

/* What to look for in the united segmentMembership of the profile read last. */
struct merge_membership {
    const char *ns; /* plain UTF-8; NULL: any segment of any namespace */
    const char *id; /* read only with a namespace */
    unsigned statuses; /* enum spec_status bits that qualify */
    int64_t from_ms;   /* lastQualificationTime, both ends included; INT64_MIN and INT64_MAX: it may be absent */
    int64_t to_ms;
};

/* Whether the profile has such a membership; whatever the projection. `status` and `lastQualificationTime` are those
 * of the strongest fragment whose entry of that segment has the member at all: "realized", "existing" or "exited",
 * and an RFC 3339 date-time; anything else there qualifies for nothing. Makes no text; the first call for a
 * profile with many memberships makes an index. */
bool merge_has_membership(const struct merge *merge, const struct merge_membership *wanted);

/* Of the profile read last: its namespaces that hold an identity, each once, unescaped. Begin with
 * *cursor = 0; false after the last. *name is NUL-terminated and valid until the next merge. */
bool merge_next_namespace(const struct merge *merge, size_t *cursor, const char **name, size_t *length);

#endif
