/*
 * inbox: where uploaded files lie until they are loaded. See inbox.h.
 */
#include "core/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/ident.h"
#include "lib/log.h"

static enum fault inbox_refuse(char *out, const char *what)
{
    out[0] = '\0';
    log_event(LOG_ERROR, "inbox_path", "reason=%s", what);
    return FAULT_INTERNAL;
}

enum fault inbox_batch_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch)
{
    if (org <= 0 || sandbox <= 0 || !ident_is_hex(batch, IDENT_BATCH_DIGITS))
        return inbox_refuse(out, "id");
    int length = snprintf(out, INBOX_PATH_MAX, "%s/%d/%d/%s", root, org, sandbox, batch);
    return length > 0 && length < INBOX_PATH_MAX ? FAULT_NONE : inbox_refuse(out, "length");
}

enum fault inbox_file_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch,
                           const char *object)
{
    if (org <= 0 || sandbox <= 0 || !ident_is_hex(batch, IDENT_BATCH_DIGITS) || !ident_is_uuid(object))
        return inbox_refuse(out, "id");
    int length = snprintf(out, INBOX_PATH_MAX, "%s/%d/%d/%s/%s", root, org, sandbox, batch, object);
    return length > 0 && length < INBOX_PATH_MAX ? FAULT_NONE : inbox_refuse(out, "length");
}

/* Opens the lock, with these flags beside. -1, logged unless it is not there. */
static int inbox_open_lock(const char *root, int flags)
{
    char path[INBOX_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/lock", root);
    errno = ENAMETOOLONG;
    int fd = length > 0 && length < INBOX_PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0640) : -1;
    if (fd < 0 && errno != ENOENT)
        log_event(LOG_ERROR, "inbox", "step=lock reason=\"%s\"", strerror(errno));
    return fd;
}

enum fault inbox_make_lock(const char *root)
{
    int fd = inbox_open_lock(root, O_CREAT);
    if (fd < 0)
        return FAULT_DISK;
    close(fd);
    return FAULT_NONE;
}

bool inbox_is_held(const char *root)
{
    int fd = inbox_open_lock(root, 0);
    if (fd < 0)
        return errno != ENOENT;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return held;
}
