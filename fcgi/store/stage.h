/*
 * stage: records on their way into the staging table, in COPY's binary format.
 *
 * Caller: store/ingest. The format is that of "COPY" in the PostgreSQL documentation.
 */
#ifndef CONSIGN_STORE_STAGE_H
#define CONSIGN_STORE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"
#include "profile/record.h"

struct stage {
    struct db *db; /* in a transaction; the caller's */
    int64_t rows;
    struct str buffer; /* what was not sent yet */
};

/* Makes the staging table and begins the COPY. `most_bytes` is the longest body. */
enum fault stage_begin(struct stage *stage, struct db *db, size_t most_bytes) MUST_CHECK;

/* One record, with its body. */
enum fault stage_add(struct stage *stage, const struct record *record) MUST_CHECK;

/* Ends the COPY; the table holds all rows then. */
enum fault stage_end(struct stage *stage) MUST_CHECK;

void stage_free(struct stage *stage);

#endif
