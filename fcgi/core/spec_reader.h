/*
 * spec_reader: typed members of an export request, each with the pointer that a refusal names.
 *
 * Private to core/spec*.c. A reader stops at the first refusal. Texts that it gives live in the arena.
 */
#ifndef CONSIGN_CORE_SPEC_READER_H
#define CONSIGN_CORE_SPEC_READER_H

#include "core/spec.h"
#include "lib/jsonio.h"

struct spec_reader {
    struct arena *arena;
    struct spec_refusal *refusal;
};

/* No bound, all fields, no events. */
#define SPEC_ORDERS_ALL                                                                                                \
    (struct spec_orders){.fields = "",                                                                                 \
                         .event_fields = "",                                                                           \
                         .events_after_ms = INT64_MIN,                                                                 \
                         .events_before_ms = INT64_MAX,                                                                \
                         .updated_after_ms = INT64_MIN,                                                                \
                         .qualified_from_ms = INT64_MIN,                                                               \
                         .qualified_to_ms = INT64_MAX}

/* Notes a broken rule. Always FAULT_MALFORMED. */
enum fault spec_malformed(struct spec_reader *r, const char *pointer, const char *detail) MUST_CHECK;

/* The member of that type in *out, or NULL when absent. A null or another type is refused. */
enum fault spec_member(struct spec_reader *r, struct json_object *parent, const char *name, enum json_type type,
                       const char *pointer, struct json_object **out) MUST_CHECK;

/* A boolean; false when absent. */
enum fault spec_flag(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                     bool *out) MUST_CHECK;

/* A list of dot paths; *out is left alone when absent. */
enum fault spec_fields(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                       const char **out) MUST_CHECK;

/* A date-time of RFC 3339; *out is left alone when absent. */
enum fault spec_moment(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                       int64_t *out) MUST_CHECK;

/* A string of 1 to 255 bytes without control characters (an id, a namespace); *out is left alone when absent. */
enum fault spec_name(struct spec_reader *r, struct json_object *parent, const char *name, const char *pointer,
                     const char **out) MUST_CHECK;

/* Reads `filter`, the value of that member or NULL, into *orders. */
enum fault spec_filter(struct spec_reader *r, struct json_object *filter, struct spec_orders *orders) MUST_CHECK;

/* Reads `additional`, the value of additionalFields or NULL, into *orders. */
enum fault spec_additional(struct spec_reader *r, struct json_object *additional,
                           struct spec_orders *orders) MUST_CHECK;

#endif
