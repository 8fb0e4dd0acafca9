/*
 * client_part: one file of a batch on this machine. See client_part.h.
 *
 * SECURITY: names are relative to an open folder and links are not followed, so nothing outside it is written.
 */
#include "consignctl/client_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/client.h"

#define PART_END ".partial"
#define PART_PIECE 65536

static _Noreturn void part_fail(const char *name)
{
    client_fail(CLIENT_REFUSED, "%s: %s", name, strerror(errno));
}

static void part_partial(char out[CLIENT_PART_PATH_MAX], const char *name)
{
    snprintf(out, CLIENT_PART_PATH_MAX, "%s" PART_END, name);
}

static struct crypto_digest *part_digest_new(void)
{
    struct crypto_digest *digest = crypto_digest_new();
    if (digest == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    return digest;
}

/* Adds all of a file to a digest; how many bytes there were. */
static int64_t part_read(int fd, const char *name, struct crypto_digest *digest)
{
    static unsigned char piece[PART_PIECE];
    int64_t size = 0;
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) > 0) {
        crypto_digest_add(digest, piece, (size_t)got);
        size += got;
    }
    if (got < 0)
        part_fail(name);
    return size;
}

static void part_write(int fd, const char *name, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            part_fail(name);
        bytes += put;
        length -= (size_t)put;
    }
}

bool client_part_look(struct client_part *part)
{
    char digest[CRYPTO_SHA256_HEX];
    struct stat about;
    int fd = openat(part->folder, part->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false; /* a link is replaced by the file */
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size == part->bytes) {
        struct crypto_digest *sum = part_digest_new();
        (void)part_read(fd, part->name, sum);
        crypto_digest_end(sum, digest);
        crypto_digest_free(sum);
        part->whole = part->old = strcmp(digest, part->sha256) == 0;
    }
    close(fd);
    if (part->whole)
        part->done = part->bytes;
    return part->whole;
}

void client_part_open(struct client_part *part)
{
    char partial[CLIENT_PART_PATH_MAX];
    struct stat about;
    part_partial(partial, part->name);
    part->fd = openat(part->folder, partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (part->fd < 0 || fstat(part->fd, &about) != 0)
        part_fail(partial);
    if (!S_ISREG(about.st_mode))
        client_fail(CLIENT_REFUSED, "%s: is no file", partial);
    part->digest = part_digest_new();
    part->done = part->resumed = part_read(part->fd, partial, part->digest);
    if (part->done > part->bytes)
        client_part_restart(part);
}

void client_part_add(struct client_part *part, const void *bytes, size_t length)
{
    part_write(part->fd, part->name, bytes, length);
    crypto_digest_add(part->digest, bytes, length);
    part->done += (int64_t)length;
}

void client_part_restart(struct client_part *part)
{
    if (ftruncate(part->fd, 0) != 0 || lseek(part->fd, 0, SEEK_SET) != 0)
        part_fail(part->name);
    crypto_digest_free(part->digest);
    part->digest = part_digest_new();
    part->done = part->resumed = 0;
}

static void part_close(struct client_part *part)
{
    crypto_digest_free(part->digest);
    part->digest = NULL;
    if (close(part->fd) != 0)
        part_fail(part->name);
    part->fd = -1;
}

bool client_part_finish(struct client_part *part)
{
    char digest[CRYPTO_SHA256_HEX], partial[CLIENT_PART_PATH_MAX];
    crypto_digest_end(part->digest, digest);
    if (strcmp(digest, part->sha256) != 0) {
        client_part_remove(part);
        return false;
    }
    part_partial(partial, part->name);
    if (fsync(part->fd) != 0)
        part_fail(partial);
    part_close(part);
    if (renameat(part->folder, partial, part->folder, part->name) != 0 || fsync(part->folder) != 0)
        part_fail(part->name);
    part->whole = true;
    return true;
}

void client_part_remove(struct client_part *part)
{
    char partial[CLIENT_PART_PATH_MAX];
    part_partial(partial, part->name);
    if (unlinkat(part->folder, partial, 0) != 0)
        part_fail(partial);
    part_close(part);
}

void client_part_put(int folder, const char *name, const char *bytes, size_t length)
{
    char partial[CLIENT_PART_PATH_MAX];
    part_partial(partial, name);
    if (unlinkat(folder, partial, 0) != 0 && errno != ENOENT)
        part_fail(partial);
    int fd = openat(folder, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        part_fail(partial);
    part_write(fd, partial, bytes, length);
    if (fsync(fd) != 0 || close(fd) != 0 || renameat(folder, partial, folder, name) != 0 || fsync(folder) != 0)
        part_fail(name);
}
