/*
 * stmt_copy: the statements that cannot have parameters: how an export reads the store.
 *
 * SECURITY: COPY and SET take no parameters. What varies in their texts is integers, written by printf, and
 * ids and snapshot names that were checked to be hex digits and dashes, so no input can add SQL.
 * Caller: export/reader.
 */
#ifndef CONSIGN_CORE_STMT_COPY_H
#define CONSIGN_CORE_STMT_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/policy.h"
#include "lib/fault.h"
#include "lib/str.h"

#define STMT_COPY_BYTES 16384u /* bound of the strs that the functions below append to */

/* Which rows of a tenant, and in what order. */
struct stmt_copy {
    int org;
    int sandbox;
    int64_t person_from; /* this one included */
    int64_t person_to;   /* this one not */
    const struct policy *policy;
    bool bare;               /* events: also what is needed for profiles without records */
    int64_t events_after_ms; /* events: only those ingested later than this */
    int64_t events_before_ms; /* and earlier than this */
};

/* COPY of the fragments that take part: person, identity, ingested_ms, body. By person, and unless the policy
 * follows the graph by identity; then from the weakest to the strongest (contract.md section 6).
 * FAULT_INTERNAL when a dataset of the policy is no id. */
enum fault stmt_copy_fragments(const struct stmt_copy *copy, struct str *out) MUST_CHECK;

/* COPY of the events: person, identity, ingested_ms, bare, body. By person, and unless the policy follows the graph
 * by identity; then by time and id. `bare` is NULL, or with copy->bare and for the first event of a person or
 * identity the profile it would have without records: {"identityMap":{...}}. More than 50 identities are
 * not all named in it, but 51. */
void stmt_copy_events(const struct stmt_copy *copy, struct str *out);

/* SET TRANSACTION SNAPSHOT. FAULT_INTERNAL when `snapshot` is not of the form that the server gives. */
enum fault stmt_use_snapshot(const char *snapshot, struct str *out) MUST_CHECK;

#endif
