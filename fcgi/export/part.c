/*
 * part: writing, hashing and syncing one file. See part.h.
 */
#include "export/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/invariant.h"
#include "lib/log.h"

/* Logs the failed call with errno and tells which fault it is. */
static enum fault refuse(const struct part *part, const char *call)
{
    enum fault fault = errno == ENOSPC || errno == EDQUOT ? FAULT_DISK_FULL : FAULT_DISK;
    log_event(fault_row(fault)->level, "part_io", "call=%s file=%s errno=%d", call, part->described.name, errno);
    return fault;
}

enum fault part_create(struct part *part, int directory, const char *name)
{
    size_t length = strlen(name);
    INVARIANT(length < sizeof part->described.name);
    *part = PART_INIT;
    memcpy(part->described.name, name, length + 1);

    part->digest = crypto_digest_new();
    if (part->digest == NULL)
        return FAULT_MEMORY;
    part->directory = directory;
    part->file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    return part->file < 0 ? refuse(part, "open") : FAULT_NONE;
}

enum fault part_write(struct part *part, const char *bytes, size_t length)
{
    crypto_digest_add(part->digest, bytes, length);
    part->described.bytes += length;
    if (part->written != NULL)
        *part->written += (int64_t)length;
    while (length > 0) {
        ssize_t written = write(part->file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return refuse(part, "write");
        if (!writeback_note(&part->writeback, part->file, (size_t)written))
            return refuse(part, "sync_file_range");
        bytes += written;
        length -= (size_t)written;
    }
    return FAULT_NONE;
}

enum fault part_finish(struct part *part, struct part_description *done)
{
    crypto_digest_end(part->digest, part->described.sha256);
    if (fsync(part->file) != 0)
        return refuse(part, "fsync");
    /* close() releases the descriptor whatever it returns; after the sync EINTR loses nothing. */
    int result = close(part->file);
    part->file = -1;
    if (result != 0 && errno != EINTR) {
        enum fault fault = refuse(part, "close");
        (void)unlinkat(part->directory, part->described.name, 0);
        return fault;
    }
    *done = part->described;
    part_discard(part);
    return FAULT_NONE;
}

void part_discard(struct part *part)
{
    if (part->file >= 0) {
        (void)close(part->file);
        (void)unlinkat(part->directory, part->described.name, 0);
    }
    crypto_digest_free(part->digest);
    *part = PART_INIT;
}
