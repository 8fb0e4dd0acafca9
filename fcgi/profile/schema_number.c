/*
 * schema_number: JSON numbers by their digits. See schema_number.h.
 */
#include "profile/schema_number.h"

#define SCHEMA_NUMBER_EXPONENT_CAP INT64_C(100000000000) /* nobody tells larger ones apart */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent that begins at `at`, after its letter. */
static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end; at++) {
        if (exponent < SCHEMA_NUMBER_EXPONENT_CAP)
            exponent = exponent * 10 + (*at - '0');
    }
    return negative ? -exponent : exponent;
}

struct schema_number schema_number_read(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    struct schema_number n = {.digits = text, .negative = length > 0 && *text == '-'};
    int64_t before = 0; /* digits before the decimal point, from the first that is not 0; below 0: zeros after it */
    bool point = false, begun = false;
    for (at += n.negative; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (*at != '0' && !begun) {
            begun = true;
            n.digits = at;
        }
        if (!begun)
            before -= point;
        else
            before += !point;
    }
    n.end = at;
    if (at < end)
        n.point = read_exponent(at + 1, end);
    n.point += before;
    if (!begun)
        return (struct schema_number){.digits = text, .end = text};
    while (n.end[-1] == '0' || n.end[-1] == '.')
        n.end--;
    for (const char *digit = n.digits; digit < n.end; digit++)
        n.count += *digit != '.';
    return n;
}

/* The next digit, 0 after the last. */
static char next_digit(const char **at, const char *end)
{
    if (*at < end && **at == '.')
        ++*at;
    return *at < end ? *(*at)++ : '0';
}

/* The same without the signs, of numbers that are not 0. */
static int compare_size(const struct schema_number *a, const struct schema_number *b)
{
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    const char *x = a->digits, *y = b->digits;
    while (x < a->end || y < b->end) {
        int difference = next_digit(&x, a->end) - next_digit(&y, b->end);
        if (difference != 0)
            return difference;
    }
    return 0;
}

static int sign_of(const struct schema_number *n)
{
    if (n->count == 0)
        return 0;
    return n->negative ? -1 : 1;
}

int schema_number_compare(const struct schema_number *a, const struct schema_number *b)
{
    int sign = sign_of(a);
    if (sign != sign_of(b))
        return sign - sign_of(b);
    return sign == 0 ? 0 : sign * compare_size(a, b);
}

bool schema_number_is_integral(const struct schema_number *n)
{
    return n->count == 0 || n->point >= (int64_t)n->count;
}

bool schema_number_fits(const struct schema_number *n, unsigned bits)
{
    static const struct {
        unsigned bits;
        const char *most; /* 2 to the power of bits - 1: one above the greatest, and the size of the least */
        size_t length;
    } BOUNDS[] = {{8, "128", 3}, {16, "32768", 5}, {32, "2147483648", 10}, {64, "9223372036854775808", 19}};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof *BOUNDS; i++) {
        if (BOUNDS[i].bits != bits || n->count == 0)
            continue;
        struct schema_number most = schema_number_read(BOUNDS[i].most, BOUNDS[i].length);
        int order = compare_size(n, &most);
        return order < 0 || (order == 0 && n->negative);
    }
    return true;
}

size_t schema_number_write(const struct schema_number *n, char out[SCHEMA_NUMBER_TEXT_MAX])
{
    size_t at = 0;
    const char *digit = n->digits;
    int64_t left = n->count;
    if (left == 0) {
        out[0] = '0';
        return 1;
    }
    /* a minus, a leading "0.", and all digits and zeros */
    if (n->point > (int64_t)SCHEMA_NUMBER_TEXT_MAX || n->point < -(int64_t)SCHEMA_NUMBER_TEXT_MAX)
        return 0;
    int64_t whole = n->point > 0 ? n->point : 0, zeros = n->point < 0 ? -n->point : 0;
    int64_t places = (left > whole ? left - whole : 0) + zeros;
    if (n->negative + (whole > 0 ? whole : 1) + (places > 0 ? places + 1 : 0) > (int64_t)SCHEMA_NUMBER_TEXT_MAX)
        return 0;
    if (n->negative)
        out[at++] = '-';
    if (whole == 0)
        out[at++] = '0';
    for (int64_t i = 0; i < whole; i++)
        out[at++] = next_digit(&digit, n->end);
    if (places > 0)
        out[at++] = '.';
    for (int64_t i = 0; i < places; i++)
        out[at++] = i < zeros ? '0' : next_digit(&digit, n->end);
    return at;
}
