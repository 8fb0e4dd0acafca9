/*
 * verify_lake: what verify reads of the lake, be it a directory (lake.dir) or an object store (lake.url).
 *
 * Paths are relative to the lake, as core/lake makes them. What can't be read for a reason that is no finding (no right, no
 * answer) ends the program.
 */
#ifndef CONSIGN_TOOLS_VERIFY_LAKE_H
#define CONSIGN_TOOLS_VERIFY_LAKE_H

#include <stdbool.h>
#include <stddef.h>

struct verify_lake {
    const char *root; /* how the lake itself is called in findings */
    /* Calls visit() for each name in a directory, in order; `directory` is whether it is one itself. False: there is no such
     * directory. */
    bool (*list)(const char *path, void (*visit)(void *arg, const char *name, bool directory), void *arg);
    /* Hands over the bytes of a file, piece by piece. False: it is not there, or not all of it came. */
    bool (*read)(const char *path, const char *name, bool (*take)(void *arg, const char *bytes, size_t length), void *arg);
};

/* The one of the settings; ends the program when they are no good. */
const struct verify_lake *verify_lake_open(void);

#endif
