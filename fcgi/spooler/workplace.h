/*
 * workplace: the directories in which an attempt or a helper writes, one for each batch of the job.
 *
 *   <lake>/tmp/<attempt>/<number>/            the attempt's own; published by renaming it
 *   <lake>/tmp/<attempt>/<helper>/<number>/   a helper's; the attempt takes the files out of it
 *
 * So whatever a helper that is late still does, it never has a hand in a directory that is published, and
 * everything goes when the attempt's directory does. Callers: runner, attempt, helper, parcel, publish.
 */
#ifndef CONSIGN_SPOOLER_WORKPLACE_H
#define CONSIGN_SPOOLER_WORKPLACE_H

#include <stdint.h>

#include "core/lake.h"
#include "export/run.h"
#include "lib/fault.h"

struct workplace {
    char path[LAKE_PATH_MAX];
    struct run_target target[RUN_TARGETS_MAX]; /* open directories, for the run */
    uint32_t targets;
};

/* Makes the directories of an attempt, or of a helper of it (NULL: none), and opens them. `batch` names the targets.
 * FAULT_DISK, FAULT_DISK_FULL; FAULT_LEASE_LOST when the directory above is gone, a helper's attempt then. Closed with
 * workplace_close() whatever comes of it. */
enum fault workplace_make(struct workplace *place, const char *attempt, const char *helper, const char *const *batch,
                          uint32_t targets) MUST_CHECK;

void workplace_close(struct workplace *place);

/* The path of a target's directory, or of a file in it (NULL: none); `helper` as above. */
enum fault workplace_path(char out[LAKE_PATH_MAX], const char *attempt, const char *helper, uint32_t target,
                          const char *file) MUST_CHECK;

#endif
