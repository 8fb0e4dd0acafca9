/*
 * test_queue_age: nginx's $msec, and the age of a request with clocks that may be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responder/queue_age.c" /* the responder is no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])
#define LONG_AGO INT64_C(1000000000)

static void moments_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } row[] = {
        {"1732478400.123", 1732478400123}, {"0.000", 0}, {"1.001", 1001}, {"999999999999.999", 999999999999999},
        {"", -1}, {".123", -1}, {"1732478400", -1}, {"1732478400.", -1}, {"1732478400.12", -1},
        {"1732478400.1234", -1}, {"-1.000", -1}, {"+1.000", -1}, {" 1.000", -1}, {"1.000 ", -1}, {"1,000", -1},
        {"0x1.000", -1}, {"1e3.000", -1}, {"1.0a0", -1}, {"1000000000000.000", -1}, {"1.-01", -1}, {"1.000.000", -1},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_int_equal(queue_age_read(row[i].text), row[i].ms);
}

static void ages_are_what_the_clocks_allow(void **state)
{
    static const struct {
        const char *received;
        int64_t wall_ms, since_empty_ms, age_ms;
    } row[] = {
        {"100.000", 100000, LONG_AGO, 0},
        {"100.000", 102500, LONG_AGO, 2500},
        {"100.000", 102500, 40, 40},        /* nothing waited 40 ms ago, so it is no older */
        {"100.000", 102500, 0, 0},
        {"100.000", 99999, LONG_AGO, 0},    /* from the future */
        {"100.000", 3700000, LONG_AGO, 3600000},
        {"100.000", 3700001, LONG_AGO, 0},  /* over an hour: a clock was set */
        {"garbage", 100000, LONG_AGO, 0},
        {NULL, 100000, LONG_AGO, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_int_equal(queue_age_ms(row[i].received, row[i].wall_ms, row[i].since_empty_ms), row[i].age_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_read),
        cmocka_unit_test(ages_are_what_the_clocks_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
