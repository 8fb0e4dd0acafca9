/*
 * spec: what an export request asks for (contract.md section 5).
 *
 * The pool turns a request body into a spec, refusing whatever breaks a rule with the JSON Pointer
 * (RFC 6901) of the member at fault. The job row keeps `fields`, `filter` and `additionalFields` as
 * the client gave them; the spooler makes its orders from these by spec_orders(). So there is one
 * reader of these members for both programs.
 */
#ifndef CONSIGN_CORE_SPEC_H
#define CONSIGN_CORE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

/* Where and why a request was refused. Texts live in the arena or are constants. */
struct spec_refusal {
    const char *pointer; /* RFC 6901; "" is the whole body */
    const char *detail;  /* the rule, in English */
};

/* A validated request. NULL: absent. All texts live in the arena. */
struct spec_request {
    const char *dataset;
    const char *policy;
    int policy_version;
    const char *fields;     /* as given */
    const char *filter;     /* JSON text of the object as given */
    const char *additional; /* JSON text of additionalFields as given */
};

/* What the export engine has to do. */
struct spec_orders {
    const char *fields;       /* "" for all */
    bool empty_profiles;      /* also profiles that have events only */
    bool events;              /* whether rows carry events at all */
    const char *event_fields; /* "" for all */
    int64_t events_after_ms;  /* only events ingested later than this; INT64_MIN: all */
    int64_t events_before_ms; /* only events ingested earlier than this; INT64_MAX: all */
};

/* Reads the body of POST /export/jobs, which jscan has accepted. FAULT_MALFORMED or
 * FAULT_NOT_SUPPORTED with *refusal filled, or FAULT_MEMORY. */
enum fault spec_parse_request(struct arena *a, const char *body, size_t length, struct spec_request *out,
                              struct spec_refusal *refusal) MUST_CHECK;

/* Makes the orders from the three stored members (NULL: absent). FAULT_INTERNAL when they are not
 * what spec_parse_request() accepts. */
enum fault spec_read_orders(struct arena *a, const char *fields, const char *filter, const char *additional,
                            struct spec_orders *out) MUST_CHECK;

/* Whether `text` (with a terminator) is a list of dot paths separated by commas as contract.md section 5 takes it.
 * Whatever passes here, and is as short as spec_parse_request() wants it, is accepted by projection_compile(). */
bool spec_fields_valid(const char *text, size_t length);

#endif
