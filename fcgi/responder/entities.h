/*
 * entities: looking into the profile store (contract.md section 1, /access/entities).
 *
 * What the files of entities share. entities_query reads queries, entities_body bodies, entities_names the names of
 * profiles in both; entities_profile answers merged profiles, entities_events pages of events. Nothing else
 * includes this.
 *
 * SECURITY: which profile was asked for is personal. It goes into no log line: no detail of a refusal holds it.
 */
#ifndef CONSIGN_RESPONDER_ENTITIES_H
#define CONSIGN_RESPONDER_ENTITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy.h"
#include "lib/str.h"
#include "profile/projection.h"
#include "responder/call.h"
#include "responder/query.h"

#define ENTITY_PROFILE_CLASS POLICY_CLASS
#define ENTITY_EVENT_CLASS "_xdm.context.experienceevent"

#define ENTITY_NAMES_MAX 100u                            /* profiles of one POST */
#define ENTITY_ANSWER_BYTES ((size_t)2 * 1024 * 1024)    /* of a POST */
#define ENTITY_PROFILE_BYTES ((size_t)8 * 1024 * 1024)   /* of a GET: the largest profile that is merged fits */
#define ENTITY_PAGE_BYTES ((size_t)2 * 1024 * 1024)      /* of the bodies on a page, save that one always fits */
#define ENTITY_PAGES_BYTES ((size_t)6 * 1024 * 1024)     /* of the bodies on all pages of a POST */

#define ENTITY_NAMES_BYTES ((size_t)2 * 1024 * 1024)     /* of all names as a JSON text: no longer than a body */

#define ENTITY_LIMIT_DEFAULT 100
#define ENTITY_LIMIT_MOST 1000

/* An identity that names a profile. */
struct entity_name {
    const char *ns;
    const char *id;
};

/* Where a page of events begins: `skip` events behind the first that is not before (time, event). */
struct entity_cursor {
    const char *text; /* as clients see it; NULL: at the beginning */
    int64_t time_ms;
    const char *event;
    int64_t skip;
};

/* A validated request. Texts live in the arena. */
struct entity_request {
    bool events;
    bool many;          /* a POST: the answer is a map of what was found */
    const char *policy; /* NULL: the sandbox's default */
    const char *fields; /* compiled already */
    struct projection *projection;
    struct entity_name *name;
    uint32_t names;
    /* of events */
    int64_t from_ms; /* both included; INT64_MIN and INT64_MAX: no bound */
    int64_t to_ms;
    int64_t limit;
    bool descending;
    struct entity_cursor after;
};

/* No profile named yet, no bounds. */
#define ENTITY_REQUEST_ALL                                                                                             \
    (struct entity_request){.fields = "", .from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = ENTITY_LIMIT_DEFAULT}

/* Reads the query of a GET. FAULT_MALFORMED with what the client is told, FAULT_MEMORY. */
enum fault entity_read_query(struct call *c, struct entity_request *out) MUST_CHECK;

/* Reads the query of a DELETE: the name of one profile. */
enum fault entity_read_removal(struct call *c, struct entity_name *out) MUST_CHECK;

/* Reads the body of a POST. */
enum fault entity_read_body(struct call *c, struct entity_request *out) MUST_CHECK;

/* Why an identity's namespace or id can be none (profile/record.h); NULL: it can. */
const char *entity_ns_rule(const char *ns);
const char *entity_id_rule(const char *id);

/* The names as entity_fragments and entity_events (SQL) take them. NULL: no memory. */
const char *entity_names_text(struct call *c, const struct entity_request *r);

/* Reads [+|-]timestamp. A plus in a query is a blank. */
bool entity_read_order(const char *text, bool *descending) __attribute__((warn_unused_result));

/* Compiles r->fields. *rule: why it is refused, with FAULT_MALFORMED. The projection goes with the arena. */
enum fault entity_compile(struct call *c, struct entity_request *r, const char **rule) MUST_CHECK;

/* A buffer that goes with the arena. NULL: no memory. */
struct str *entity_buffer(struct call *c, size_t bound);

/* What the client is told of a merge policy that is not there; other faults pass through. */
enum fault entity_policy_refusal(struct call *c, const struct entity_request *r, enum fault fault);

/* Answers merged profiles, by id; a GET of one that is not there is FAULT_NOT_FOUND. FAULT_PROFILE_BOUNDS. */
enum fault entity_answer_profiles(struct call *c, const struct entity_request *r) MUST_CHECK;

/* Answers a page of events for each profile. */
enum fault entity_answer_events(struct call *c, const struct entity_request *r) MUST_CHECK;

/* A cursor as text; NULL: no memory. The text has only characters that need no escape anywhere. */
const char *entity_cursor_print(struct call *c, int64_t time_ms, int64_t skip, const char *event);

/* Reads one. */
bool entity_cursor_read(struct call *c, const char *text, struct entity_cursor *out)
    __attribute__((warn_unused_result));

/* A decimal number with or without a minus, within +-(2^53-1). */
bool entity_read_number(const char *text, int64_t *out) __attribute__((warn_unused_result));

#endif
