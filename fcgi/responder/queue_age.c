/*
 * queue_age: how long a request waited for a worker. See queue_age.h.
 */
#include "responder/queue_age.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_AGE_MOST_MS 3600000
#define QUEUE_AGE_SECONDS_DIGITS 12

int64_t queue_age_read(const char *text)
{
    static const char DIGITS[] = "0123456789";
    size_t seconds = strspn(text, DIGITS);
    if (seconds == 0 || seconds > QUEUE_AGE_SECONDS_DIGITS || text[seconds] != '.')
        return -1;
    const char *fraction = text + seconds + 1;
    if (strspn(fraction, DIGITS) != 3 || fraction[3] != '\0')
        return -1;
    return strtoll(text, NULL, 10) * 1000 + strtoll(fraction, NULL, 10);
}

int64_t queue_age_ms(const char *received, int64_t wall_ms, int64_t since_empty_ms)
{
    int64_t at_ms = received == NULL ? -1 : queue_age_read(received);
    int64_t age_ms = wall_ms - at_ms;
    if (at_ms < 0 || age_ms < 0 || age_ms > QUEUE_AGE_MOST_MS)
        return 0;
    return age_ms < since_empty_ms ? age_ms : since_empty_ms;
}
