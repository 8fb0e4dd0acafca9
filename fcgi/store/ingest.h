/*
 * ingest: loads one uploaded batch into the profile store, whole or not at all.
 *
 * Reads the batch's files in order of their names, decodes them, cuts them into records, stages the good ones by
 * COPY and has consign.batch_load() take them; what members they have goes into the dataset's observed
 * schema; all in one transaction. Memory is bounded by the largest record and by what is kept of refused
 * ones, never by a file. Caller: the spooler's loader.
 */
#ifndef CONSIGN_STORE_INGEST_H
#define CONSIGN_STORE_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"

/* What to load and from where. All pointers are the caller's, good until ingest_load() returns. */
struct ingest_order {
    struct db *db; /* not in a transaction */
    struct arena *arena;
    int org;
    int sandbox;
    const char *batch;
    const char *dataset;
    const char *attempt;
    bool event;            /* the dataset's class */
    const char *inbox;     /* setting inbox.dir */
    size_t record_bytes;   /* setting ingest.record_bytes */
    int64_t errors_kept;   /* setting ingest.errors_kept */
    int64_t file_bytes;    /* setting ingest.file_bytes */
    bool (*stopped)(void *); /* asked between pieces of a file; true: there is a reason to end */
    void *stopped_arg;
};

/* What came of it. Figures are right after FAULT_NONE and FAULT_MALFORMED. */
struct ingest_result {
    int64_t started_ms;
    int64_t input;     /* records seen */
    int64_t failed;    /* of them refused */
    int64_t bytes;     /* of what was taken, as stored; after FAULT_NONE */
    struct str errors; /* JSON array for batch_error */
    struct str reason; /* after FAULT_MALFORMED: [{code, description}] */
};

/* FAULT_NONE: committed. FAULT_MALFORMED: a file that cannot be decoded or cut into records, or more bad
 * records than the batch takes; nothing was loaded, the caller fails the batch with result->errors and result->reason. FAULT_LEASE_LOST,
 * FAULT_STOPPED, FAULT_DISK (a file is missing or has another size than the pool noted), faults of
 * the database: nothing was loaded, but for FAULT_DB_UNAVAILABLE and FAULT_STOPPED, where the commit may
 * have happened: then the attempt does not own the batch any more. */
enum fault ingest_load(const struct ingest_order *order, struct ingest_result *result) MUST_CHECK;

void ingest_result_free(struct ingest_result *result);

#endif
