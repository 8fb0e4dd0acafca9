/*
 * byte_range: the header Range of a request. See byte_range.h.
 */
#include "responder/byte_range.h"

#include <stdlib.h>
#include <string.h>

#define BYTE_RANGE_DIGITS 15u

bool byte_range_plain(const char *range, int64_t bytes)
{
    if (strncmp(range, "bytes=", 6) != 0)
        return false;
    range += 6;
    size_t first = strspn(range, "0123456789");
    if (first > BYTE_RANGE_DIGITS || range[first] != '-')
        return false;
    size_t last = strspn(range + first + 1, "0123456789");
    if (last > BYTE_RANGE_DIGITS || range[first + 1 + last] != '\0')
        return false;
    int64_t from = strtoll(range, NULL, 10), to = strtoll(range + first + 1, NULL, 10);
    if (first == 0) /* the last so many */
        return last > 0 && to > 0 && bytes > 0;
    return from < bytes && (last == 0 || from <= to);
}
