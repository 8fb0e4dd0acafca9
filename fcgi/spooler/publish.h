/*
 * publish: makes what an attempt wrote the job's result.
 *
 * Order: of each batch the manifest written and synced, its directory synced, moved to its final name and that
 * synced (or uploaded, the manifest last: spooler/lake_store), and only then one transaction that makes batches and job done.
 * Before it nobody sees the files, after it they never change. Caller: runner.
 */
#ifndef CONSIGN_SPOOLER_PUBLISH_H
#define CONSIGN_SPOOLER_PUBLISH_H

#include <stdbool.h>

#include "export/run.h"
#include "lib/fault.h"
#include "spooler/lease.h"
#include "spooler/orders.h"
#include "spooler/parcel.h"
#include "spooler/watch.h"
#include "spooler/workplace.h"

struct publish_order {
    struct lease *lease;
    const char *dataset;
    const struct orders_batches *batches;
    const struct workplace *place;
    const struct run_result *result; /* of the attempt itself */
    const struct parcel *parcel;     /* of all */
    struct watch *watch;             /* asked between batches: each is several waits for the storage */
};

/* FAULT_NONE: the job has SUCCEEDED with these files. Any other: it did not succeed by this attempt, and what it wrote
 * lies in its work directory, if anywhere; but with *unsure nobody can tell: the files are left to whoever takes the job
 * over, so it must not be given back or ended. */
enum fault publish_job(const struct publish_order *order, bool *unsure) MUST_CHECK;

#endif
