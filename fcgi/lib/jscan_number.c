/*
 * jscan_number: the form and the range of numbers (RFC 8259 section 6, RFC 7493 section 2.2).
 *
 * Whether a number is finite as a double is decided on its digits, exactly and without strtod():
 * that one needs a terminated copy, reads the decimal point of the process's locale, and costs
 * time in proportion to a length the client chooses.
 */
#include <stdbool.h>
#include <string.h>

#include "lib/jscan_internal.h"

/* 2^53 - 1, the greatest integer of which every smaller one is exact as a double. */
#define MOST_INTEGER "9007199254740991"
#define MOST_INTEGER_DIGITS 16

/* 2^1024 - 2^970, 309 digits: half a step above the greatest double, so that this and all above
 * it round to infinity. */
static const char first_infinite[] =
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070963"
    "3028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447573027"
    "0069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792";
#define FIRST_INFINITE_DIGITS ((int64_t)sizeof first_infinite - 1)

#define EXPONENT_CAP INT64_C(100000000000) /* more than any text has digits: nothing is decided beyond it */

static const unsigned char *stop_at(struct jscan_stop *stop, const unsigned char *at, enum jscan_fault fault)
{
    *stop = (struct jscan_stop){fault, at};
    return NULL;
}

static inline const unsigned char *skip_digits(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* Whether the digits from `p`, a point among them skipped, times the power of ten that puts the
 * first one in the 309th place, reach first_infinite. `p` is at a digit other than 0. */
static bool reaches_infinity(const unsigned char *p, const unsigned char *end)
{
    const char *bound = first_infinite;
    for (; p < end && *bound != '\0'; p++) {
        if (*p == '.')
            continue;
        if (*p != (unsigned char)*bound)
            return *p > (unsigned char)*bound;
        bound++;
    }
    /* Equal so far: the missing digits are zeros. */
    return strspn(bound, "0") == strlen(bound);
}

/* Whether mantissa (digits, perhaps with a point) times 10^exponent is finite as a double. */
static bool is_finite(const unsigned char *mantissa, const unsigned char *end, int64_t exponent)
{
    const unsigned char *point = memchr(mantissa, '.', (size_t)(end - mantissa));
    const unsigned char *first = mantissa;
    while (first < end && (*first == '0' || *first == '.'))
        first++;
    if (first == end)
        return true;
    int64_t places = (point == NULL ? end : point) - first; /* digits before the point, from `first` */
    if (point != NULL && first > point)
        places++; /* the point itself is not a digit */
    places += exponent;
    if (places != FIRST_INFINITE_DIGITS)
        return places < FIRST_INFINITE_DIGITS;
    return !reaches_infinity(first, end);
}

/* Reads the exponent whose sign or first digit is at *p, capped; false when it has no digit. */
static bool read_exponent(const unsigned char **p, const unsigned char *end, int64_t *exponent)
{
    bool negative = *p < end && **p == '-';
    if (*p < end && (**p == '-' || **p == '+'))
        ++*p;
    const unsigned char *digits = *p;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p)
        if (*exponent < EXPONENT_CAP)
            *exponent = *exponent * 10 + (**p - '0');
    if (negative)
        *exponent = -*exponent;
    return *p > digits;
}

/* The part of a number from its point or exponent on; `digits` is where its digits began. */
static const unsigned char *read_fraction(const unsigned char *digits, const unsigned char *p, const unsigned char *end,
                                          struct jscan_stop *stop)
{
    int64_t exponent = 0;
    if (*p == '.') {
        const unsigned char *fraction = ++p;
        p = skip_digits(p, end);
        if (p == fraction)
            return stop_at(stop, p, JSCAN_NUMBER_FORM);
    }
    const unsigned char *mantissa_end = p;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!read_exponent(&p, end, &exponent))
            return stop_at(stop, p, JSCAN_NUMBER_FORM);
    }
    if (!is_finite(digits, mantissa_end, exponent))
        return stop_at(stop, digits, JSCAN_RANGE);
    return p;
}

const unsigned char *jscan_number_read(const unsigned char *p, const unsigned char *end, enum jscan_type *type,
                                       struct jscan_stop *stop)
{
    const unsigned char *begin = p;
    if (*p == '-')
        p++;
    const unsigned char *digits = p;
    p = skip_digits(p, end);
    int64_t length = p - digits;
    if (length == 0)
        return stop_at(stop, p, JSCAN_NUMBER_FORM);
    if (*digits == '0' && length > 1)
        return stop_at(stop, begin, JSCAN_NUMBER_FORM);
    if (p < end && (*p == '.' || *p == 'e' || *p == 'E')) {
        *type = JSCAN_NUMBER;
        return read_fraction(digits, p, end, stop);
    }
    *type = JSCAN_INTEGER;
    if (length > MOST_INTEGER_DIGITS ||
        (length == MOST_INTEGER_DIGITS && memcmp(digits, MOST_INTEGER, MOST_INTEGER_DIGITS) > 0))
        return stop_at(stop, begin, JSCAN_RANGE);
    return p;
}
