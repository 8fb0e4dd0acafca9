/*
 * plain_json: a second opinion on what is JSON and what is text. See fuzz.h.
 *
 * Written for being read: one function a rule of RFC 8259, strings as code points, every number by
 * the C library. Shares no code and no idea with lib/jscan.
 */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"

struct plain {
    const unsigned char *at, *end;
    int depth;
};

struct plain_name {
    uint32_t *point;
    size_t length;
};

static bool plain_value(struct plain *p);

/* One character of UTF-8 (RFC 3629), or -1. */
static int64_t plain_utf8(struct plain *p)
{
    static const int64_t LEAST[] = {0, 0x80, 0x800, 0x10000};
    int64_t c = *p->at++;
    int more = c < 0x80 ? 0 : c < 0xc0 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf8 ? 3 : -1;
    if (more < 0)
        return -1;
    c &= more == 0 ? 0x7f : 0x3f >> more;
    for (int i = 0; i < more; i++) {
        if (p->at == p->end || *p->at >> 6 != 2)
            return -1;
        c = c * 64 + (*p->at++ & 0x3f);
    }
    return c < LEAST[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? -1 : c;
}

bool fuzz_is_text(const char *bytes, size_t length)
{
    struct plain p = {(const unsigned char *)bytes, (const unsigned char *)bytes + length, 0};
    while (p.at < p.end) {
        if (plain_utf8(&p) <= 0)
            return false;
    }
    return true;
}

/* The four digits after \u, or -1. */
static int64_t plain_hex(struct plain *p)
{
    int64_t value = 0;
    for (int i = 0; i < 4; i++) {
        static const char DIGITS[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = p->at < p->end && *p->at != '\0' ? strchr(DIGITS, *p->at) : NULL;
        if (digit == NULL)
            return -1;
        value = value * 16 + (digit - DIGITS) % 16;
        p->at++;
    }
    return value;
}

/* What follows a backslash, or -1. */
static int64_t plain_escape(struct plain *p)
{
    static const char NAMES[] = "\"\\/bfnrt", VALUES[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end)
        return -1;
    unsigned char name = *p->at++;
    const char *found = name == '\0' ? NULL : strchr(NAMES, name);
    if (found != NULL)
        return VALUES[found - NAMES];
    int64_t high = name == 'u' ? plain_hex(p) : -1;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
        return -1;
    p->at += 2;
    int64_t low = plain_hex(p);
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00;
}

/* A string with its quotes; `out` NULL: nobody wants to know what it says. */
static bool plain_string(struct plain *p, struct plain_name *out)
{
    if (p->at == p->end || *p->at++ != '"')
        return false;
    while (p->at < p->end && *p->at != '"') {
        bool escape = *p->at == '\\';
        if (escape)
            p->at++;
        else if (*p->at < 0x20)
            return false;
        int64_t c = escape ? plain_escape(p) : plain_utf8(p);
        if (c <= 0)
            return false;
        if (out != NULL)
            out->point[out->length++] = (uint32_t)c;
    }
    return p->at < p->end && *p->at++ == '"';
}

static size_t plain_digits(struct plain *p)
{
    const unsigned char *begin = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return (size_t)(p->at - begin);
}

static bool plain_take(struct plain *p, char c)
{
    bool there = p->at < p->end && *p->at == (unsigned char)c;
    p->at += there;
    return there;
}

static bool plain_number(struct plain *p)
{
    const unsigned char *begin = p->at;
    bool integer = true;
    (void)plain_take(p, '-');
    bool zero = p->at < p->end && *p->at == '0';
    size_t digits = plain_digits(p);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (plain_take(p, '.')) {
        integer = false;
        if (plain_digits(p) == 0)
            return false;
    }
    if (plain_take(p, 'e') || plain_take(p, 'E')) {
        integer = false;
        if (!plain_take(p, '-'))
            (void)plain_take(p, '+');
        if (plain_digits(p) == 0)
            return false;
    }
    char *text = strndup((const char *)begin, (size_t)(p->at - begin));
    INVARIANT(text != NULL);
    double value = strtod(text, NULL);
    bool exact = digits <= 16 && llabs(strtoll(text, NULL, 10)) <= 9007199254740991;
    free(text);
    return integer ? exact : isfinite(value) != 0;
}

static void plain_space(struct plain *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool plain_member(struct plain *p, struct plain_name *name)
{
    *name = (struct plain_name){calloc((size_t)(p->end - p->at) + 1, sizeof *name->point), 0};
    INVARIANT(name->point != NULL);
    plain_space(p);
    if (!plain_string(p, name))
        return false;
    plain_space(p);
    return plain_take(p, ':') && plain_value(p);
}

static bool plain_names_differ(const struct plain_name *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            if (name[i].length == name[k].length &&
                memcmp(name[i].point, name[k].point, name[i].length * sizeof *name[i].point) == 0)
                return false;
        }
    }
    return true;
}

static bool plain_object(struct plain *p)
{
    struct plain_name *name = NULL;
    size_t count = 0;
    bool good = true;
    plain_space(p);
    bool empty = plain_take(p, '}');
    while (good && !empty) {
        struct plain_name *more = realloc(name, (count + 1) * sizeof *name);
        INVARIANT(more != NULL);
        name = more;
        good = plain_member(p, &name[count++]);
        plain_space(p);
        if (good && plain_take(p, '}'))
            break;
        good = good && plain_take(p, ',');
    }
    good = good && plain_names_differ(name, count);
    for (size_t i = 0; i < count; i++)
        free(name[i].point);
    free(name);
    return good;
}

static bool plain_array(struct plain *p)
{
    plain_space(p);
    if (plain_take(p, ']'))
        return true;
    for (;;) {
        if (!plain_value(p))
            return false;
        plain_space(p);
        if (plain_take(p, ']'))
            return true;
        if (!plain_take(p, ','))
            return false;
    }
}

static bool plain_word(struct plain *p, const char *word)
{
    while (*word != '\0') {
        if (!plain_take(p, *word++))
            return false;
    }
    return true;
}

static bool plain_value(struct plain *p)
{
    plain_space(p);
    bool good, object = plain_take(p, '{');
    if (object || plain_take(p, '[')) {
        if (p->depth-- == 0)
            return false;
        good = object ? plain_object(p) : plain_array(p);
        p->depth++;
        return good;
    }
    if (p->at == p->end)
        return false;
    switch (*p->at) {
    case '"':
        return plain_string(p, NULL);
    case 't':
        return plain_word(p, "true");
    case 'f':
        return plain_word(p, "false");
    case 'n':
        return plain_word(p, "null");
    default:
        return plain_number(p);
    }
}

bool fuzz_is_json(const char *bytes, size_t length, int depth)
{
    struct plain p = {(const unsigned char *)bytes, (const unsigned char *)bytes + length, depth};
    if (!plain_value(&p))
        return false;
    plain_space(&p);
    return p.at == p.end;
}
