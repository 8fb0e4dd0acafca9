/*
 * verify_lake: what verify reads of the lake, be it a directory (lake.dir) or an object store (lake.url).
 *
 * Paths are relative to the lake, as core/lake makes them. A directory that can't be listed, and a store that refuses what is
 * asked, end the program.
 */
#ifndef CONSIGN_TOOLS_VERIFY_LAKE_H
#define CONSIGN_TOOLS_VERIFY_LAKE_H

#include <stdbool.h>
#include <stddef.h>

/* Where the bytes of a file go, piece by piece. */
struct verify_sink {
    void (*begin)(void *arg); /* from the first byte on, perhaps once more: what was taken counts no longer */
    bool (*take)(void *arg, const char *bytes, size_t length);
    void *arg;
};

enum verify_read {
    VERIFY_READ,   /* all of it */
    VERIFY_ABSENT, /* it is not there */
    VERIFY_CUT     /* not all of it came, however often it was asked for */
};

struct verify_lake {
    const char *root; /* how the lake itself is called in findings */
    /* Calls visit() for each name in a directory, in order; `directory` is whether it is one itself. False: there is no such
     * directory. */
    bool (*list)(const char *path, void (*visit)(void *arg, const char *name, bool directory), void *arg);
    /* Hands over the bytes of a file. */
    enum verify_read (*read)(const char *path, const char *name, const struct verify_sink *sink);
};

/* The one of the settings; ends the program when they are no good. */
const struct verify_lake *verify_lake_open(void);

#endif
