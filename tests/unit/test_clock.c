/*
 * test_clock: which texts are an RFC 3339 date-time, and which millisecond they mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/clock.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *text;
    int64_t ms;
} GOOD[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01t00:00:00z", 0},
    {"1970-01-01T00:00:00.001Z", 1},
    {"1970-01-01T00:00:00.1Z", 100},
    {"1970-01-01T00:00:00.12Z", 120},
    {"1970-01-01T00:00:00.0019999999999999999999Z", 1}, /* cut, not rounded */
    {"1970-01-01T00:00:00.9999Z", 999},
    {"1969-12-31T23:59:59.9996Z", -1}, /* cut before 1970 too */
    {"1969-12-31T23:59:59Z", -1000},
    {"1970-01-01T00:00:00+00:00", 0},
    {"1970-01-01T00:00:00-00:00", 0}, /* RFC 3339 section 4.3: offset unknown, the instant is not */
    {"1970-01-01T01:30:00+01:30", 0},
    {"1969-12-31T22:30:00-01:30", 0},
    {"1970-01-01T23:59:00+23:59", 0},
    {"2018-10-25T13:22:04-07:00", INT64_C(1540498924000)}, /* the reference document's */
    {"2018-10-25T20:22:04.000Z", INT64_C(1540498924000)},
    {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
    {"2024-02-29T23:59:59Z", INT64_C(1709251199000)},
    {"2023-12-31T23:59:59Z", INT64_C(1704067199000)},
    {"2016-12-31T23:59:60Z", INT64_C(1483228800000)}, /* a leap second is the second after */
    {"2016-12-31T15:59:60.5-08:00", INT64_C(1483228800500)},
    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
};

static void reads_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++) {
        int64_t ms = 77;
        if (!clock_parse_rfc3339(GOOD[i].text, strlen(GOOD[i].text), &ms) || ms != GOOD[i].ms)
            fail_msg("%s: %lld", GOOD[i].text, (long long)ms);
    }
}

static const char *const BAD[] = {
    "", "Z", "2018", "2018-10-25", "2018-10-25T13:22:04", "2018-10-25T13:22Z", "2018-10-25 13:22:04Z",
    "2018-10-25T13:22:04 Z", " 2018-10-25T13:22:04Z", "2018-10-25T13:22:04Z ", "2018-10-25T13:22:04Z\n",
    "2018-10-25T13:22:04ZZ", "2018-10-25T13:22:04Z+00:00", "2018-10-25T13:22:04+00:00Z", "20181025T132204Z",
    "2018-1025T13:22:04Z", "2018/10/25T13:22:04Z", "2018-10-25T13.22.04Z", "2018-10-25T1322:04Z", "18-10-25T13:22:04Z",
    "02018-10-25T13:22:04Z", "+2018-10-25T13:22:04Z", "-018-10-25T13:22:04Z", "2018-1-25T13:22:04Z",
    "2018-10-5T13:22:04Z", "2018-10-25T3:22:04Z", "2018-10-25T13:2:04Z", "2018-10-25T13:22:4Z",
    /* digits that are none */
    "201a-10-25T13:22:04Z", "2018-1o-25T13:22:04Z", "2018-10-2 T13:22:04Z", "2018-10-25T 3:22:04Z",
    "2018-10-25T13:+2:04Z", "2018-10-25T13:22:0:Z", "2018-10-25T13:22:0/Z", "\xd9\xa2" "018-10-25T13:22:04Z",
    /* dates and times that do not exist */
    "2018-00-25T13:22:04Z", "2018-13-25T13:22:04Z", "2018-10-00T13:22:04Z", "2018-10-32T13:22:04Z",
    "2018-04-31T00:00:00Z", "2018-06-31T00:00:00Z", "2018-09-31T00:00:00Z", "2018-11-31T00:00:00Z",
    "2018-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2000-02-30T00:00:00Z",
    "2018-10-25T24:00:00Z", "2018-10-25T13:60:04Z", "2018-10-25T13:22:61Z", "2018-10-25T99:22:04Z",
    /* fractions and offsets */
    "2018-10-25T13:22:04.Z", "2018-10-25T13:22:04,5Z", "2018-10-25T13:22:04.5", "2018-10-25T13:22:04.5.5Z",
    "2018-10-25T13:22:04.-5Z", "2018-10-25T13:22:04.5aZ", "2018-10-25T13:22:04+", "2018-10-25T13:22:04-07",
    "2018-10-25T13:22:04-0700", "2018-10-25T13:22:04-07:", "2018-10-25T13:22:04-07:0", "2018-10-25T13:22:04-7:00",
    "2018-10-25T13:22:04-07:000", "2018-10-25T13:22:04-24:00", "2018-10-25T13:22:04+00:60",
    "2018-10-25T13:22:04+-7:00", "2018-10-25T13:22:04-+7:00", "2018-10-25T13:22:04\xe2\x88\x92" "07:00",
};

/* The text lies at the very end of a heap block, so that reading on is seen by ASan. */
static bool parses(const char *bytes, size_t length)
{
    char *exact = malloc(length > 0 ? length : 1);
    int64_t ms;
    memcpy(exact, bytes, length);
    bool good = clock_parse_rfc3339(exact, length, &ms);
    free(exact);
    return good;
}

static void refuses_everything_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        if (parses(BAD[i], strlen(BAD[i])))
            fail_msg("accepted: %s", BAD[i]);
    }
    assert_false(parses("2018-10-25T13:22:04Z\0", 21));
    assert_false(parses("2018-10-25T13:22:04\0Z", 21));
}

static void refuses_every_beginning(void **state)
{
    static const char TEXT[] = "2018-10-25T13:22:04.123-07:00";
    (void)state;
    assert_true(parses(TEXT, sizeof TEXT - 1));
    for (size_t length = 0; length < sizeof TEXT - 1; length++)
        assert_false(parses(TEXT, length));
}

/* Every day of four centuries against the C library's calendar. */
static void agrees_with_the_calendar(void **state)
{
    (void)state;
    for (time_t day = -36525; day < 4 * 36525; day++) {
        time_t t = day * 86400 + 43200 + day % 3600;
        struct tm tm;
        char text[40];
        int64_t ms = 0;
        gmtime_r(&t, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        assert_true(clock_parse_rfc3339(text, strlen(text), &ms));
        assert_true(ms == (int64_t)t * 1000);
    }
}

static void clocks_run(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) * 1000, wall = clock_wall_ms(), first = clock_monotonic_ms();
    assert_true(wall >= before && wall < before + 60000);
    assert_true(clock_monotonic_ms() >= first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),         cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(refuses_every_beginning),  cmocka_unit_test(agrees_with_the_calendar),
        cmocka_unit_test(clocks_run),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
