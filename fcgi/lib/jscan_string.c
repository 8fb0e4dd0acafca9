/*
 * jscan_string: the rare parts of a string: escapes, and characters beyond ASCII.
 *
 * jscan.c skips plain ASCII itself and comes here with the first byte that is something else.
 */
#include <string.h>

#include "lib/jscan_internal.h"

static const unsigned char *stop_at(struct jscan_stop *stop, const unsigned char *at, enum jscan_fault fault)
{
    *stop = (struct jscan_stop){fault, at};
    return NULL;
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int jscan_hex4(const unsigned char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Checks that \u and four hex digits stand at `p`; returns their value, or -1 and *stop. */
static int read_unit(const unsigned char *p, const unsigned char *end, struct jscan_stop *stop)
{
    for (int i = 2; i < 6; i++) {
        if (end - p <= i) {
            (void)stop_at(stop, end, JSCAN_TRUNCATED);
            return -1;
        }
        if (hex_digit(p[i]) < 0) {
            (void)stop_at(stop, p, JSCAN_ESCAPE);
            return -1;
        }
    }
    return jscan_hex4(p + 2);
}

/* An escape whose backslash is at `p`. */
static const unsigned char *read_escape(const unsigned char *p, const unsigned char *end, struct jscan_stop *stop)
{
    if (end - p < 2)
        return stop_at(stop, end, JSCAN_TRUNCATED);
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : stop_at(stop, p, JSCAN_ESCAPE);
    int unit = read_unit(p, end, stop);
    if (unit < 0)
        return NULL;
    if (unit == 0)
        return stop_at(stop, p, JSCAN_NUL);
    if (unit < 0xd800 || unit > 0xdfff)
        return p + 6;
    if (unit > 0xdbff)
        return stop_at(stop, p, JSCAN_SURROGATE);
    if (end - p < 7 || (p[6] == '\\' && end - p < 8))
        return stop_at(stop, end, JSCAN_TRUNCATED);
    if (p[6] != '\\' || p[7] != 'u')
        return stop_at(stop, p, JSCAN_SURROGATE);
    int low = read_unit(p + 6, end, stop);
    if (low < 0)
        return NULL;
    return low >= 0xdc00 && low <= 0xdfff ? p + 12 : stop_at(stop, p, JSCAN_SURROGATE);
}

/* A character of two to four bytes; the table of well-formed sequences is in RFC 3629 section 4. */
static const unsigned char *read_multibyte(const unsigned char *p, const unsigned char *end, struct jscan_stop *stop)
{
    unsigned char lead = *p;
    unsigned char low = 0x80;  /* bounds of the second byte: they exclude overlong forms, */
    unsigned char high = 0xbf; /* surrogates and code points above U+10FFFF */
    int more;

    if (lead >= 0xc2 && lead <= 0xdf)
        more = 1;
    else if (lead >= 0xe0 && lead <= 0xef)
        more = 2;
    else if (lead >= 0xf0 && lead <= 0xf4)
        more = 3;
    else
        return stop_at(stop, p, JSCAN_UTF8);
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    for (int i = 1; i <= more; i++) {
        if (end - p <= i)
            return stop_at(stop, end, JSCAN_TRUNCATED);
        if (p[i] < low || p[i] > high)
            return stop_at(stop, p, JSCAN_UTF8);
        low = 0x80;
        high = 0xbf;
    }
    return p + more + 1;
}

const unsigned char *jscan_string_rest(const unsigned char *p, const unsigned char *end, uint8_t *escaped,
                                       struct jscan_stop *stop)
{
    while (p < end) {
        unsigned char c = *p;
        if (c == '"')
            return p;
        if (c < 0x20)
            return stop_at(stop, p, JSCAN_CONTROL);
        if (c == '\\') {
            *escaped = 1;
            p = read_escape(p, end, stop);
        } else if (c >= 0x80) {
            p = read_multibyte(p, end, stop);
        } else {
            p++;
        }
        if (p == NULL)
            return NULL;
    }
    return stop_at(stop, end, JSCAN_TRUNCATED);
}

static size_t encode_utf8(unsigned long code, char piece[4])
{
    if (code < 0x80) {
        piece[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        piece[0] = (char)(0xc0 | code >> 6);
        piece[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        piece[0] = (char)(0xe0 | code >> 12);
        piece[1] = (char)(0x80 | (code >> 6 & 0x3f));
        piece[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    piece[0] = (char)(0xf0 | code >> 18);
    piece[1] = (char)(0x80 | (code >> 12 & 0x3f));
    piece[2] = (char)(0x80 | (code >> 6 & 0x3f));
    piece[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

const char *jscan_unescape(const char *at, char piece[4], size_t *length)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";

    *length = 1;
    piece[0] = at[0];
    if (at[0] != '\\')
        return at + 1;
    if (at[1] != 'u') {
        const char *named = strchr(from, at[1]);
        piece[0] = at[1];
        if (named != NULL)
            piece[0] = to[named - from];
        return at + 2;
    }
    unsigned long code = (unsigned long)jscan_hex4((const unsigned char *)at + 2);
    at += 6;
    if (code >= 0xd800 && code <= 0xdbff) {
        unsigned long low = (unsigned long)jscan_hex4((const unsigned char *)at + 2);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
    }
    *length = encode_utf8(code, piece);
    return at;
}
