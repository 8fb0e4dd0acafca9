/*
 * spec: what an export request asks for (contract.md section 5).
 *
 * The pool turns a request body into a spec, refusing whatever breaks a rule with the JSON Pointer
 * (RFC 6901) of the member at fault. The job row keeps `fields`, `filter` and `additionalFields` as
 * the client gave them; the spooler makes its orders from these by spec_read_orders(). So there is one
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
    const char *policy;     /* NULL: the sandbox's default */
    int policy_version;     /* 0: the newest */
    const char *fields;     /* as given */
    const char *filter;     /* JSON text of the object as given */
    const char *additional; /* JSON text of additionalFields as given */
    const char *webhook;    /* which endpoint is told of its end; NULL: the dataset's */
    bool segment_per_batch; /* one batch for each of `segment`, in this order */
    const struct spec_segment *segment; /* of filter.segments */
    uint32_t segments;
};

/* A profile's state in a segment: bits of a set. */
enum spec_status { SPEC_REALIZED = 1, SPEC_EXISTING = 2, SPEC_EXITED = 4 };

struct spec_segment {
    const char *ns;
    const char *id;
    unsigned statuses; /* which of enum spec_status qualify */
};

#define SPEC_SEGMENT_MAX 1000u       /* segments of a filter */
#define SPEC_SEGMENT_BATCHES_MAX 50u /* with segmentPerBatch */
#define SPEC_SEGMENT_BYTES 255u      /* of a segmentId and a segmentNs */

/* What the export engine has to do. */
struct spec_orders {
    const char *fields;       /* "" for all */
    bool empty_profiles;      /* also profiles that have events only */
    bool events;              /* whether rows carry events at all */
    const char *event_fields; /* "" for all */
    int64_t events_after_ms;  /* only events ingested later than this; INT64_MIN: all */
    int64_t events_before_ms; /* only events ingested earlier than this; INT64_MAX: all */
    int64_t updated_after_ms; /* filter.fromIngestTimestamp: only profiles updated later; INT64_MIN: all.
                                 events_after_ms is not below it */
    bool qualified;           /* only profiles that a segment qualifies: `segment`, or any when there are none */
    const struct spec_segment *segment; /* filter.segments; in the arena */
    uint32_t segments;
    int64_t qualified_from_ms; /* lastQualificationTime, both ends included; INT64_MIN, INT64_MAX: no bound */
    int64_t qualified_to_ms;
};

/* Reads the body of POST /export/jobs, which jscan has accepted. FAULT_MALFORMED
 * with *refusal filled, or FAULT_MEMORY. */
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
