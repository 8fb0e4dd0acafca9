/*
 * policy: how the fragments of a profile become one (contract.md sections 5 and 6).
 *
 * The pool turns a client's merge policy into the stored text, the spooler reads that text into what the
 * export engine needs. One reader for both. Callers: responder/policies, spooler/runner.
 *
 * The stored text is the JSON object {"identityGraph":{"type":T},"attributeMerge":{"type":T,"order":[...]}}
 * with order only for dataSetPrecedence. A job whose policy is POLICY_BUILT_IN has none.
 */
#ifndef CONSIGN_CORE_POLICY_H
#define CONSIGN_CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/spec.h"
#include "lib/arena.h"
#include "lib/fault.h"

#define POLICY_BUILT_IN "timestampOrdered-none-mp" /* always exists, version 1, cannot be changed */
#define POLICY_CLASS "_xdm.context.profile"        /* the one class that policies are for */
#define POLICY_DATASETS_MAX 100u                   /* of an order */
#define POLICY_NAME_MAX 255u                       /* characters */

struct json_object;

struct policy {
    bool graph;                 /* identityGraph pdg: a profile per connected component; else per identity */
    bool precedence;            /* dataSetPrecedence; else timestampOrdered */
    const char *const *dataset; /* of dataSetPrecedence: ids (24 hex), the strongest first; in the arena */
    uint32_t datasets;
};

/* A client's merge policy, validated. All texts live in the arena. */
struct policy_request {
    const char *name;     /* NULL: none */
    const char *rules;    /* the stored text */
    const char *datasets; /* the order as text of a PostgreSQL array; NULL when the rules have none */
    bool active_on_edge;  /* kept and shown; there is no edge */
    bool is_default;
};

/* Reads the stored text; NULL is the built-in policy. FAULT_INTERNAL (logged) when it is not of the form above,
 * FAULT_MEMORY. */
enum fault policy_read(struct arena *a, const char *text, struct policy *out) MUST_CHECK;

/* Reads the body of POST and PUT. Members that are the service's (id, version, ...) or unknown are passed over,
 * and so is the order of a policy that is not dataSetPrecedence. Whether the datasets of an order exist is for
 * the database to say. FAULT_MALFORMED with *refusal filled, or FAULT_MEMORY. */
enum fault policy_parse_request(struct arena *a, const char *body, size_t length, struct policy_request *out,
                                struct spec_refusal *refusal) MUST_CHECK;

/* The same of a document that is parsed already: what a patch made. */
enum fault policy_parse_document(struct arena *a, struct json_object *document, struct policy_request *out,
                                 struct spec_refusal *refusal) MUST_CHECK;

#endif
