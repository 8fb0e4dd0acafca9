/*
 * load_piece: what `consignctl load` makes a batch of. See load_piece.h.
 */
#include "consignctl/load_piece.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/ctl.h"

#define PIECE_READ_BYTES (256 * 1024)

static char piece_buffer[PIECE_READ_BYTES];

static int64_t piece_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void load_piece_read(const struct load_piece *p, int64_t at, char *out, int64_t room)
{
    while (room > 0) {
        ssize_t got = pread(p->fd, out, (size_t)room, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            ctl_fail("cannot read %s: %s", p->path, got < 0 ? strerror(errno) : "it has become shorter");
        out += got;
        at += got;
        room -= got;
    }
}

/* Whether the file begins, blanks aside, with an array. */
static bool piece_is_array(const struct load_piece *p)
{
    int64_t length = piece_min(p->file_bytes, PIECE_READ_BYTES);
    load_piece_read(p, 0, piece_buffer, length);
    int64_t i = length >= 3 && memcmp(piece_buffer, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < length && strchr(" \t\r\n", piece_buffer[i]) != NULL)
        i++;
    return i == length || piece_buffer[i] == '[';
}

void load_piece_open(struct load_piece *p, const char *path, bool plain)
{
    struct stat about;
    *p = (struct load_piece){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (p->fd < 0 || fstat(p->fd, &about) != 0)
        ctl_fail("cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        ctl_fail("%s is no file", path);
    p->file_bytes = about.st_size;
    p->cuttable = plain && !piece_is_array(p);
}

/* The end of the line that goes on at `at`. */
static int64_t piece_line_end(const struct load_piece *p, int64_t at)
{
    while (at < p->file_bytes) {
        int64_t length = piece_min(p->file_bytes - at, PIECE_READ_BYTES);
        load_piece_read(p, at, piece_buffer, length);
        const char *end = memchr(piece_buffer, '\n', (size_t)length);
        if (end != NULL)
            return at + (end - piece_buffer) + 1;
        at += length;
    }
    return p->file_bytes;
}

static void piece_digest(struct load_piece *p)
{
    struct crypto_digest *digest = crypto_digest_new();
    if (digest == NULL)
        ctl_fail("no memory");
    for (int64_t done = 0; done < p->bytes; done += PIECE_READ_BYTES) {
        int64_t length = piece_min(p->bytes - done, PIECE_READ_BYTES);
        load_piece_read(p, p->begin + done, piece_buffer, length);
        crypto_digest_add(digest, piece_buffer, (size_t)length);
    }
    crypto_digest_end(digest, p->digest);
    crypto_digest_free(digest);
}

bool load_piece_next(struct load_piece *p, int64_t most)
{
    p->begin += p->bytes;
    if (p->begin >= p->file_bytes) {
        close(p->fd);
        return false;
    }
    int64_t left = p->file_bytes - p->begin;
    /* the byte before tells whether a line ends just there */
    p->bytes = !p->cuttable || left <= most ? left : piece_line_end(p, p->begin + most - 1) - p->begin;
    piece_digest(p);
    return true;
}
