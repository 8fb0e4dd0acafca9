/*
 * sink_json: rows as lines of JSON, compressed by zstd or not. See json_sink_open() in sink.h.
 *
 * Two fixed buffers: rows gather in `in`; when it is full it goes through the compressor into `out`
 * and from there into the file. One compressor serves all parts: each part is one zstd frame with
 * a checksum. What a part holds is known to within what the compressor keeps back, under 256 KiB.
 */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "export/sink.h"
#include "lib/log.h"

#define LEVEL 3 /* 349,000 rows a second and core, COPY included */
#define BUFFER_BYTES (128u * 1024u)

struct sink_json {
    struct sink base; /* first: the functions get a pointer to it */
    struct part part; /* open while it has a file */
    uint64_t part_rows;
    ZSTD_CCtx *compressor; /* NULL for SINK_PLAIN */
    size_t filled;         /* bytes in `in` */
    char in[BUFFER_BYTES];
    char out[BUFFER_BYTES];
};

static struct sink_json *self_of(struct sink *sink)
{
    return (struct sink_json *)(void *)sink;
}

/* Sends what has gathered through the compressor into the file; `end` also ends the frame. */
static enum fault compress(struct sink_json *s, ZSTD_EndDirective end)
{
    ZSTD_inBuffer in = {s->in, s->filled, 0};
    bool more = true;

    while (more) {
        ZSTD_outBuffer out = {s->out, sizeof s->out, 0};
        size_t left = ZSTD_compressStream2(s->compressor, &out, &in, end);
        if (ZSTD_isError(left)) {
            log_event(LOG_ERROR, "zstd", "reason=%s", log_quote(ZSTD_getErrorName(left)));
            return FAULT_INTERNAL;
        }
        if (out.pos > 0) {
            enum fault fault = part_write(&s->part, s->out, out.pos);
            if (fault != FAULT_NONE)
                return fault;
        }
        more = end == ZSTD_e_end ? left > 0 : in.pos < in.size;
    }
    s->filled = 0;
    return FAULT_NONE;
}

static enum fault flush(struct sink_json *s)
{
    if (s->compressor != NULL)
        return compress(s, ZSTD_e_continue);
    size_t length = s->filled;
    s->filled = 0;
    return part_write(&s->part, s->in, length);
}

static enum fault end_part(struct sink_json *s)
{
    enum fault fault = s->compressor != NULL ? compress(s, ZSTD_e_end) : flush(s);
    if (fault != FAULT_NONE)
        return fault;
    s->part.described.rows = s->part_rows;
    s->part_rows = 0;
    return sink_add_part(&s->base, &s->part);
}

static enum fault row_begin(struct sink *sink)
{
    struct sink_json *s = self_of(sink);
    char name[PART_NAME_BYTES];

    if (s->part.file >= 0)
        return FAULT_NONE;
    sink_name_part(sink, s->compressor != NULL ? ".json.zst" : ".json", name);
    return part_create(&s->part, sink->settings.directory, name);
}

static enum fault row_bytes(struct sink *sink, const char *bytes, size_t length)
{
    struct sink_json *s = self_of(sink);

    while (length > 0) {
        size_t room = sizeof s->in - s->filled;
        size_t taken = length < room ? length : room;
        memcpy(s->in + s->filled, bytes, taken);
        s->filled += taken;
        bytes += taken;
        length -= taken;
        if (s->filled == sizeof s->in) {
            enum fault fault = flush(s);
            if (fault != FAULT_NONE)
                return fault;
        }
    }
    return FAULT_NONE;
}

static enum fault row_end(struct sink *sink)
{
    struct sink_json *s = self_of(sink);
    uint64_t most = sink->settings.part_bytes;
    enum fault fault = row_bytes(sink, "\n", 1);

    if (fault != FAULT_NONE)
        return fault;
    s->part_rows++;
    uint64_t written = s->part.described.bytes + (s->compressor == NULL ? s->filled : 0);
    return most != 0 && written >= most ? end_part(s) : FAULT_NONE;
}

static enum fault finish(struct sink *sink)
{
    struct sink_json *s = self_of(sink);
    return s->part.file >= 0 ? end_part(s) : FAULT_NONE;
}

static void release(struct sink *sink)
{
    struct sink_json *s = self_of(sink);
    part_discard(&s->part);
    ZSTD_freeCCtx(s->compressor);
    free(s);
}

static const struct sink_kind json_kind = {row_begin, row_bytes, row_end, finish, release};

/* Makes the compressor, or false. */
static bool open_compressor(struct sink_json *s)
{
    s->compressor = ZSTD_createCCtx();
    return s->compressor != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(s->compressor, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(s->compressor, ZSTD_c_checksumFlag, 1));
}

enum fault json_sink_open(const struct sink_settings *settings, struct sink **out)
{
    struct sink_json *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return FAULT_MEMORY;
    s->base.kind = &json_kind;
    s->base.settings = *settings;
    s->part = PART_INIT;
    if (settings->compression == SINK_ZSTD && !open_compressor(s)) {
        release(&s->base);
        return FAULT_MEMORY;
    }
    *out = &s->base;
    return FAULT_NONE;
}
