/*
 * str: growing text buffers. See str.h.
 */
#include "lib/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/invariant.h"

#define FIRST_CAPACITY 256

void str_free(struct str *s)
{
    free(s->data);
    s->data = NULL;
    s->length = 0;
    s->capacity = 0;
    s->overflow = false;
}

void str_reset(struct str *s)
{
    s->length = 0;
    s->overflow = false;
    if (s->data != NULL)
        s->data[0] = '\0';
}

/* Makes room for `more` bytes and the terminator, or sets the overflow flag. */
static bool make_room(struct str *s, size_t more)
{
    if (s->overflow)
        return false;
    if (more < s->capacity - s->length)
        return true;
    if (s->length >= s->bound || more >= s->bound - s->length) {
        s->overflow = true;
        return false;
    }
    size_t needed = s->length + more + 1;
    size_t capacity = s->capacity < FIRST_CAPACITY / 2 ? FIRST_CAPACITY : s->capacity * 2;
    if (s->capacity > s->bound / 2 || capacity > s->bound)
        capacity = s->bound;
    if (capacity < needed)
        capacity = needed;
    char *data = realloc(s->data, capacity);
    if (data == NULL) {
        s->overflow = true;
        return false;
    }
    s->data = data;
    s->capacity = capacity;
    return true;
}

void str_append(struct str *s, const char *bytes, size_t length)
{
    if (!make_room(s, length))
        return;
    if (length > 0)
        memcpy(s->data + s->length, bytes, length);
    s->length += length;
    s->data[s->length] = '\0';
}

void str_append_text(struct str *s, const char *text)
{
    str_append(s, text, strlen(text));
}

void str_append_char(struct str *s, char c)
{
    str_append(s, &c, 1);
}

void str_append_int(struct str *s, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (n < 0)
        digits[--at] = '-';
    str_append(s, digits + at, sizeof digits - at);
}

void str_printf(struct str *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int needed = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (needed < 0) {
        s->overflow = true;
        return;
    }
    if (!make_room(s, (size_t)needed))
        return;
    va_start(arguments, format);
    (void)vsnprintf(s->data + s->length, (size_t)needed + 1, format, arguments);
    va_end(arguments);
    s->length += (size_t)needed;
}

/* Appends one byte that RFC 8259 section 7 does not allow as it is. */
static void append_escaped(struct str *s, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t length = 2;

    switch (c) {
    case '"':
    case '\\':
        escape[1] = (char)c;
        break;
    case '\b':
        escape[1] = 'b';
        break;
    case '\t':
        escape[1] = 't';
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\f':
        escape[1] = 'f';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    default:
        length = 6;
        break;
    }
    str_append(s, escape, length);
}

void str_append_json(struct str *s, const char *bytes, size_t length)
{
    size_t plain = 0; /* start of the bytes not yet appended */

    str_append_char(s, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        str_append(s, bytes + plain, i - plain);
        append_escaped(s, c);
        plain = i + 1;
    }
    str_append(s, bytes + plain, length - plain);
    str_append_char(s, '"');
}

void str_copy_fitting(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    INVARIANT(length < size);
    memcpy(out, text, length + 1);
}
