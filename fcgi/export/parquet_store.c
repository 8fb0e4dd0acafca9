/*
 * parquet_store: memory and scratch file. See parquet_store.h.
 */
#include "export/parquet_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/invariant.h"
#include "lib/log.h"

#define PIECE_BYTES 16384u

static enum fault refuse(const char *call)
{
    enum fault fault = errno == ENOSPC || errno == EDQUOT ? FAULT_DISK_FULL : FAULT_DISK;
    log_event(fault_row(fault)->level, "scratch_io", "call=%s errno=%d", call, errno);
    return fault;
}

static enum fault open_scratch(struct parquet_store *store)
{
    char uuid[CRYPTO_UUID_TEXT];
    char name[CRYPTO_UUID_TEXT + 16];
    crypto_uuid(uuid);
    (void)snprintf(name, sizeof name, "scratch-%s", uuid);
    store->file = openat(store->directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (store->file < 0)
        return refuse("open");
    return unlinkat(store->directory, name, 0) == 0 ? FAULT_NONE : refuse("unlink");
}

/* Writes at the scratch file's position. */
static enum fault write_all(const struct parquet_store *store, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(store->file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return refuse("write");
        bytes += written;
        length -= (size_t)written;
    }
    return FAULT_NONE;
}

static enum fault spill(struct parquet_store *store, const char *bytes, size_t length)
{
    enum fault fault = store->file < 0 ? open_scratch(store) : FAULT_NONE;
    if (fault == FAULT_NONE)
        fault = write_all(store, bytes, length);
    if (fault == FAULT_NONE)
        store->in_file += length;
    return fault;
}

uint64_t parquet_store_length(const struct parquet_store *store)
{
    return store->in_file + store->memory.length;
}

enum fault parquet_store_append(struct parquet_store *store, struct parquet_memory *memory, const char *bytes,
                                size_t length)
{
    if (store->memory.length + length > store->share) {
        enum fault fault = spill(store, store->memory.data, store->memory.length);
        store->memory.length = 0;
        if (fault != FAULT_NONE)
            return fault;
        if (length >= store->share)
            return spill(store, bytes, length);
    }
    parquet_buffer_add(&store->memory, memory, bytes, length);
    return memory->failed ? FAULT_MEMORY : FAULT_NONE;
}

enum fault parquet_store_patch(struct parquet_store *store, uint64_t at, const char *bytes, size_t length)
{
    INVARIANT(at + length <= parquet_store_length(store));
    while (at < store->in_file && length > 0) {
        /* Appends go on at the end of the file: the position is put back. pwrite() is not among the calls that
         * workers may make (lib/confine). */
        size_t piece = store->in_file - at < length ? (size_t)(store->in_file - at) : length;
        if (lseek(store->file, (off_t)at, SEEK_SET) < 0)
            return refuse("lseek");
        enum fault fault = write_all(store, bytes, piece);
        if (fault != FAULT_NONE)
            return fault;
        if (lseek(store->file, 0, SEEK_END) < 0)
            return refuse("lseek");
        at += piece;
        bytes += piece;
        length -= piece;
    }
    if (length > 0)
        memcpy(store->memory.data + (at - store->in_file), bytes, length);
    return FAULT_NONE;
}

enum fault parquet_store_read(const struct parquet_store *store, uint64_t at, char *bytes, size_t length)
{
    INVARIANT(at + length <= parquet_store_length(store));
    while (at < store->in_file && length > 0) {
        size_t piece = store->in_file - at < length ? (size_t)(store->in_file - at) : length;
        ssize_t got = pread(store->file, bytes, piece, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno; /* a file that nobody else knows is as long as it was made */
            return refuse("pread");
        }
        at += (uint64_t)got;
        bytes += got;
        length -= (size_t)got;
    }
    if (length > 0)
        memcpy(bytes, store->memory.data + (at - store->in_file), length);
    return FAULT_NONE;
}

enum fault parquet_store_copy(const struct parquet_store *store, uint64_t at, uint64_t length, struct part *part)
{
    char piece[PIECE_BYTES];
    enum fault fault = FAULT_NONE;
    INVARIANT(at + length <= parquet_store_length(store));
    while (fault == FAULT_NONE && at < store->in_file && length > 0) {
        uint64_t most = store->in_file - at < length ? store->in_file - at : length;
        size_t taken = most < sizeof piece ? (size_t)most : sizeof piece;
        fault = parquet_store_read(store, at, piece, taken);
        if (fault == FAULT_NONE)
            fault = part_write(part, piece, taken);
        at += taken;
        length -= taken;
    }
    if (fault == FAULT_NONE && length > 0)
        fault = part_write(part, store->memory.data + (at - store->in_file), (size_t)length);
    return fault;
}

void parquet_store_reset(struct parquet_store *store)
{
    if (store->file >= 0)
        (void)close(store->file);
    store->file = -1;
    store->in_file = 0;
    store->memory.length = 0;
}

void parquet_store_free(struct parquet_store *store, struct parquet_memory *memory)
{
    parquet_store_reset(store);
    parquet_buffer_free(&store->memory, memory);
}
