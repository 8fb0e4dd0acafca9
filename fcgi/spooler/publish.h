/*
 * publish: makes what an attempt wrote the job's result.
 *
 * Order: manifest written and synced, directory synced, moved to its final name, that synced, and
 * only then one transaction that makes batch and job done. Before it nobody sees the files, after it
 * they never change. Caller: runner.
 */
#ifndef CONSIGN_SPOOLER_PUBLISH_H
#define CONSIGN_SPOOLER_PUBLISH_H

#include "core/lake.h"
#include "export/run.h"
#include "lib/fault.h"
#include "spooler/lease.h"

struct publish_order {
    struct lease *lease;
    const char *root; /* setting lake.dir */
    const char *work; /* path of the attempt's directory */
    int directory;    /* the same, open */
    const char *dataset;
    const struct run_result *result;
};

/* FAULT_NONE: the job has SUCCEEDED with these files. FAULT_DB_UNAVAILABLE: nobody can tell; the files
 * are left to whoever takes the job over, so it must not be given back or ended. Anything else: the job
 * did not succeed by this attempt, and what it wrote lies in its work directory, if anywhere. */
enum fault publish_batch(const struct publish_order *order) MUST_CHECK;

#endif
