/*
 * decode: the bytes of an uploaded file as they were before they were compressed. See decode.h.
 */
#include "store/decode.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/invariant.h"

#define DECODE_PIECE_BYTES 65536u
#define DECODE_ROOM_MOST (1u << 30)   /* what zlib's counters hold, and more than anybody asks for */
#define DECODE_GZIP_ONLY (16 + 15)    /* zlib's way to say: gzip, with its largest window */
#define DECODE_ZSTD_WINDOW_LOG 27     /* 128 MiB */

struct decode {
    enum decode_encoding encoding;
    enum decode_state state;
    const char *reason;
    upload_read *source;
    void *arg;
    int64_t given, most;
    bool whole; /* what was read so far is a number of whole members or frames, at least one */
    bool more;  /* zstd: the last call filled its room, so there may be more without further input */
    bool inflates;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    size_t begin, end; /* what is left in `piece` */
    unsigned char piece[DECODE_PIECE_BYTES];
};

struct decode *decode_new(void)
{
    return calloc(1, sizeof(struct decode));
}

void decode_free(struct decode *d)
{
    if (d == NULL)
        return;
    if (d->inflates)
        inflateEnd(&d->gzip);
    ZSTD_freeDCtx(d->zstd);
    free(d);
}

bool decode_encoding_named(const char *name, enum decode_encoding *out)
{
    static const char *const NAMES[] = {[DECODE_IDENTITY] = "identity", [DECODE_GZIP] = "gzip", [DECODE_ZSTD] = "zstd"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (enum decode_encoding)i;
            return true;
        }
    }
    return false;
}

static ssize_t decode_fail(struct decode *d, enum decode_state state, const char *reason)
{
    d->state = state;
    d->reason = reason;
    return -1;
}

static bool decode_begin_gzip(struct decode *d)
{
    if (!d->inflates)
        d->inflates = inflateInit2(&d->gzip, DECODE_GZIP_ONLY) == Z_OK;
    return d->inflates && inflateReset(&d->gzip) == Z_OK;
}

static bool decode_begin_zstd(struct decode *d)
{
    if (d->zstd == NULL)
        d->zstd = ZSTD_createDCtx();
    return d->zstd != NULL && !ZSTD_isError(ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_and_parameters)) &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, DECODE_ZSTD_WINDOW_LOG));
}

void decode_open(struct decode *d, enum decode_encoding encoding, int64_t most_bytes, upload_read *source, void *arg)
{
    d->encoding = encoding;
    d->state = DECODE_FINE;
    d->reason = NULL;
    d->source = source;
    d->arg = arg;
    d->given = 0;
    d->most = most_bytes;
    d->whole = d->more = false;
    d->begin = d->end = 0;
    bool begun = encoding == DECODE_IDENTITY || (encoding == DECODE_GZIP ? decode_begin_gzip(d) : decode_begin_zstd(d));
    if (!begun)
        (void)decode_fail(d, DECODE_MEMORY, NULL);
}

/* Reads the next piece of what is encoded: 1, 0 at a good end, or -1. */
static int decode_fill(struct decode *d)
{
    ssize_t got = d->source(d->arg, (char *)d->piece, sizeof d->piece);
    if (got < 0)
        return (int)decode_fail(d, DECODE_SOURCE, NULL);
    d->begin = 0;
    d->end = (size_t)got;
    if (got == 0 && !d->whole)
        return (int)decode_fail(d, DECODE_BROKEN, "the compressed data ends too soon");
    return got > 0;
}

/* One step of zlib; how many bytes it put at `out`, or -1. */
static ssize_t decode_gzip_step(struct decode *d, char *out, size_t room)
{
    z_stream *z = &d->gzip;
    z->next_in = d->piece + d->begin;
    z->avail_in = (uInt)(d->end - d->begin);
    z->next_out = (unsigned char *)out;
    z->avail_out = (uInt)room;
    d->whole = false;
    int code = inflate(z, Z_NO_FLUSH);
    d->begin = d->end - z->avail_in;
    if (code == Z_MEM_ERROR)
        return decode_fail(d, DECODE_MEMORY, NULL);
    if (code == Z_STREAM_END)
        d->whole = inflateReset(z) == Z_OK; /* what follows is another member */
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return decode_fail(d, DECODE_BROKEN, "the data is not gzip, or was changed");
    return (ssize_t)(room - z->avail_out);
}

/* The same of libzstd. */
static ssize_t decode_zstd_step(struct decode *d, char *out, size_t room)
{
    ZSTD_inBuffer in = {d->piece + d->begin, d->end - d->begin, 0};
    ZSTD_outBuffer put = {out, room, 0};
    size_t code = ZSTD_decompressStream(d->zstd, &put, &in);
    d->begin += in.pos;
    if (ZSTD_isError(code)) {
        ZSTD_ErrorCode what = ZSTD_getErrorCode(code);
        if (what == ZSTD_error_memory_allocation)
            return decode_fail(d, DECODE_MEMORY, NULL);
        return decode_fail(d, DECODE_BROKEN, what == ZSTD_error_frameParameter_windowTooLarge
                                                 ? "the zstd data needs a window above 128 MiB"
                                                 : "the data is not zstd, or was changed");
    }
    d->whole = code == 0;
    d->more = put.pos == put.size && !d->whole;
    return (ssize_t)put.pos;
}

static ssize_t decode_compressed(struct decode *d, char *out, size_t room)
{
    for (;;) {
        if (d->begin == d->end && !d->more) {
            int filled = decode_fill(d);
            if (filled <= 0)
                return filled;
        }
        ssize_t put = d->encoding == DECODE_GZIP ? decode_gzip_step(d, out, room) : decode_zstd_step(d, out, room);
        if (put != 0)
            return put;
    }
}

ssize_t decode_read(void *arg, char *out, size_t room)
{
    struct decode *d = arg;
    if (d->state != DECODE_FINE)
        return -1;
    room = room < DECODE_ROOM_MOST ? room : DECODE_ROOM_MOST;
    ssize_t put = d->encoding == DECODE_IDENTITY ? d->source(d->arg, out, room) : decode_compressed(d, out, room);
    if (put < 0 && d->state == DECODE_FINE)
        return decode_fail(d, DECODE_SOURCE, NULL);
    if (put > d->most - d->given)
        return decode_fail(d, DECODE_TOO_LARGE, NULL);
    d->given += put > 0 ? put : 0;
    return put;
}

enum decode_state decode_state(const struct decode *d)
{
    return d->state;
}

const char *decode_reason(const struct decode *d)
{
    INVARIANT(d->state == DECODE_BROKEN);
    return d->reason;
}
