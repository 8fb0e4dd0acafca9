/*
 * parcel: the files of a job, those of the attempt and those of its helpers, in one place and numbered.
 * Callers: runner, publish.
 */
#ifndef CONSIGN_SPOOLER_PARCEL_H
#define CONSIGN_SPOOLER_PARCEL_H

#include <stdint.h>

#include "export/run.h"
#include "lib/fault.h"
#include "spooler/lease.h"

/* Sorted by target, and in each numbered from 0. */
struct parcel {
    struct run_file *file;
    uint32_t files;
};

#define PARCEL_INIT ((struct parcel){0})

/* Moves what the helpers have delivered into the attempt's directories and gives all files their final names. Nothing
 * is synced: publish does. FAULT_DISK, FAULT_MEMORY, any fault of the database. Released with parcel_free(). */
enum fault parcel_collect(struct parcel *parcel, struct lease *lease, const struct run_result *own) MUST_CHECK;

void parcel_free(struct parcel *parcel);

#endif
