/*
 * orders: what an export job asks for, read from its row. Callers: runner, helper.
 */
#ifndef CONSIGN_SPOOLER_ORDERS_H
#define CONSIGN_SPOOLER_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/policy.h"
#include "core/spec.h"
#include "export/run.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"

/* Which job. */
struct orders_job {
    int org;
    int sandbox;
    int64_t job;
    const char *batch; /* its first */
};

/* The batches that a job fills. Texts live in the arena. */
struct orders_batches {
    const char *batch[RUN_TARGETS_MAX];
    uint32_t count;
};

/* All texts live in the arena. */
struct orders {
    struct spec_orders spec;
    struct policy policy;
    enum sink_format format;
    enum sink_compression compression;
    bool per_segment;
};

enum fault orders_read_batches(struct db *db, struct arena *arena, const struct orders_job *job,
                               struct orders_batches *out) MUST_CHECK;

/* From the row of STMT_JOB_START or STMT_JOB_ORDERS. FAULT_INTERNAL when there is none or it can't be carried out. */
enum fault orders_read(struct arena *arena, const struct db_rows *rows, struct orders *out) MUST_CHECK;

#endif
