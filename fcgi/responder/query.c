/*
 * query: percent-decoding and query members. See query.h.
 */
#include "responder/query.h"

#include <stdlib.h>
#include <string.h>

static int query_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How many bytes the UTF-8 character at p has, by its first byte and what must follow (RFC 3629
 * section 4); 0: not well-formed. */
static size_t query_utf8(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) /* also stops at the terminator */
            return 0;
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

bool query_utf8_valid(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = 1;
    while (*p != '\0' && length > 0) {
        length = query_utf8(p);
        p += length;
    }
    return length > 0;
}

static bool query_text_valid(const char *text, bool controls)
{
    for (const char *p = text; *p != '\0' && !controls; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    }
    return query_utf8_valid(text);
}

/* As query_decode(); with `controls`, control characters other than NUL are taken too. */
static char *query_decode_any(struct arena *a, const char *text, size_t length, bool form, bool controls)
{
    char *out = arena_alloc(a, length + 1);
    size_t n = 0;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < length ? query_hex(text[i + 1]) : -1;
            int low = i + 2 < length ? query_hex(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
            if (c == '\0')
                return NULL;
        } else if (c == '+' && form) {
            c = ' ';
        }
        out[n++] = c;
    }
    return query_text_valid(out, controls) ? out : NULL;
}

char *query_decode(struct arena *a, const char *text, size_t length, bool form)
{
    return query_decode_any(a, text, length, form, false);
}

static bool query_parse_any(struct arena *a, const char *text, bool controls, struct query *out)
{
    out->count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "&");
        if (length > 0) {
            const char *equals = memchr(text, '=', length);
            size_t name_length = equals == NULL ? length : (size_t)(equals - text);
            const char *name = query_decode(a, text, name_length, true);
            const char *value = equals == NULL ? "" : query_decode_any(a, equals + 1, length - name_length - 1, true, controls);
            if (name == NULL || value == NULL || out->count == QUERY_MEMBERS_MAX || query_get(out, name) != NULL)
                return false;
            out->member[out->count++] = (struct query_member){name, value};
        }
        text += length + (text[length] != '\0');
    }
    return true;
}

bool query_parse(struct arena *a, const char *text, struct query *out)
{
    return query_parse_any(a, text, false, out);
}

bool query_parse_texts(struct arena *a, const char *text, struct query *out)
{
    return query_parse_any(a, text, true, out);
}

const char *query_get(const struct query *q, const char *name)
{
    for (int i = 0; i < q->count; i++) {
        if (strcmp(q->member[i].name, name) == 0)
            return q->member[i].value;
    }
    return NULL;
}

bool query_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || digits != strlen(text))
        return false;
    *out = strtoll(text, NULL, 10);
    return *out >= least && *out <= most;
}
