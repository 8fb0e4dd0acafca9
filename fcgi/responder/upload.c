/*
 * upload: the body of a request as a file in the inbox. See upload.h.
 *
 * A failed fsync is never tried again on the same file (the kernel may have dropped the pages):
 * the file is removed and the client told to try again.
 */
#include "responder/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/inbox.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/writeback.h"
#include "responder/worker.h"

#define UPLOAD_PIECE 65536

static enum fault upload_fault(const char *step)
{
    enum fault fault = errno == ENOSPC || errno == EDQUOT ? FAULT_DISK_FULL : FAULT_DISK;
    log_event(LOG_ERROR, "inbox", "step=%s reason=\"%s\"", step, strerror(errno));
    return fault;
}

static enum fault upload_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    enum fault fault = good ? FAULT_NONE : upload_fault("sync_directory");
    if (fd >= 0)
        close(fd);
    return fault;
}

/* Makes the directory that `path` begins with and syncs it into its parent. One that somebody else made is synced
 * too, unless this process did that before: who made it may not have come that far, or may have failed. */
static enum fault upload_make_directory(const char *path, size_t length, bool durable)
{
    char step[INBOX_PATH_MAX];
    memcpy(step, path, length);
    step[length] = '\0';
    if (mkdir(step, 0750) != 0) {
        if (errno != EEXIST)
            return upload_fault("make_directory");
        if (durable)
            return FAULT_NONE;
    }
    *strrchr(step, '/') = '\0';
    return upload_sync_directory(step);
}

/* Makes the directories of a batch durable, from below the root down. */
static enum fault upload_make_directories(const char *root, const char *path)
{
    static char durable[INBOX_PATH_MAX]; /* the last one here; nobody removes its parents */
    enum fault fault = FAULT_NONE;
    for (size_t at = strlen(root) + 1; fault == FAULT_NONE && path[at - 1] != '\0'; at++) {
        if (path[at] != '/' && path[at] != '\0')
            continue;
        bool known = strncmp(path, durable, at) == 0 && (durable[at] == '/' || durable[at] == '\0');
        fault = upload_make_directory(path, at, known);
    }
    snprintf(durable, sizeof durable, "%s", fault == FAULT_NONE ? path : "");
    return fault;
}

static enum fault upload_write(int fd, struct writeback *writeback, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return upload_fault("write");
        if (!writeback_note(writeback, fd, (size_t)n))
            return upload_fault("sync_range");
        bytes += n;
        length -= (size_t)n;
    }
    return FAULT_NONE;
}

static enum fault upload_copy(struct call *c, int fd, int64_t *bytes)
{
    static char piece[UPLOAD_PIECE];
    struct writeback writeback = {0};
    size_t got = 0;
    *bytes = 0;
    do {
        enum fault fault = request_read_piece(c->worker->listener, piece, sizeof piece, &got);
        if (fault == FAULT_NONE)
            fault = upload_write(fd, &writeback, piece, got);
        if (fault != FAULT_NONE)
            return fault;
        *bytes += (int64_t)got;
        worker_progress();
    } while (got == sizeof piece);
    return fsync(fd) == 0 ? FAULT_NONE : upload_fault("sync");
}

enum fault upload_store(struct call *c, const char *batch, struct upload *out)
{
    char directory[INBOX_PATH_MAX], path[INBOX_PATH_MAX];
    const char *root = conf_text(CONF_INBOX_DIR);
    if (c->request.content_length < 0)
        return call_refuse(c, FAULT_MALFORMED, NULL, "Content-Length: a number of bytes");
    if (c->request.content_length > UPLOAD_MOST)
        return call_refuse(c, FAULT_BODY_TOO_LARGE, NULL, "a file has at most 256 MiB");
    crypto_uuid(out->object);
    enum fault fault = inbox_batch_path(directory, root, c->scope.org, c->scope.sandbox, batch);
    if (fault == FAULT_NONE)
        fault = inbox_file_path(path, root, c->scope.org, c->scope.sandbox, batch, out->object);
    if (fault == FAULT_NONE)
        fault = upload_make_directories(root, directory);
    if (fault != FAULT_NONE)
        return fault;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return upload_fault("create");
    fault = upload_copy(c, fd, &out->bytes);
    if (close(fd) != 0 && fault == FAULT_NONE)
        fault = upload_fault("close");
    if (fault == FAULT_NONE)
        fault = upload_sync_directory(directory);
    if (fault != FAULT_NONE)
        unlink(path);
    return fault;
}

enum fault upload_look(struct call *c, const char *batch, const struct upload *up)
{
    char path[INBOX_PATH_MAX];
    enum fault fault = inbox_file_path(path, conf_text(CONF_INBOX_DIR), c->scope.org, c->scope.sandbox, batch, up->object);
    if (fault != FAULT_NONE || access(path, F_OK) == 0)
        return fault;
    return call_refuse(c, upload_fault("look"), NULL, "the file is not there any more; send it again from its first byte");
}

void upload_remove(struct call *c, const char *batch, const char *object)
{
    char path[INBOX_PATH_MAX];
    if (inbox_file_path(path, conf_text(CONF_INBOX_DIR), c->scope.org, c->scope.sandbox, batch, object) == FAULT_NONE &&
        unlink(path) != 0)
        log_event(LOG_WARN, "inbox", "step=remove reason=\"%s\"", strerror(errno));
}
