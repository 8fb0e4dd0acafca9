/*
 * clock: the two clocks. Wall time for what clients see, monotonic time for deadlines.
 */
#ifndef CONSIGN_LIB_CLOCK_H
#define CONSIGN_LIB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void);      /* milliseconds since 1970-01-01T00:00:00Z */
int64_t clock_monotonic_ms(void); /* milliseconds since some fixed point; never goes back */
int64_t clock_monotonic_us(void); /* the same in microseconds */

/* Parses an RFC 3339 date-time (section 5.6; `T` and `Z` in either case, any fraction, offset
 * required) to milliseconds since 1970, cut (not rounded) to the millisecond. A leap second counts
 * as the second after. False when the text is anything else or the date does not exist. */
bool clock_parse_rfc3339(const char *text, size_t length, int64_t *ms) __attribute__((warn_unused_result));

#endif
