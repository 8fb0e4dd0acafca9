/*
 * upload: cuts an uploaded file into records. See upload.h.
 */
#include "store/upload.h"

#include <stdlib.h>
#include <string.h>

#include "store/frame.h"

#define UPLOAD_CHUNK_BYTES 65536u

bool upload_init(struct upload *u, size_t most_bytes)
{
    memset(u, 0, sizeof *u);
    u->most_bytes = most_bytes;
    u->capacity = most_bytes + UPLOAD_CHUNK_BYTES;
    u->buffer = malloc(u->capacity);
    return u->buffer != NULL;
}

void upload_free(struct upload *u)
{
    free(u->buffer);
    u->buffer = NULL;
}

void upload_open(struct upload *u, upload_read *read, void *arg)
{
    u->read = read;
    u->arg = arg;
    u->begin = u->end = 0;
    u->at_end = u->failed = false;
    u->line = 1;
    u->offset = 0;
    u->form = UPLOAD_UNKNOWN;
    u->first_element = true;
}

void upload_open_rows(struct upload *u, upload_read *read, void *arg, char delimiter)
{
    upload_open(u, read, arg);
    u->form = UPLOAD_ROWS;
    u->delimiter = delimiter;
}

void upload_place(const struct upload *u, struct upload_record *out)
{
    memset(out, 0, sizeof *out);
    out->text = "";
    out->line = u->line;
    out->offset = u->offset;
}

/* Reads on behind what is in the buffer. False: the file ended or failed. */
static bool upload_fill(struct upload *u)
{
    if (u->at_end || u->failed)
        return false;
    if (u->begin == u->end) {
        u->begin = u->end = 0;
    } else if (u->capacity - u->end < UPLOAD_CHUNK_BYTES / 2 && u->begin > 0) {
        memmove(u->buffer, u->buffer + u->begin, u->end - u->begin);
        u->end -= u->begin;
        u->begin = 0;
    }
    ssize_t got = u->read(u->arg, u->buffer + u->end, u->capacity - u->end);
    u->failed = got < 0;
    u->at_end = got == 0;
    if (got > 0)
        u->end += (size_t)got;
    return got > 0;
}

