/*
 * call: a request on its way through the pipeline, and what handlers work with.
 */
#ifndef CONSIGN_RESPONDER_CALL_H
#define CONSIGN_RESPONDER_CALL_H

#include "core/scope.h"
#include "core/keys.h"
#include "core/token_cache.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"
#include "responder/audit.h"
#include "responder/concurrency.h"
#include "responder/reply.h"
#include "responder/request.h"
#include "responder/org_rate.h"
#include "responder/suspect.h"

#define CALL_SEGMENTS_MAX 3 /* most variable segments in a path */

struct figures;
struct route;
struct store_figures;
struct traffic;

/* Workers that may hold a request open for a status change (?wait=) at the same time. Shared memory. */
struct call_waiting {
    int most;
    volatile int slot_waits[]; /* one a worker */
};

/* What a worker has for all its requests. */
struct call_worker {
    int slot;
    int workers;
    struct request_listener *listener;
    struct db *db;
    const struct keys *keys;    /* that our token endpoint signs with */
    const struct issuer *own;   /* our token endpoint as an issuer */
    struct issuers *issuers;    /* own and others; this worker's copy, read again when files change */
    struct token_cache *cache;  /* shared memory */
    const struct scope_cache *scopes; /* shared memory */
    struct call_waiting *waiting;
    struct concurrency *concurrency; /* shared memory */
    struct org_rate *org_rate; /* shared memory */
    struct suspect *suspect; /* shared memory */
    struct figures *figures; /* what the pool does; shared memory */
    struct traffic *traffic; /* what it has done; shared memory */
    struct store_figures *store; /* what the spoolers do and have done; shared memory */
    struct merge *merge; /* working memory of look-ups; holds nothing between requests */
    struct str text;     /* see call_text() */
    int64_t queue_empty_ms; /* when no request was waiting for a worker, last; by the monotonic clock */
};

struct call {
    struct call_worker *worker;
    struct arena *arena;
    struct request request;
    const struct route *route;
    const char *segment[CALL_SEGMENTS_MAX]; /* the path's variable parts, decoded */
    struct scope scope;
    int64_t queued_ms; /* how long it waited for this worker */
    bool over;         /* more than its tenant may ask for: it is refused, and slowly */
    int64_t held_us;   /* how long ?wait= held it: no time that it took */
    const char *body; /* read and complete, for routes that take JSON or a form */
    size_t body_length;
    struct reply reply;
    const char *detail;  /* of the fault, for the client; NULL: the fault's title */
    const char *pointer; /* RFC 6901 of the member at fault, or NULL */
    struct audit_note audit; /* a handler that makes something names it here */
};

/* Runs a tenant's statement: org and sandbox go first, then `params` (count of them). */
enum fault call_db(struct call *c, const struct stmt *stmt, const char *const *params, int count,
                   struct db_rows *rows) MUST_CHECK;

/* Notes what the client is told, and returns the fault. */
enum fault call_refuse(struct call *c, enum fault fault, const char *pointer, const char *detail);

/* Parses the body as a JSON object in strict form. FAULT_MALFORMED with the offset in the detail. */
enum fault call_body_object(struct call *c, struct json_object **out) MUST_CHECK;

/* The worker's buffer, empty, for at most `bound` bytes of a reply; its memory serves many requests. One a request. */
struct str *call_text(struct call *c, size_t bound);

/* Answers 200 with the JSON text in it. FAULT_MEMORY when it did not fit. */
enum fault call_answer_text(struct call *c, const struct str *text) MUST_CHECK;

/* The public URL followed by `path`, in the arena. */
const char *call_link(struct call *c, const char *path);

/* What kind of sandbox clients are told that it is: "production" is the one of the name prod. */
const char *call_sandbox_type(const char *sandbox);

/* The digests of the Idempotency-Key header and of the body; *key is NULL without the header.
 * FAULT_MALFORMED when the header is not 1 to 255 printable ASCII characters. */
enum fault call_idempotency(struct call *c, const char **key, const char **body) MUST_CHECK;

/* What the client is told when its key belongs to another body; other faults pass through. */
enum fault call_key_refusal(struct call *c, enum fault fault);

#endif
