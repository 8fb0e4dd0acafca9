/*
 * test_sizing: how many workers a machine gets, and how many of them may wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "responder/sizing.c" /* the responder is no part of the archive */

#define N(array) (sizeof(array) / sizeof(array)[0])

static void workers_go_by_the_cores_unless_told(void **state)
{
    static const struct {
        int64_t setting;
        int cores, workers;
    } row[] = {{0, 1, 4}, {0, 2, 8}, {0, 4, 16}, {0, 15, 60}, {0, 16, 64}, {0, 17, 64}, {0, 1024, 64}, {1, 8, 1}, {3, 1, 3},
               {512, 1, 512}};
    (void)state;
    for (size_t i = 0; i < N(row); i++)
        assert_int_equal(sizing_workers(row[i].setting, row[i].cores), row[i].workers);
}

static void one_core_is_the_least(void **state)
{
    (void)state;
    assert_in_range(sizing_cores(), 1, 100000);
}

static void an_orgs_rate_goes_by_the_cores_unless_told(void **state)
{
    (void)state;
    assert_int_equal(sizing_org_rate(0, 2), 1000);
    assert_int_equal(sizing_org_rate(0, 64), 32000);
    assert_int_equal(sizing_org_rate(1, 64), 1);
    assert_int_equal(sizing_org_rate(1000000, 1), 1000000);
}

/* The others go on serving: never all, and of one none. */
static void a_quarter_may_wait(void **state)
{
    static const int WAITING[] = {[1] = 0, [2] = 1, [3] = 1, [4] = 1, [5] = 1, [6] = 2, [8] = 2, [16] = 4, [64] = 16};
    (void)state;
    for (int workers = 1; workers < (int)N(WAITING); workers++) {
        if (workers == 1 || WAITING[workers] != 0)
            assert_int_equal(sizing_waiting(workers), WAITING[workers]);
        assert_in_range(sizing_waiting(workers), 0, workers - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_go_by_the_cores_unless_told),
        cmocka_unit_test(an_orgs_rate_goes_by_the_cores_unless_told),
        cmocka_unit_test(one_core_is_the_least),
        cmocka_unit_test(a_quarter_may_wait),
    };
    return cmocka_run_group_tests_name("sizing", tests, NULL, NULL);
}
