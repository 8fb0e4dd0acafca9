/*
 * tree: directories made, moved and removed so that a crash leaves either state.
 *
 * Paths come from core/lake and core/inbox. Callers: publish, sweep, runner, loader, main.
 */
#ifndef CONSIGN_SPOOLER_TREE_H
#define CONSIGN_SPOOLER_TREE_H

#include "lib/fault.h"

/* All: FAULT_DISK_FULL for no space, inodes or quota, FAULT_DISK for any other failure, logged. */

/* Makes the directory and those above it (mode 0750 by the umask); each new one is synced into its
 * parent. Fine when it is there. */
enum fault tree_make(const char *path) MUST_CHECK;

/* Removes the directory and all below it; links are removed, never followed. Fine when it is not
 * there. */
enum fault tree_remove(const char *path) MUST_CHECK;

/* Makes the directory's entries durable. */
enum fault tree_sync(const char *path) MUST_CHECK;

/* Renames a directory, whose target must not exist, and makes the new name durable: syncs so many
 * directories above it. */
enum fault tree_move(const char *from, const char *to, unsigned levels) MUST_CHECK;

#endif
