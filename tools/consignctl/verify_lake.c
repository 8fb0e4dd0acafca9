/*
 * verify_lake: the lake as verify reads it. See verify_lake.h.
 */
#include "consignctl/verify_lake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/ctl.h"
#include "core/lake.h"
#include "core/object_store.h"
#include "core/objects.h"
#include "lib/conf.h"

#define VERIFY_PATH_MAX (2 * LAKE_PATH_MAX)
#define VERIFY_TRIES 3 /* of a file in a store that does not answer, or breaks off */
#define VERIFY_PAUSE_MS 500

/* ---- a directory ---- */

static void directory_path(char out[VERIFY_PATH_MAX], const char *path, const char *name)
{
    int length = snprintf(out, VERIFY_PATH_MAX, "%s%s%s%s%s", conf_text(CONF_LAKE_DIR), *path == '\0' ? "" : "/", path,
                          *name == '\0' ? "" : "/", name);
    if (length < 0 || length >= VERIFY_PATH_MAX)
        ctl_fail("%s: the path is too long", path);
}

/* One name; the work directories at the top are none of the lake's batches. */
static void directory_visit(const char *path, const char *name, void (*visit)(void *arg, const char *name, bool directory),
                            void *arg)
{
    char full[VERIFY_PATH_MAX];
    struct stat about;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (*path == '\0' && strcmp(name, "tmp") == 0))
        return;
    directory_path(full, path, name);
    if (lstat(full, &about) == 0)
        visit(arg, name, S_ISDIR(about.st_mode));
    else if (errno != ENOENT) /* what is gone by now was no stray */
        ctl_fail("%s: %s", full, strerror(errno));
}

static bool directory_list(const char *path, void (*visit)(void *arg, const char *name, bool directory), void *arg)
{
    char full[VERIFY_PATH_MAX];
    struct dirent **entry;
    directory_path(full, path, "");
    int count = scandir(full, &entry, NULL, alphasort);
    if (count < 0 && (errno == ENOENT || errno == ENOTDIR))
        return false;
    if (count < 0)
        ctl_fail("%s: %s", full, strerror(errno));
    for (int i = 0; i < count; i++) {
        directory_visit(path, entry[i]->d_name, visit, arg);
        free(entry[i]);
    }
    free(entry);
    return true;
}

static enum verify_read directory_read(const char *path, const char *name, const struct verify_sink *sink)
{
    static char piece[1 << 20];
    char full[VERIFY_PATH_MAX];
    directory_path(full, path, name);
    int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) /* a link is not the file that was published */
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? VERIFY_ABSENT : VERIFY_CUT;
    ssize_t got;
    sink->begin(sink->arg);
    while ((got = read(fd, piece, sizeof piece)) > 0 && sink->take(sink->arg, piece, (size_t)got))
        ;
    close(fd);
    return got == 0 ? VERIFY_READ : VERIFY_CUT;
}

/* ---- an object store ---- */

static const struct objects_patience PATIENCE = {.until_ms = 0}; /* as long as it takes */

struct store_visit {
    void (*visit)(void *arg, const char *name, bool directory);
    void *arg;
    bool any;
};

static bool store_visit(void *arg, const char *name, bool more)
{
    struct store_visit *v = arg;
    v->any = true;
    v->visit(v->arg, name, more);
    return true;
}

static bool store_list(const char *path, void (*visit)(void *arg, const char *name, bool directory), void *arg)
{
    char directory[VERIFY_PATH_MAX];
    struct store_visit v = {.visit = visit, .arg = arg};
    snprintf(directory, sizeof directory, "%s%s", path, *path == '\0' ? "" : "/");
    enum fault fault = objects_list(directory, "", store_visit, &v, &PATIENCE);
    if (fault != FAULT_NONE)
        ctl_fail("%s: the object store can't be read (%s)", path, fault_row(fault)->name);
    return v.any || *path == '\0';
}

static enum verify_read store_read(const char *path, const char *name, const struct verify_sink *sink)
{
    char key[VERIFY_PATH_MAX];
    enum fault fault = FAULT_DISK;
    snprintf(key, sizeof key, "%s/%s", path, name);
    for (int i = 0; fault == FAULT_DISK && i < VERIFY_TRIES; i++) {
        if (i > 0)
            poll(NULL, 0, VERIFY_PAUSE_MS);
        sink->begin(sink->arg);
        fault = objects_read(key, sink->take, sink->arg, &PATIENCE);
    }
    if (fault != FAULT_NONE && fault != FAULT_NOT_FOUND && fault != FAULT_DISK)
        ctl_fail("%s: the object store can't be read (%s)", key, fault_row(fault)->name);
    return fault == FAULT_NONE ? VERIFY_READ : fault == FAULT_NOT_FOUND ? VERIFY_ABSENT : VERIFY_CUT;
}

const struct verify_lake *verify_lake_open(void)
{
    static struct verify_lake directory = {NULL, directory_list, directory_read};
    static struct verify_lake objects = {NULL, store_list, store_read};
    static char root[2 * OBJECT_STORE_TEXT_MAX + 8];
    if (object_store_open() != FAULT_NONE || (object_store() != NULL && !http_prepare()))
        ctl_fail("the settings of the object store can't be used");
    directory.root = conf_text(CONF_LAKE_DIR);
    if (object_store() == NULL)
        return &directory;
    int length = snprintf(root, sizeof root, "s3:/%s/%s", object_store()->bucket, object_store()->prefix);
    root[length - 1] = '\0'; /* the slash at its end */
    objects.root = root;
    return &objects;
}
