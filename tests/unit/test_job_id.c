/*
 * test_job_id: job numbers grow with time, stay exact in a JavaScript number and do not count jobs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "core/job_id.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define YEAR_2020_MS INT64_C(1577836800000)
#define LAST_MS (YEAR_2020_MS + JOB_ID_MOST / 4096 - 1)

static void grows_with_time(void **state)
{
    static const int64_t BEGIN[] = {YEAR_2020_MS + 1, INT64_C(1700000000000), INT64_C(2000000000000), LAST_MS - 999};
    (void)state;
    for (size_t i = 0; i < N(BEGIN); i++) {
        int64_t before = 0;
        for (int64_t ms = 0; ms < 1000; ms++) {
            int64_t id = job_id_make(BEGIN[i] + ms);
            assert_true(id > before);
            assert_true(id <= JOB_ID_MOST);
            assert_true((int64_t)(double)id == id);
            assert_true(id / 4096 == BEGIN[i] + ms - YEAR_2020_MS);
            before = id;
        }
    }
}

static void differs_within_a_millisecond(void **state)
{
    static char seen[4096];
    int different = 0;
    (void)state;
    for (int i = 0; i < 8192; i++) {
        int64_t low = job_id_make(INT64_C(1700000000000)) % 4096;
        different += !seen[low];
        seen[low] = 1;
    }
    /* 4096 * (1 - 1/e^2) = 3542 expected; a byte or a bit that stands still gives 2048 at most */
    assert_in_range(different, 3300, 3800);
}

static void refuses_times_it_cannot_hold(void **state)
{
    static const int64_t BAD[] = {YEAR_2020_MS, YEAR_2020_MS - 1, 0, -1, INT64_C(1700000000), LAST_MS + 1, INT64_MAX};
    char said[256];
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        int status = 0, saved = scratch_listen();
        pid_t child = fork();
        if (child == 0)
            _exit(job_id_make(BAD[i]) < 0);
        waitpid(child, &status, 0);
        scratch_heard(saved, said, sizeof said);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_with_time),
        cmocka_unit_test(differs_within_a_millisecond),
        cmocka_unit_test(refuses_times_it_cannot_hold),
    };
    return cmocka_run_group_tests_name("job_id", tests, NULL, scratch_end);
}
