/*
 * clock: the two clocks and RFC 3339. See clock.h.
 */
#include "lib/clock.h"

#include <time.h>

static int64_t clock_read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t clock_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int clock_month_days(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : DAYS[month - 1];
}

/* Reads exactly `digits` decimal digits at *at; -1 when they are not there. */
static int clock_number(const char *text, size_t length, size_t *at, int digits)
{
    int n = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= length || text[*at] < '0' || text[*at] > '9')
            return -1;
        n = n * 10 + (text[*at] - '0');
    }
    return n;
}

static bool clock_skip(const char *text, size_t length, size_t *at, char wanted)
{
    if (*at >= length || text[*at] != wanted)
        return false;
    (*at)++;
    return true;
}

/* The fraction of a second in milliseconds; 0 when there is none, -1 when it has no digit. */
static int clock_fraction_ms(const char *text, size_t length, size_t *at)
{
    if (!clock_skip(text, length, at, '.'))
        return 0;
    int ms = 0, digits = 0;
    for (; *at < length && text[*at] >= '0' && text[*at] <= '9'; (*at)++, digits++) {
        if (digits < 3)
            ms = ms * 10 + (text[*at] - '0');
    }
    for (int i = digits; i < 3; i++)
        ms *= 10;
    return digits == 0 ? -1 : ms;
}

/* The offset in minutes east of UTC. */
static bool clock_offset(const char *text, size_t length, size_t *at, int *minutes)
{
    *minutes = 0;
    if (clock_skip(text, length, at, 'Z') || clock_skip(text, length, at, 'z'))
        return true;
    bool west = clock_skip(text, length, at, '-');
    if (!west && !clock_skip(text, length, at, '+'))
        return false;
    int hour = clock_number(text, length, at, 2);
    if (!clock_skip(text, length, at, ':'))
        return false;
    int minute = clock_number(text, length, at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

bool clock_parse_rfc3339(const char *text, size_t length, int64_t *ms)
{
    size_t at = 0;
    int year = clock_number(text, length, &at, 4);
    bool dash = clock_skip(text, length, &at, '-');
    int month = clock_number(text, length, &at, 2);
    dash = dash && clock_skip(text, length, &at, '-');
    int day = clock_number(text, length, &at, 2);
    if (!dash || year < 0 || month < 1 || month > 12 || day < 1 || day > clock_month_days(year, month))
        return false;
    if (!clock_skip(text, length, &at, 'T') && !clock_skip(text, length, &at, 't'))
        return false;
    int hour = clock_number(text, length, &at, 2);
    bool colon = clock_skip(text, length, &at, ':');
    int minute = clock_number(text, length, &at, 2);
    colon = colon && clock_skip(text, length, &at, ':');
    int second = clock_number(text, length, &at, 2);
    if (!colon || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    int fraction = clock_fraction_ms(text, length, &at);
    int offset_minutes;
    if (fraction < 0 || !clock_offset(text, length, &at, &offset_minutes) || at != length)
        return false;
    int64_t seconds = clock_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_minutes * 60;
    *ms = seconds * 1000 + fraction;
    return true;
}
