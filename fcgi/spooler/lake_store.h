/*
 * lake_store: where published batches lie, a directory (lake.dir) or an object store (lake.url). One interface, two kinds.
 *
 * Both have the same paths (core/lake) and the same rules: what makes a batch visible is the database; what an attempt
 * published lies under the attempt's id, and nobody else ever writes there. So nothing has to happen at once, and whoever
 * finds something that the database does not know may remove it. Callers: publish, runner, sweep_lake, sweep_rows,
 * sweep_attempts.
 */
#ifndef CONSIGN_SPOOLER_LAKE_STORE_H
#define CONSIGN_SPOOLER_LAKE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/lake.h"
#include "export/part.h"
#include "export/run.h"
#include "lib/fault.h"
#include "spooler/sweep_names.h"
#include "spooler/watch.h"

/* The files of one batch as an attempt has written them. */
struct lake_set {
    struct lake_batch batch;
    const char *attempt;
    char from[LAKE_PATH_MAX]; /* the directory in which they lie, durable */
    const struct run_file *file;
    uint32_t files;
    struct part_description manifest; /* of the last one */
};

struct lake_store {
    /* Brings all files of a set to their published place, the manifest last, durable. FAULT_DISK, FAULT_DISK_FULL, FAULT_STORE,
     * and what the watch says, which is asked while it waits. */
    enum fault (*publish)(const struct lake_set *set, struct watch *watch);
    /* Takes back what publish() brought there, for an attempt that did not succeed. Best effort, until then by the monotonic
     * clock: what is left the sweep finds. */
    void (*retract)(const struct lake_set *set, int64_t until_ms);
    /* Removes what an attempt published, or left when it died. `keep_batch`: somebody may be about to publish into the batch.
     * `watch` NULL: for a sweep, as below. Fine when nothing is there. */
    enum fault (*remove_attempt)(const struct lake_batch *batch, const char *attempt, bool keep_batch, struct watch *watch,
                                 int64_t until_ms);

    /* For the sweep. FAULT_STOPPED when a stop of the process was asked for; FAULT_NOT_READY: the lake does not answer in good
     * time, so nothing more is to be asked of it now; FAULT_OVERLOADED, of removals: not all went until `until_ms` (or the
     * least that such a call takes), but some; any other is of that one call. All logged. */
    enum fault (*remove_batch)(const struct lake_batch *batch, int64_t until_ms);
    /* The names below a directory (relative to the lake) behind `after`, as sweep_names_read() has them. */
    enum fault (*names)(struct sweep_names *out, const char *relative, const char *after, bool (*good)(const char *name));
    /* Removes a directory if nothing is in it. */
    void (*remove_empty)(const char *relative);
    /* Ends what attempts have begun to bring into the lake and are no longer live to end, as live() tells; adds to *removed. */
    enum fault (*end_unfinished)(enum fault (*live)(void *arg, const char *attempt, bool *yes), void *arg, int64_t *removed);
};

/* The one of the settings. */
const struct lake_store *lake_store(void);

extern const struct lake_store LAKE_DIRECTORY; /* lake_directory.c */
extern const struct lake_store LAKE_OBJECTS;   /* lake_objects.c */

#endif
