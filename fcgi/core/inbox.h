/*
 * inbox: where uploaded files lie until they are loaded.
 *
 *   <root>/<org>/<sandbox>/<batch>/<object>
 *   <root>/lock
 *
 * The pool writes there, the spooler reads and removes. Both make their paths here.
 *
 * Who makes a backup holds `lock` (flock) from before the dump of the database until the inbox is copied; meanwhile nothing is
 * removed, or the copy would lack what the dump names. It is the holder's as long as it lives, so none can be forgotten; and it
 * is a file because several hosts may share the inbox, and NFS knows no locks of directories.
 *
 * SECURITY: a path is made of integers and of ids in their checked form only. A client's file name
 * is never part of one.
 */
#ifndef CONSIGN_CORE_INBOX_H
#define CONSIGN_CORE_INBOX_H

#include <stdbool.h>

#include "lib/fault.h"

#define INBOX_PATH_MAX 1024 /* with terminator */

/* The directory of a batch, or a file in it. `root` is the setting inbox.dir. FAULT_INTERNAL when an
 * id is not of its form or the path does not fit; `out` is then "". */
enum fault inbox_batch_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox,
                            const char *batch) MUST_CHECK;
enum fault inbox_file_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch,
                           const char *object) MUST_CHECK;

/* Makes the lock when it is not there, so that it is not root's, who makes the backup. FAULT_DISK, logged: it can be neither read
 * nor made. */
enum fault inbox_make_lock(const char *root) MUST_CHECK;

/* Whether somebody holds the lock, or that can't be found out (logged): then nothing may be removed that was ever entered, the
 * sweep does later. One that is not there is nobody's. To be asked after the database said that it is not wanted: so a dump that
 * begins after this look says so too, and what this look allowed needs no lock of its own. */
bool inbox_is_held(const char *root);

#endif
