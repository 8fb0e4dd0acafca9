/*
 * workplace: directories of work. See workplace.h.
 */
#include "spooler/workplace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ident.h"
#include "lib/conf.h"
#include "lib/log.h"

/* The directory of the attempt or helper. */
static enum fault workplace_base(char out[LAKE_PATH_MAX], const char *attempt, const char *helper)
{
    enum fault fault = lake_work_path(out, conf_text(CONF_LAKE_DIR), attempt);
    size_t length = strlen(out);
    if (fault != FAULT_NONE || helper == NULL)
        return fault;
    int added = snprintf(out + length, LAKE_PATH_MAX - length, "/%s", helper);
    return ident_is_uuid(helper) && added > 0 && (size_t)added < LAKE_PATH_MAX - length ? FAULT_NONE : FAULT_INTERNAL;
}

enum fault workplace_path(char out[LAKE_PATH_MAX], const char *attempt, const char *helper, uint32_t target,
                          const char *file)
{
    enum fault fault = workplace_base(out, attempt, helper);
    size_t length = strlen(out), room = LAKE_PATH_MAX - length;
    if (fault != FAULT_NONE)
        return fault;
    int added = snprintf(out + length, room, "/%" PRIu32 "%s%s", target, file == NULL ? "" : "/",
                         file == NULL ? "" : file);
    return added > 0 && (size_t)added < room ? FAULT_NONE : FAULT_INTERNAL;
}

/* Not synced into its parent: what is published is renamed, and that is synced. */
static enum fault workplace_mkdir(const char *path)
{
    if (mkdir(path, 0750) == 0)
        return FAULT_NONE;
    if (errno == ENOENT) /* the attempt has ended, and everything below its directory is gone */
        return FAULT_LEASE_LOST;
    enum fault fault = errno == ENOSPC || errno == EDQUOT ? FAULT_DISK_FULL : FAULT_DISK;
    log_event(LOG_ERROR, "directory", "what=mkdir path=%s reason=\"%s\"", log_quote(path), strerror(errno));
    return fault;
}

static enum fault workplace_open(struct workplace *w, const char *path, const char *batch)
{
    enum fault fault = workplace_mkdir(path);
    if (fault != FAULT_NONE)
        return fault;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return FAULT_DISK;
    w->target[w->targets++] = (struct run_target){.directory = directory, .batch = batch};
    return FAULT_NONE;
}

enum fault workplace_make(struct workplace *w, const char *attempt, const char *helper, const char *const *batch,
                          uint32_t targets)
{
    char path[LAKE_PATH_MAX];
    w->targets = 0;
    enum fault fault = workplace_base(w->path, attempt, helper);
    if (fault == FAULT_NONE)
        fault = workplace_mkdir(w->path);
    for (uint32_t i = 0; fault == FAULT_NONE && i < targets; i++) {
        fault = workplace_path(path, attempt, helper, i, NULL);
        if (fault == FAULT_NONE)
            fault = workplace_open(w, path, batch[i]);
    }
    return fault;
}

void workplace_close(struct workplace *w)
{
    for (uint32_t i = 0; i < w->targets; i++)
        close(w->target[i].directory);
    w->targets = 0;
}
