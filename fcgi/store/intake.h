/*
 * intake: records on their way into the profile store, wherever they come from.
 *
 * Takes records one by one, refuses the bad ones, stages the good ones by COPY, and keeps what members they have.
 * All inside a transaction of the caller, which goes on with the SQL function that loads what is staged and ends
 * with intake_observe(). Memory is bounded by the largest record and by what is kept of refused ones. Callers:
 * store/ingest (batches), store/message.
 */
#ifndef CONSIGN_STORE_INTAKE_H
#define CONSIGN_STORE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/observed.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"
#include "profile/record.h"
#include "store/refused.h"
#include "store/stage.h"

/* For which dataset, and within which bounds. All pointers are the caller's, good until intake_free(). */
struct intake_order {
    struct db *db;
    struct arena *arena;
    int org;
    int sandbox;
    const char *dataset;
    bool event;          /* the dataset's class */
    size_t record_bytes; /* setting ingest.record_bytes */
    int64_t errors_kept; /* setting ingest.errors_kept */
};

/* Where a record stands, for those who look for what is wrong with it. */
struct intake_place {
    const char *file; /* as the client called it */
    int64_t line;     /* of its first byte, from 1 */
    int64_t offset;   /* of its first byte in the file */
    const char *shown; /* what is kept of it when it is refused, if not its text: the row of CSV it was made of */
    size_t shown_length;
};

struct intake {
    const struct intake_order *order;
    struct record record;
    struct observed *observed; /* of the records that were staged */
    struct refused refused;
    struct stage stage;
    int64_t input; /* records seen; of them refused: refused.count */
    int64_t bytes; /* of the bodies that were staged */
    struct arena *rules; /* of record.schema; NULL: a base schema */
};

/* Whatever comes of it, released with intake_free(). */
enum fault intake_init(struct intake *in, const struct intake_order *order) MUST_CHECK;
void intake_free(struct intake *in);

/* Reads the rules of the dataset and begins the COPY. The connection is in a transaction of the tenant, and serves
 * nothing else until intake_end(). */
enum fault intake_begin(struct intake *in) MUST_CHECK;

/* Takes or refuses one record. A bad record is no fault. */
enum fault intake_take(struct intake *in, const struct intake_place *at, const char *text, size_t length) MUST_CHECK;

/* Counts and keeps one that was refused before it could be read as a record. */
void intake_refuse(struct intake *in, const struct intake_place *at, const char *code, const char *reason,
                   const char *text, size_t length);

/* Ends the COPY: the staging table holds all that was taken. */
enum fault intake_end(struct intake *in) MUST_CHECK;

/* Adds what was seen to the stored schema of the dataset. To be called when the load holds the sandbox's clock
 * row, so that no other load comes between reading and writing. */
enum fault intake_observe(struct intake *in) MUST_CHECK;

#endif
