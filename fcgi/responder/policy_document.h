/*
 * policy_document: merge policies as clients see them, the built-in one among them. Callers: policies,
 * policy_list.
 */
#ifndef CONSIGN_RESPONDER_POLICY_DOCUMENT_H
#define CONSIGN_RESPONDER_POLICY_DOCUMENT_H

#include "core/policy.h"
#include "responder/call.h"

/* One version of a policy. Texts live in the arena of the call. */
struct policy_view {
    const char *id;
    const char *name; /* NULL: none */
    int64_t version;
    struct policy rules;
    bool active_on_edge;
    bool is_default;
    int64_t updated_ms;
};

/* All policies of the call's sandbox, the built-in one first, each in `version` (0: the newest), which those
 * that have no such version are left out for. An org has a handful at most, so this is what every read uses. */
enum fault policy_views_load(struct call *c, int64_t version, struct policy_view **views, int *count) MUST_CHECK;

/* The view of one row with the columns of enum policy_column. */
enum fault policy_view_read(struct call *c, const struct db_rows *rows, int row, struct policy_view *out) MUST_CHECK;

/* The one with that id, or NULL. */
const struct policy_view *policy_views_find(const struct policy_view *views, int count, const char *id);

/* The document of a policy. The tree is the caller's. NULL: no memory. */
struct json_object *policy_document(const struct call *c, const struct policy_view *view);

#endif
