/*
 * sink_json: rows as lines of JSON, compressed by zstd or not. See sink_json_open() in sink.h.
 *
 * Two fixed buffers: rows gather in `in`; when it is full it goes through the compressor into `out`
 * and from there into the file. One compressor serves all parts: each part is one zstd frame with
 * a checksum. What a part holds is known to within what the compressor keeps back, under 256 KiB. The compressor's
 * window, the greatest part of a sink's memory, is at most an eighth of memory_bytes.
 */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "export/sink.h"
#include "lib/invariant.h"
#include "lib/log.h"

#define LEVEL 1 /* of lines of JSON; level 3 took twice its CPU, more than all else of an export together */
#define BUFFER_LEAST ((size_t)16 * 1024)
#define BUFFER_MOST ((size_t)128 * 1024)
#define WINDOW_LEAST 15 /* bits */
#define WINDOW_MOST 19  /* what the level has by itself */
#define TABLE_LEAST 12

struct sink_json {
    struct sink base; /* first: the functions get a pointer to it */
    struct part part; /* open while it has a file */
    uint64_t part_rows;
    ZSTD_CCtx *compressor; /* NULL for SINK_PLAIN */
    bool empty;            /* the row at hand has no member yet */
    bool events;           /* its eventList is open */
    size_t filled;         /* bytes in `in` */
    size_t buffer_bytes;   /* room in each of the two */
    char *in;
    char *out;
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
        ZSTD_outBuffer out = {s->out, s->buffer_bytes, 0};
        size_t left = ZSTD_compressStream2(s->compressor, &out, &in, end);
        if (ZSTD_isError(left)) {
            log_event(LOG_ERROR, "zstd", "reason=%s", log_quote(ZSTD_getErrorName(left)));
            return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? FAULT_MEMORY : FAULT_INTERNAL;
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

static enum fault put(struct sink_json *s, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room = s->buffer_bytes - s->filled;
        size_t taken = length < room ? length : room;
        memcpy(s->in + s->filled, bytes, taken);
        s->filled += taken;
        bytes += taken;
        length -= taken;
        if (s->filled == s->buffer_bytes) {
            enum fault fault = flush(s);
            if (fault != FAULT_NONE)
                return fault;
        }
    }
    return FAULT_NONE;
}

static enum fault put_text(struct sink_json *s, const char *text)
{
    return put(s, text, strlen(text));
}

static enum fault begin_part(struct sink_json *s)
{
    char name[PART_NAME_BYTES];
    sink_name_part(&s->base, s->compressor != NULL ? ".json.zst" : ".json", name);
    enum fault fault = part_create(&s->part, s->base.settings.directory, name);
    s->part.written = s->base.settings.written;
    return fault;
}

static enum fault row_begin(struct sink *sink, const char *profile, size_t length)
{
    struct sink_json *s = self_of(sink);
    enum fault fault = s->part.file < 0 ? begin_part(s) : FAULT_NONE;
    INVARIANT(length >= 2 && profile[length - 1] == '}');
    length--; /* the brace: eventList may follow */
    size_t last = length - 1;
    while (last > 0 && profile[last] == ' ')
        last--;
    s->empty = last == 0;
    s->events = false;
    return fault == FAULT_NONE ? put(s, profile, length) : fault;
}

static enum fault row_event(struct sink *sink, const char *event, size_t length)
{
    struct sink_json *s = self_of(sink);
    const char *before = s->events ? "," : s->empty ? "\"eventList\":[" : ",\"eventList\":[";
    enum fault fault = put_text(s, before);
    s->events = true;
    return fault == FAULT_NONE ? put(s, event, length) : fault;
}

static enum fault row_end(struct sink *sink)
{
    struct sink_json *s = self_of(sink);
    uint64_t most = sink->settings.part_bytes;
    enum fault fault = put_text(s, s->events ? "]}\n" : "}\n");

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
    free(s->in);
    free(s->out);
    free(s);
}

static const struct sink_kind json_kind = {row_begin, row_event, row_end, finish, release};

static bool set(struct sink_json *s, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(s->compressor, parameter, value));
}

/* Makes the compressor, or false. */
static bool open_compressor(struct sink_json *s)
{
    int window = WINDOW_LEAST;
    while (window < WINDOW_MOST && (size_t)2 << window <= s->base.settings.memory_bytes / 8)
        window++;
    s->compressor = ZSTD_createCCtx();
    return s->compressor != NULL && set(s, ZSTD_c_compressionLevel, LEVEL) && set(s, ZSTD_c_checksumFlag, 1) &&
           set(s, ZSTD_c_windowLog, window) &&
           /* with the greatest window the tables are the level's own */
           (window == WINDOW_MOST || (set(s, ZSTD_c_hashLog, TABLE_LEAST) && set(s, ZSTD_c_chainLog, TABLE_LEAST)));
}

/* Makes the two buffers, or false. */
static bool open_buffers(struct sink_json *s)
{
    size_t bytes = s->base.settings.memory_bytes / 16;
    s->buffer_bytes = bytes < BUFFER_LEAST ? BUFFER_LEAST : bytes > BUFFER_MOST ? BUFFER_MOST : bytes;
    s->in = malloc(s->buffer_bytes);
    s->out = malloc(s->buffer_bytes);
    return s->in != NULL && s->out != NULL;
}

enum fault sink_json_open(const struct sink_settings *settings, struct sink **out)
{
    struct sink_json *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return FAULT_MEMORY;
    s->base.kind = &json_kind;
    s->base.settings = *settings;
    s->part = PART_INIT;
    if (!open_buffers(s) || (settings->compression == SINK_ZSTD && !open_compressor(s))) {
        release(&s->base);
        return FAULT_MEMORY;
    }
    *out = &s->base;
    return FAULT_NONE;
}
