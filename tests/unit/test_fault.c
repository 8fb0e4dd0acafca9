/*
 * test_fault: the table of faults is whole and says the same thing of the same problem.
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

#include "lib/fault.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static const char LOWER[] = "abcdefghijklmnopqrstuvwxyz";

static void every_fault_has_a_whole_row(void **state)
{
    (void)state;
    for (int f = FAULT_NONE; f < FAULT_COUNT; f++) {
        const struct fault_row *row = fault_row((enum fault)f);
        if (row == NULL || row->name == NULL || row->slug == NULL || row->title == NULL)
            fail_msg("fault %d has no whole row", f);
        char name_bytes[40], slug_bytes[40];
        snprintf(name_bytes, sizeof name_bytes, "%s_", LOWER);
        snprintf(slug_bytes, sizeof slug_bytes, "%s-", LOWER);
        assert_true(*row->name != '\0' && strspn(row->name, name_bytes) == strlen(row->name));
        assert_true(*row->slug != '\0' && strspn(row->slug, slug_bytes) == strlen(row->slug));
        assert_true(*row->title >= 'A' && *row->title <= 'Z');
        assert_true(row->level >= LOG_ERROR && row->level <= LOG_DEBUG);
        if (f != FAULT_NONE)
            assert_in_range(row->status, 400, 599);
    }
}

static void names_differ_and_problems_agree(void **state)
{
    (void)state;
    for (int f = FAULT_NONE; f < FAULT_COUNT; f++) {
        const struct fault_row *a = fault_row((enum fault)f);
        for (int g = f + 1; g < FAULT_COUNT; g++) {
            const struct fault_row *b = fault_row((enum fault)g);
            assert_string_not_equal(a->name, b->name);
            if ((strcmp(a->slug, b->slug) == 0) != (strcmp(a->title, b->title) == 0))
                fail_msg("%s and %s share slug or title, but not both", a->name, b->name);
            if (strcmp(a->slug, b->slug) == 0 && a->status != b->status)
                fail_msg("%s and %s share a slug with two statuses", a->name, b->name);
        }
    }
}

/* contract.md section 3 */
static const struct {
    enum fault fault;
    int status;
} STATUS[] = {
    {FAULT_MALFORMED, 400},       {FAULT_NOT_SUPPORTED, 400},    {FAULT_POLICY, 400}, {FAULT_POLICY_VERSION, 400}, {FAULT_WEBHOOK, 400}, {FAULT_SANDBOX, 403},         {FAULT_FORBIDDEN, 403},
    {FAULT_NOT_FOUND, 404},        {FAULT_NO_ROUTE, 404},        {FAULT_METHOD, 405},
    {FAULT_STATE, 409},           {FAULT_BODY_TOO_LARGE, 413},   {FAULT_URI_TOO_LONG, 414},    {FAULT_MEDIA_TYPE, 415},
    {FAULT_RANGE, 416},           {FAULT_KEY_REUSED, 422},       {FAULT_PROFILE_BOUNDS, 422},       {FAULT_TOO_MANY, 429},        {FAULT_OVERLOADED, 503},
    {FAULT_DB_UNAVAILABLE, 503},  {FAULT_DB_CONFLICT, 503},      {FAULT_DISK_FULL, 503},       {FAULT_DISK, 503},
    {FAULT_INTERNAL, 500},        {FAULT_MEMORY, 500},
};

static void statuses_are_the_contracts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(STATUS); i++)
        assert_int_equal(fault_row(STATUS[i].fault)->status, STATUS[i].status);
}

/* 429 and 503 carry Retry-After, which the responder sends for what is retryable. What a client did
 * wrong stays wrong, and is no error of the service's. */
static void retryable_is_what_may_work_later(void **state)
{
    (void)state;
    for (int f = FAULT_MALFORMED; f < FAULT_COUNT; f++) {
        const struct fault_row *row = fault_row((enum fault)f);
        if (row->status == 429 || row->status == 503)
            assert_true(row->retryable);
        else if (row->status < 500 && row->status != 408)
            assert_false(row->retryable);
        if (row->status < 500)
            assert_int_not_equal(row->level, LOG_ERROR);
    }
    assert_false(fault_row(FAULT_INTERNAL)->retryable);
    assert_false(fault_row(FAULT_STORE)->retryable); /* a right or a bucket does not come back by itself */
    assert_int_equal(fault_row(FAULT_INTERNAL)->level, LOG_ERROR);
}

static void no_fault_of_the_table_ends_the_process(void **state)
{
    static const int BAD[] = {FAULT_COUNT, FAULT_COUNT + 1, -1, 1000000};
    char said[256];
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        int status = 0, saved = scratch_listen();
        pid_t child = fork();
        if (child == 0) {
            enum fault fault;
            memcpy(&fault, &BAD[i], sizeof fault);
            _exit(fault_row(fault)->status & 1);
        }
        waitpid(child, &status, 0);
        scratch_heard(saved, said, sizeof said);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        assert_non_null(strstr(said, "event=invariant"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_has_a_whole_row),      cmocka_unit_test(names_differ_and_problems_agree),
        cmocka_unit_test(statuses_are_the_contracts),       cmocka_unit_test(retryable_is_what_may_work_later),
        cmocka_unit_test(no_fault_of_the_table_ends_the_process),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, scratch_end);
}
