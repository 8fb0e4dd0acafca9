/*
 * source: the bytes of one file of a batch, as they lie in the inbox. See source.h.
 */
#include "store/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/inbox.h"
#include "lib/log.h"

void source_open(struct source *s, int row)
{
    const char *name = db_text(s->files, row, SOURCE_NAME);
    s->row = row;
    s->file = -1;
    s->fault = FAULT_NONE;
    for (s->stop = row + 1; s->stop < s->files->count; s->stop++) {
        if (strcmp(db_text(s->files, s->stop, SOURCE_NAME), name) != 0)
            break;
    }
}

void source_close(struct source *s)
{
    if (s->file >= 0)
        close(s->file);
    s->file = -1;
}

/* Opens the object of the row, which must have the size that the pool noted. */
static enum fault source_open_object(struct source *s)
{
    char path[INBOX_PATH_MAX];
    struct stat about;
    const char *object = db_text(s->files, s->row, SOURCE_OBJECT);
    int64_t bytes = db_int(s->files, s->row, SOURCE_BYTES);
    enum fault fault = inbox_file_path(path, s->inbox, s->org, s->sandbox, s->batch, object);
    if (fault != FAULT_NONE)
        return fault;
    s->file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (s->file < 0 || fstat(s->file, &about) != 0 || !S_ISREG(about.st_mode)) {
        log_event(LOG_ERROR, "inbox_open", "object=%s reason=\"%s\"", object, strerror(errno));
        return FAULT_DISK;
    }
    if (about.st_size != bytes) {
        log_event(LOG_ERROR, "inbox_size", "object=%s expected=%lld found=%lld", object, (long long)bytes,
                  (long long)about.st_size);
        return FAULT_DISK;
    }
    return FAULT_NONE;
}

/* Reads of the object that is open. */
static ssize_t source_read_object(struct source *s, char *out, size_t room)
{
    ssize_t got;
    do
        got = read(s->file, out, room);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        log_event(LOG_ERROR, "inbox_read", "reason=\"%s\"", strerror(errno));
        s->fault = FAULT_DISK;
    }
    return got;
}

ssize_t source_read(void *arg, char *out, size_t room)
{
    struct source *s = arg;
    while (s->row < s->stop) {
        if (s->file < 0)
            s->fault = source_open_object(s);
        if (s->fault != FAULT_NONE)
            return -1;
        ssize_t got = source_read_object(s, out, room);
        if (got != 0)
            return got;
        source_close(s);
        s->row++;
    }
    return 0;
}
