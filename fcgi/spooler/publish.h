/*
 * publish: makes what an attempt wrote the job's result.
 *
 * Order: of each batch the manifest written and synced, its directory synced, moved to its final name, that
 * synced, and only then one transaction that makes batches and job done. Before it nobody sees the files, after
 * it they never change. Caller: runner.
 */
#ifndef CONSIGN_SPOOLER_PUBLISH_H
#define CONSIGN_SPOOLER_PUBLISH_H

#include "export/run.h"
#include "lib/fault.h"
#include "spooler/lease.h"
#include "spooler/orders.h"
#include "spooler/parcel.h"
#include "spooler/workplace.h"

struct publish_order {
    struct lease *lease;
    const char *dataset;
    const struct orders_batches *batches;
    const struct workplace *place;
    const struct run_result *result; /* of the attempt itself */
    const struct parcel *parcel;     /* of all */
};

/* FAULT_NONE: the job has SUCCEEDED with these files. FAULT_DB_UNAVAILABLE: nobody can tell; the files
 * are left to whoever takes the job over, so it must not be given back or ended. Anything else: the job
 * did not succeed by this attempt, and what it wrote lies in its work directory, if anywhere. */
enum fault publish_job(const struct publish_order *order) MUST_CHECK;

#endif
