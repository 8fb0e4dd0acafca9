/*
 * test_org_rate: so many requests a second for each org, by a clock that the test sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "responder/org_rate.c" /* the responder is no part of the archive */

#define SECOND_US 1000000

/* How many of `tries` are taken at that time. */
static int taken(struct org_rate *r, int org, int tries, int64_t now_us)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += org_rate_take(r, org, 1, now_us);
    return count;
}

static void a_burst_is_a_quarter_of_a_second_and_then_the_rate_holds(void **state)
{
    static const int64_t rates[] = {4, 100, 2000, 1000000};
    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct org_rate *r = org_rate_new(rates[i]);
        int64_t now_us = 5 * SECOND_US, ahead = rates[i] / 4 + 1;
        assert_non_null(r);
        assert_int_equal(org_rate_per_second(r), rates[i]);
        assert_int_equal(taken(r, 7, (int)rates[i], now_us), ahead);
        assert_int_equal(taken(r, 8, (int)rates[i], now_us), ahead); /* another org's is its own */
        for (int second = 1; second <= 3; second++) {
            int got = 0;
            for (int tenth = 0; tenth < 10; tenth++)
                got += taken(r, 7, (int)rates[i], now_us += SECOND_US / 10);
            assert_in_range(got, rates[i] - 1, rates[i] + 1);
        }
        now_us += 60 * SECOND_US; /* what was not asked for is not saved up */
        assert_int_equal(taken(r, 7, (int)rates[i], now_us), ahead);
    }
}

/* And none of an org. */
static void who_acts_for_no_org_is_counted_by_client(void **state)
{
    struct org_rate *r = org_rate_new(4);
    int a = org_rate_payer(r, 0, "a"), b = org_rate_payer(r, 0, "b");
    (void)state;
    assert_int_equal(org_rate_payer(r, 7, "a"), 7);
    assert_int_equal(org_rate_payer(r, 0, "a"), a);
    assert_true(a < 0 && b < 0 && a >= -ORG_RATE_SLOTS && b >= -ORG_RATE_SLOTS);
    assert_int_equal(taken(r, a, 10, SECOND_US), 2);
    if (a != b) /* one of 65,536 runs */
        assert_int_equal(taken(r, b, 10, SECOND_US), 2);
    assert_int_equal(taken(r, -a, 10, SECOND_US), 2); /* an org of that number */
}

static void what_costs_more_is_several(void **state)
{
    struct org_rate *r = org_rate_new(100);
    int count = 0;
    (void)state;
    for (int i = 0; i < 40; i++)
        count += org_rate_take(r, 7, 4, SECOND_US);
    assert_int_equal(count, 7); /* 28 of 26: the last may go over */
    assert_int_equal(taken(r, 7, 10, SECOND_US), 0);
    assert_int_equal(taken(r, 7, 10, 2 * SECOND_US), 10);
}

static void a_slow_rate_still_lets_one_through(void **state)
{
    struct org_rate *r = org_rate_new(1);
    (void)state;
    assert_int_equal(taken(r, 7, 10, SECOND_US), 1);
    assert_int_equal(taken(r, 7, 10, SECOND_US + SECOND_US / 2), 0);
    assert_int_equal(taken(r, 7, 10, 2 * SECOND_US), 1);
}

/* What several processes take at the same time is counted once each. */
static void processes_count_together(void **state)
{
    enum { PROCESSES = 4, RATE = 40000 };
    struct org_rate *r = org_rate_new(RATE);
    int pipes[2], sum = 0, count;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            count = taken(r, 7, RATE, SECOND_US);
            _exit(write(pipes[1], &count, sizeof count) != sizeof count);
        }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(read(pipes[0], &count, sizeof count), sizeof count);
        sum += count;
        wait(NULL);
    }
    assert_int_equal(sum, RATE / 4 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_a_quarter_of_a_second_and_then_the_rate_holds),
        cmocka_unit_test(who_acts_for_no_org_is_counted_by_client),
        cmocka_unit_test(what_costs_more_is_several),
        cmocka_unit_test(a_slow_rate_still_lets_one_through),
        cmocka_unit_test(processes_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