/* Passes over n bytes of the buffer. */
static void upload_consume(struct upload *u, size_t n)
{
    const char *at = u->buffer + u->begin, *stop = at + n;
    while (at < stop && (at = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
        u->line++;
        at++;
    }
    u->begin += n;
    u->offset += (int64_t)n;
}

/* Passes over blanks. False: nothing follows. */
static bool upload_skip_blanks(struct upload *u)
{
    for (;;) {
        size_t at = u->begin;
        while (at < u->end && frame_is_blank(u->buffer[at]))
            at++;
        upload_consume(u, at - u->begin);
        if (u->begin < u->end)
            return true;
        if (!upload_fill(u))
            return false;
    }
}

static enum upload_result upload_broken(const struct upload *u, const char *reason, struct upload_record *out)
{
    if (u->failed)
        return UPLOAD_FAILED;
    out->text = u->buffer + u->begin;
    out->length = u->end - u->begin < UPLOAD_HEAD_BYTES ? u->end - u->begin : UPLOAD_HEAD_BYTES;
    out->line = u->line;
    out->offset = u->offset;
    out->reason = reason;
    return UPLOAD_BROKEN;
}

/* Keeps the beginning of a record that is about to be passed over. */
static void upload_keep_head(struct upload *u, struct upload_record *out)
{
    size_t have = u->end - u->begin;
    out->length = have < UPLOAD_HEAD_BYTES ? have : UPLOAD_HEAD_BYTES;
    memcpy(u->head, u->buffer + u->begin, out->length);
    out->text = u->head;
}

/* Frames the record that begins at buffer[begin], reading on as needed. The frame tells where it
 * ends. What is longer than the limit is passed over in pieces. */
static enum upload_result upload_frame(struct upload *u, struct frame *frame, struct upload_record *out)
{
    size_t looked = 0; /* bytes behind begin that the frame has seen */
    bool oversized = false;
    out->line = u->line;
    out->offset = u->offset;
    for (;;) {
        looked += frame_scan(frame, u->buffer + u->begin + looked, u->end - u->begin - looked);
        if (!oversized && looked > u->most_bytes + 1) { /* a CR is no part of it; record looks closer */
            oversized = true;
            upload_keep_head(u, out);
        }
        if (frame->state != FRAME_OPEN)
            break;
        if (oversized) {
            upload_consume(u, looked);
            looked = 0;
        }
        if (!upload_fill(u)) {
            frame_end(frame);
            break;
        }
    }
    if (u->failed)
        return UPLOAD_FAILED;
    if (frame->state == FRAME_BROKEN) {
        upload_consume(u, looked);
        return upload_broken(u, frame->reason, out);
    }
    if (!oversized) {
        out->text = u->buffer + u->begin;
        out->length = looked;
        if (u->form == UPLOAD_ROWS)
            out->length -= out->length > 0 && out->text[out->length - 1] == '\r';
        else
            while (out->length > 0 && frame_is_blank(out->text[out->length - 1]))
                out->length--;
    }
    upload_consume(u, looked);
    return oversized ? UPLOAD_OVERSIZED : UPLOAD_RECORD;
}

/* In an array, in front of an element, a comma or the end. */
static enum upload_result upload_next_element(struct upload *u, struct upload_record *out)
{
    if (!upload_skip_blanks(u))
        return upload_broken(u, "the array ends without its bracket", out);
    if (u->buffer[u->begin] == ']') {
        upload_consume(u, 1);
        u->form = UPLOAD_AFTER_ARRAY;
        return upload_skip_blanks(u) ? upload_broken(u, "something follows the array", out)
               : u->failed           ? UPLOAD_FAILED
                                     : UPLOAD_END;
    }
    if (!u->first_element) {
        if (u->buffer[u->begin] != ',')
            return upload_broken(u, "a comma is missing between two elements", out);
        upload_consume(u, 1);
        if (!upload_skip_blanks(u))
            return upload_broken(u, "the array ends without its bracket", out);
    }
    u->first_element = false;
    if (u->buffer[u->begin] == ',' || u->buffer[u->begin] == ']')
        return upload_broken(u, "an element is missing between two commas", out);
    struct frame frame = FRAME_ELEMENT;
    return upload_frame(u, &frame, out);
}

/* In CSV blanks belong to fields: only ends of lines are skipped. */
static bool upload_skip_line_ends(struct upload *u)
{
    for (;;) {
        size_t at = u->begin;
        while (at < u->end && (u->buffer[at] == '\n' || u->buffer[at] == '\r'))
            at++;
        upload_consume(u, at - u->begin);
        if (u->begin < u->end)
            return true;
        if (!upload_fill(u))
            return false;
    }
}

static enum upload_result upload_next_row(struct upload *u, struct upload_record *out)
{
    if (u->offset == 0) {
        bool more = true;
        while (more && u->end - u->begin < 3)
            more = upload_fill(u);
        if (u->end - u->begin >= 3 && memcmp(u->buffer + u->begin, "\xef\xbb\xbf", 3) == 0)
            upload_consume(u, 3);
    }
    if (!upload_skip_line_ends(u))
        return u->failed ? UPLOAD_FAILED : UPLOAD_END;
    struct frame frame = FRAME_ROW(u->delimiter);
    return upload_frame(u, &frame, out);
}

enum upload_result upload_next(struct upload *u, struct upload_record *out)
{
    memset(out, 0, sizeof *out);
    if (u->form == UPLOAD_ROWS)
        return upload_next_row(u, out);
    if (u->form == UPLOAD_ARRAY)
        return upload_next_element(u, out);
    if (u->form == UPLOAD_AFTER_ARRAY)
        return UPLOAD_END;
    if (!upload_skip_blanks(u))
        return u->failed ? UPLOAD_FAILED : UPLOAD_END;
    if (u->form == UPLOAD_UNKNOWN && u->buffer[u->begin] == '[') {
        u->form = UPLOAD_ARRAY;
        upload_consume(u, 1);
        return upload_next_element(u, out);
    }
    u->form = UPLOAD_LINES;
    struct frame frame = FRAME_LINE;
    return upload_frame(u, &frame, out);
}
