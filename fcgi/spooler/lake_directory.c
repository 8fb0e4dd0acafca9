/*
 * lake_directory: published batches in a directory that all hosts and nginx share. See lake_store.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/object_store.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "spooler/lake_store.h"
#include "spooler/tree.h"

const struct lake_store *lake_store(void)
{
    return object_store() == NULL ? &LAKE_DIRECTORY : &LAKE_OBJECTS;
}

/* The published place of a set, and its batch's directory. */
static enum fault directory_paths(const struct lake_batch *batch, const char *attempt, char to[LAKE_PATH_MAX],
                                  char above[LAKE_PATH_MAX])
{
    const char *root = conf_text(CONF_LAKE_DIR);
    enum fault fault = lake_attempt_path(to, root, batch, attempt);
    return fault == FAULT_NONE ? lake_batch_path(above, root, batch) : fault;
}

static enum fault directory_publish(const struct lake_set *set, struct watch *watch)
{
    char to[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    enum fault fault = directory_paths(&set->batch, set->attempt, to, above);
    if (fault == FAULT_NONE)
        fault = tree_move(set->from, to, LAKE_LEVELS);
    return fault == FAULT_NONE ? watch_tick(watch) : fault;
}

/* Back to where the runner removes it, and the sweep what the runner could not. */
static void directory_retract(const struct lake_set *set, int64_t until_ms)
{
    char to[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    (void)until_ms;
    if (directory_paths(&set->batch, set->attempt, to, above) != FAULT_NONE)
        return;
    if (rename(to, set->from) != 0 && errno != ENOENT)
        log_event(LOG_WARN, "left_behind", "attempt=%s reason=\"%s\"", set->attempt, strerror(errno));
    (void)rmdir(above); /* stays when another attempt's files are in it */
}

static void directory_rmdir(const char *path)
{
    if (rmdir(path) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
        log_event(LOG_ERROR, "directory", "what=rmdir path=%s reason=\"%s\"", log_quote(path), strerror(errno));
}

static enum fault directory_remove_attempt(const struct lake_batch *batch, const char *attempt, bool keep_batch,
                                           struct watch *watch, int64_t until_ms)
{
    char to[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    (void)watch;
    (void)until_ms;
    enum fault fault = directory_paths(batch, attempt, to, above);
    if (fault == FAULT_NONE)
        fault = tree_remove(to);
    if (fault == FAULT_NONE && !keep_batch)
        directory_rmdir(above); /* stays when another attempt's files are in it */
    return fault;
}

static enum fault directory_remove_batch(const struct lake_batch *batch, int64_t until_ms)
{
    char path[LAKE_PATH_MAX];
    (void)until_ms;
    enum fault fault = lake_batch_path(path, conf_text(CONF_LAKE_DIR), batch);
    return fault == FAULT_NONE ? tree_remove(path) : fault;
}

static bool directory_path(char out[LAKE_PATH_MAX], const char *relative)
{
    return snprintf(out, LAKE_PATH_MAX, "%s/%s", conf_text(CONF_LAKE_DIR), relative) < LAKE_PATH_MAX;
}

static enum fault directory_names(struct sweep_names *out, const char *relative, const char *after,
                                  bool (*good)(const char *name))
{
    char path[LAKE_PATH_MAX];
    if (!directory_path(path, relative))
        return FAULT_INTERNAL;
    sweep_names_read(out, path, after, good);
    return FAULT_NONE;
}

static void directory_remove_empty(const char *relative)
{
    char path[LAKE_PATH_MAX];
    if (directory_path(path, relative))
        directory_rmdir(path);
}

/* Moving is one step: there is nothing unfinished. */
static enum fault directory_end_unfinished(enum fault (*live)(void *arg, const char *attempt, bool *yes), void *arg,
                                           int64_t *removed)
{
    (void)live;
    (void)arg;
    (void)removed;
    return FAULT_NONE;
}

const struct lake_store LAKE_DIRECTORY = {.publish = directory_publish,
                                          .retract = directory_retract,
                                          .remove_attempt = directory_remove_attempt,
                                          .remove_batch = directory_remove_batch,
                                          .names = directory_names,
                                          .remove_empty = directory_remove_empty,
                                          .end_unfinished = directory_end_unfinished};
