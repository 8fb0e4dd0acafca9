/*
 * lake: where the files of exports lie.
 *
 *   <root>/tmp/<attempt>/                               while an attempt writes them
 *   <root>/<org>/<sandbox>/<dataset>/<batch>/<attempt>/ published; the batch's row names the attempt
 *
 * The attempt is part of the published path, so a late attempt can never touch what another one
 * wrote. The spooler makes and moves these directories; the pool only names files to nginx, by the
 * path relative to the root. With lake.url the published ones are keys of an object store (core/object_store), and the
 * root has only tmp/.
 *
 * SECURITY: a path is made of integers and of ids in their checked form only.
 */
#ifndef CONSIGN_CORE_LAKE_H
#define CONSIGN_CORE_LAKE_H

#include "lib/fault.h"

#define LAKE_PATH_MAX 1024 /* with terminator */
#define LAKE_LEVELS 5u     /* directories above a published one, the root included; its own name is the fifth below the root */

/* What a published path is made of. All texts are kept by pointer. */
struct lake_batch {
    int org;
    int sandbox;
    const char *dataset;
    const char *batch;
};

/* Relative to the root, without a slash at either end. FAULT_INTERNAL when an id is not of its form
 * or the path does not fit; `out` is then "". */
enum fault lake_attempt_relative(char out[LAKE_PATH_MAX], const struct lake_batch *batch,
                                 const char *attempt) MUST_CHECK;

enum fault lake_batch_relative(char out[LAKE_PATH_MAX], const struct lake_batch *batch) MUST_CHECK;

/* The same with the root before it: `root` is the setting lake.dir. */
enum fault lake_attempt_path(char out[LAKE_PATH_MAX], const char *root, const struct lake_batch *batch,
                             const char *attempt) MUST_CHECK;
enum fault lake_batch_path(char out[LAKE_PATH_MAX], const char *root, const struct lake_batch *batch) MUST_CHECK;
enum fault lake_work_path(char out[LAKE_PATH_MAX], const char *root, const char *attempt) MUST_CHECK;

#endif
