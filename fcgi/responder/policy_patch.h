/*
 * policy_patch: JSON Patch (RFC 6902) on the document of a merge policy. Caller: policies.
 *
 * All six operations. Paths lead to members of the document; "/identityGraph.type", as the reference writes it,
 * is "/identityGraph/type". The body is an array of operations or, as in the reference's sample, one alone; its
 * "true" and "false" as strings are taken for the two boolean members. id, imsOrgId, sandbox and updateEpoch
 * can be tested and not changed; what is written to version has no effect, as in a PUT. Whether the outcome is
 * a policy is checked like a PUT's body afterwards (policy_parse_document), not here.
 */
#ifndef CONSIGN_RESPONDER_POLICY_PATCH_H
#define CONSIGN_RESPONDER_POLICY_PATCH_H

#include "core/spec.h"
#include "lib/arena.h"
#include "lib/jsonio.h"

#define POLICY_PATCH_STEPS_MAX 100u
#define POLICY_PATCH_DEPTH_MAX 8 /* members from the document's root to the deepest place a path can name */

enum policy_op { POLICY_ADD, POLICY_REMOVE, POLICY_REPLACE, POLICY_MOVE, POLICY_COPY, POLICY_TEST };

struct policy_place {
    int count; /* 0: the whole document */
    const char *token[POLICY_PATCH_DEPTH_MAX]; /* unescaped */
};

struct policy_step {
    enum policy_op op;
    struct policy_place path;
    struct policy_place from;  /* of move and copy */
    struct json_object *value; /* of add, replace and test; NULL is JSON null; the patch's, never changed */
    const char *pointer;       /* of the operation in the body */
};

struct policy_patch {
    uint32_t count;
    struct policy_step *step;
};

/* Reads the body of a PATCH; all of *out lives in the arena. FAULT_MALFORMED with *refusal, or FAULT_MEMORY. */
enum fault policy_patch_read(struct arena *a, const char *body, size_t length, struct policy_patch *out,
                             struct spec_refusal *refusal) MUST_CHECK;

/* Applies it. *document, owned by the arena, changes or is replaced; after a fault it is of no use.
 * FAULT_MALFORMED when a place does not exist, FAULT_STATE when a test fails, both with *refusal; FAULT_MEMORY. */
enum fault policy_patch_apply(struct arena *a, const struct policy_patch *patch, struct json_object **document,
                              struct spec_refusal *refusal) MUST_CHECK;

#endif
