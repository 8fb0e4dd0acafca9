/*
 * frame: where a record ends. See frame.h.
 */
#include "store/frame.h"

#include <string.h>

#define FRAME_KINDS 64u /* deeper brackets are counted, not compared: jscan refuses the record anyway */

static void frame_break(struct frame *f, const char *reason)
{
    f->state = FRAME_BROKEN;
    f->reason = reason;
}

static void frame_open(struct frame *f, bool brace)
{
    if (f->depth < FRAME_KINDS) {
        uint64_t bit = UINT64_C(1) << f->depth;
        f->kinds = brace ? f->kinds | bit : f->kinds & ~bit;
    }
    f->depth++;
}

static void frame_close(struct frame *f, bool brace)
{
    f->depth--;
    if (f->depth < FRAME_KINDS && brace != ((f->kinds >> f->depth & 1) != 0))
        frame_break(f, "a closing bracket does not fit its opening one");
    else if (f->depth == 0)
        f->state = FRAME_WHOLE;
}

/* Goes on inside a string; answers how many bytes it took. */
static size_t frame_string(struct frame *f, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (f->escaped)
            f->escaped = false;
        else if (bytes[i] == '\\')
            f->escaped = true;
        else if (bytes[i] == '"') {
            f->in_string = false;
            if (f->depth == 0)
                f->state = FRAME_WHOLE;
            return i + 1;
        }
    }
    return length;
}

/* Takes one byte outside of strings. False: it does not belong to the element. */
static bool frame_token(struct frame *f, char c)
{
    switch (c) {
    case '"':
        f->in_string = true;
        return true;
    case '{':
    case '[':
        frame_open(f, c == '{');
        return true;
    case '}':
    case ']':
        if (f->depth > 0) {
            frame_close(f, c == '}');
            return true;
        }
        break;
    case ',':
        if (f->depth > 0)
            return true;
        break;
    default:
        return true;
    }
    if (c == '}')
        frame_break(f, "a closing bracket without an opening one");
    else
        f->state = FRAME_WHOLE; /* a bare value ends in front of what follows it */
    return false;
}

static size_t frame_element(struct frame *f, const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && f->state == FRAME_OPEN) {
        if (f->in_string)
            at += frame_string(f, bytes + at, length - at);
        else if (frame_token(f, bytes[at]))
            at++;
    }
    return at;
}

/* RFC 4180 section 2: a quote at the beginning of a field opens it, two inside are one, and inside the line may end.
 * A quote anywhere else is csv's to refuse. */
static size_t frame_row(struct frame *f, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (f->in_string) {
            f->in_string = c != '"';
            f->escaped = c == '"';
            continue;
        }
        if (c == '\n') {
            f->state = FRAME_WHOLE;
            return i;
        }
        f->in_string = c == '"' && (f->escaped || !f->in_field);
        f->escaped = false;
        f->in_field = c != f->delimiter;
    }
    return length;
}

size_t frame_scan(struct frame *f, const char *bytes, size_t length)
{
    if (!f->line)
        return frame_element(f, bytes, length);
    if (f->delimiter != '\0')
        return frame_row(f, bytes, length);
    const char *stop = length == 0 ? NULL : memchr(bytes, '\n', length);
    if (stop == NULL)
        return length;
    f->state = FRAME_WHOLE;
    return (size_t)(stop - bytes);
}

void frame_end(struct frame *f)
{
    if (f->line)
        f->state = FRAME_WHOLE;
    else
        frame_break(f, "the array ends inside an element");
}
