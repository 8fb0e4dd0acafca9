/*
 * tree: directories made, moved and removed. See tree.h.
 */
#include "spooler/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lake.h"
#include "lib/log.h"

#define TREE_OPEN_DIRECTORIES 16
#define TREE_REMOVE_TRIES 4

static enum fault tree_fault(const char *what, const char *path)
{
    int error = errno;
    log_event(LOG_ERROR, "directory", "what=%s path=%s reason=\"%s\"", what, log_quote(path), strerror(error));
    return error == ENOSPC || error == EDQUOT ? FAULT_DISK_FULL : FAULT_DISK;
}

/* The directory that holds `path`. */
static void tree_parent(char out[LAKE_PATH_MAX], const char *path)
{
    snprintf(out, LAKE_PATH_MAX, "%s", path);
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        snprintf(out, LAKE_PATH_MAX, ".");
    else if (slash == out)
        out[1] = '\0';
    else
        *slash = '\0';
}

enum fault tree_sync(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return tree_fault("open", path);
    enum fault fault = fsync(directory) == 0 ? FAULT_NONE : tree_fault("fsync", path);
    close(directory);
    return fault;
}

static enum fault tree_make_one(const char *path)
{
    char parent[LAKE_PATH_MAX];
    if (mkdir(path, 0750) != 0)
        return errno == EEXIST ? FAULT_NONE : tree_fault("mkdir", path);
    tree_parent(parent, path);
    return tree_sync(parent);
}

enum fault tree_make(const char *path)
{
    char part[LAKE_PATH_MAX];
    enum fault fault = FAULT_NONE;
    if (access(path, F_OK) == 0)
        return FAULT_NONE;
    for (size_t i = 1; fault == FAULT_NONE && path[i] != '\0' && i < sizeof part; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (access(part, F_OK) != 0)
            fault = tree_make_one(part);
    }
    return fault == FAULT_NONE ? tree_make_one(path) : fault;
}

static int tree_remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    /* another sweep may be at the same tree */
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum fault tree_remove(const char *path)
{
    for (int tries = 1; nftw(path, tree_remove_one, TREE_OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS) != 0; tries++) {
        int error = errno;
        if (error == ENOENT && access(path, F_OK) != 0)
            break;
        /* a worker that has not heard yet that nobody wants its files makes some there, or removes them at the same time */
        if ((error != ENOENT && error != ENOTEMPTY) || tries == TREE_REMOVE_TRIES) {
            errno = error;
            return tree_fault("remove", path);
        }
    }
    return FAULT_NONE;
}

enum fault tree_move(const char *from, const char *to, unsigned levels)
{
    char at[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    tree_parent(at, to);
    enum fault fault = tree_make(at);
    bool moved = fault == FAULT_NONE && rename(from, to) == 0;
    if (fault == FAULT_NONE && !moved && errno == ENOENT) { /* a late attempt took the place away, which it found empty */
        fault = tree_make(at);
        moved = fault == FAULT_NONE && rename(from, to) == 0;
    }
    if (fault == FAULT_NONE && !moved)
        fault = tree_fault("rename", to);
    /* a directory on the way that somebody else has just made may not be durable yet */
    for (unsigned i = 0; fault == FAULT_NONE && i < levels; i++) {
        fault = tree_sync(at);
        tree_parent(above, at);
        memcpy(at, above, sizeof at);
    }
    return fault;
}
