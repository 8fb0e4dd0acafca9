/*
 * parquet_number: short decimals by one exact operation, all others by strtod. See parquet_number.h.
 */
#include "export/parquet_number.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define DIGITS_MOST 15 /* any such integer is exact as a double */
#define POWER_MOST 22  /* the greatest power of ten that is */

double parquet_number(const char *text, size_t length, locale_t plain)
{
    static const double power[POWER_MOST + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t at = text[0] == '-' ? 1 : 0;
    int64_t digits = 0;
    unsigned count = 0, places = 0;
    bool point = false;
    for (; at < length && count <= DIGITS_MOST; at++) {
        if (text[at] == '.') {
            point = true;
            continue;
        }
        if (text[at] < '0' || text[at] > '9')
            break;
        digits = digits * 10 + (text[at] - '0');
        count++;
        places += point ? 1 : 0;
    }
    /* Both operands are exact, so their quotient is rounded once: it is the nearest (Clinger 1990). */
    if (at == length && count <= DIGITS_MOST) {
        double value = (double)digits / power[places];
        return text[0] == '-' ? -value : value;
    }
    return strtod_l(text, NULL, plain);
}
