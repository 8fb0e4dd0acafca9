/*
 * fault: everything that can go wrong, once.
 *
 * A fallible function returns an `enum fault`; the value is the decision of what happens next.
 * One table (fault.c) says for each: the HTTP status, the problem type and its title
 * (contract.md section 3), how loud to log it, and whether trying again can help. The table of
 * problem types in README.md is checked against it.
 */
#ifndef CONSIGN_LIB_FAULT_H
#define CONSIGN_LIB_FAULT_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum fault {
    FAULT_NONE = 0,

    /* the caller's */
    FAULT_MALFORMED,       /* a body, query or header that breaks a rule; detail and pointer say which */
    FAULT_NOT_SUPPORTED,   /* well-formed, but this version does not do it; refused rather than ignored */
    FAULT_POLICY,          /* a merge policy that is not there; the detail tells */
    FAULT_POLICY_VERSION,  /* a merge policy without that version; likewise */
    FAULT_WEBHOOK,         /* a webhook that is not there; the detail tells */
    FAULT_SANDBOX,         /* sandbox unknown, foreign or inactive: one answer for all three */
    FAULT_FORBIDDEN,       /* the client lacks the right the route needs */
    FAULT_NOT_FOUND,       /* no such thing, or not yours: one answer for both */
    FAULT_GONE,            /* it was there, and its retention is over */
    FAULT_NO_ROUTE,        /* no such path */
    FAULT_METHOD,          /* a path that exists, with another method */
    FAULT_STATE,           /* the thing is in a state that does not allow this */
    FAULT_BODY_TOO_LARGE,  /* longer than the route takes */
    FAULT_URI_TOO_LONG,    /* request line over the limit */
    FAULT_HEADERS_TOO_LARGE, /* header block over the limit */
    FAULT_MEDIA_TYPE,      /* a body of another type than the route reads */
    FAULT_KEY_REUSED,      /* idempotency key with another body */
    FAULT_PROFILE_BOUNDS,  /* a profile with too many identities, or too large to merge */
    FAULT_RANGE,           /* byte range outside the file */
    FAULT_TOO_MANY,        /* over a limit of requests or of live jobs */
    FAULT_QUOTA,           /* the org's room in the lake or the inbox is used up */
    FAULT_TIMEOUT_CLIENT,  /* the client sent too slowly */

    /* not the caller's */
    FAULT_DB_UNAVAILABLE,  /* database gone, read-only, without a right, out of connections or too slow */
    FAULT_DB_CONFLICT,     /* deadlock, serialization, lock timeout: the same call may work now */
    FAULT_DB_DUPLICATE,    /* unique key taken; a caller that made the key tries another */
    FAULT_DISK_FULL,       /* no space or no inodes left */
    FAULT_DISK,            /* any other failure of a read, write, sync or rename */
    FAULT_STORE,           /* the object store refuses what is asked (403, no such bucket): a human has to mend it */
    FAULT_OVERLOADED,      /* no worker free */
    FAULT_NOT_READY,       /* what the service needs is not there (/ready); the detail says what */
    FAULT_MEMORY,          /* an arena or a buffer is exhausted */
    FAULT_CANCELLED,       /* the job was cancelled; no error of anybody */
    FAULT_STOPPED,         /* this process is asked to stop; the work goes back untouched */
    FAULT_LEASE_LOST,      /* another attempt owns the work now */
    FAULT_CONNECTION_CUT,  /* the request ended before its announced length: there is nobody to answer */
    FAULT_INTERNAL,        /* a bug of ours */

    FAULT_COUNT
};

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct fault_row {
    const char *name;  /* for logs: "db_unavailable" */
    int status;        /* HTTP status */
    const char *slug;  /* /problems/<slug> */
    const char *title; /* the problem's title: the same for every occurrence */
    enum log_level level;
    bool retryable;    /* by us for a job, by the client for a request (Retry-After) */
};

/* The row of a fault. Never NULL. */
const struct fault_row *fault_row(enum fault fault);

#endif
