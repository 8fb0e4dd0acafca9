/*
 * inbox: where uploaded files lie until they are loaded.
 *
 *   <root>/<org>/<sandbox>/<batch>/<object>
 *
 * The pool writes there, the spooler reads and removes. Both make their paths here.
 *
 * SECURITY: a path is made of integers and of ids in their checked form only. A client's file name
 * is never part of one.
 */
#ifndef CONSIGN_CORE_INBOX_H
#define CONSIGN_CORE_INBOX_H

#include "lib/fault.h"

#define INBOX_PATH_MAX 1024 /* with terminator */

/* The directory of a batch, or a file in it. `root` is the setting inbox.dir. FAULT_INTERNAL when an
 * id is not of its form or the path does not fit; `out` is then "". */
enum fault inbox_batch_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox,
                            const char *batch) MUST_CHECK;
enum fault inbox_file_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch,
                           const char *object) MUST_CHECK;

#endif
