/* writeback: what is asked of the kernel while a file grows, and what becomes of its answers. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ASKED_MOST 64

struct asked {
    int64_t from;
    bool wait;
};

static struct asked asked[ASKED_MOST];
static unsigned count;
static unsigned fails_at; /* the number of the call that fails; 0: none */
static int fails_with;

static int ask(int fd, int64_t from, int64_t bytes, unsigned how);

#define sync_file_range ask
#include "lib/writeback.c"
#undef sync_file_range

static int ask(int fd, int64_t from, int64_t bytes, unsigned how)
{
    assert_int_equal(fd, 7);
    assert_int_equal(bytes, WRITEBACK_WINDOW);
    assert_true(how == SYNC_FILE_RANGE_WRITE || how == WRITEBACK_WAIT);
    assert_true(count < ASKED_MOST);
    asked[count++] = (struct asked){from, how == WRITEBACK_WAIT};
    if (count != fails_at)
        return 0;
    errno = fails_with;
    return -1;
}

static int set_up(void **state)
{
    (void)state;
    count = fails_at = 0;
    return 0;
}

static void a_small_file_asks_for_nothing(void **state)
{
    struct writeback w = {0};
    (void)state;
    for (int64_t i = 0; i < WRITEBACK_WINDOW - 1; i += 1)
        assert_true(writeback_note(&w, 7, 1));
    assert_int_equal(count, 0);
}

static void each_window_is_begun_before_the_one_before_is_waited_for(void **state)
{
    static const struct asked WANTED[] = {{0, false}, {1, false}, {0, true}, {2, false}, {1, true}};
    struct writeback w = {0};
    (void)state;
    for (int i = 0; i < 3 * 8; i++)
        assert_true(writeback_note(&w, 7, (size_t)WRITEBACK_WINDOW / 8));
    assert_int_equal(count, sizeof WANTED / sizeof *WANTED);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(asked[i].from, WANTED[i].from * WRITEBACK_WINDOW);
        assert_int_equal(asked[i].wait, WANTED[i].wait);
    }
}

static void one_large_write_leaves_one_window_unwaited_for(void **state)
{
    struct writeback w = {0};
    (void)state;
    assert_true(writeback_note(&w, 7, (size_t)WRITEBACK_WINDOW * 5 + 3));
    assert_int_equal(count, 9);
    assert_int_equal(asked[count - 1].from, 3 * WRITEBACK_WINDOW);
    assert_true(asked[count - 1].wait);
    assert_int_equal(w.written - w.begun, 3);
}

static void what_the_disk_refuses_is_said(void **state)
{
    static const int REFUSED[] = {EIO, ENOSPC, EDQUOT, EPERM};
    (void)state;
    for (unsigned i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        for (unsigned at = 1; at <= 3; at++) {
            struct writeback w = {0};
            count = 0;
            fails_at = at;
            fails_with = REFUSED[i];
            assert_false(writeback_note(&w, 7, (size_t)WRITEBACK_WINDOW * 2));
            assert_int_equal(errno, REFUSED[i]);
            assert_int_equal(count, at);
        }
    }
}

static void a_kernel_without_the_call_leaves_it_to_the_sync(void **state)
{
    struct writeback w = {0};
    (void)state;
    fails_at = 1;
    fails_with = ENOSYS;
    assert_true(writeback_note(&w, 7, (size_t)WRITEBACK_WINDOW * 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_small_file_asks_for_nothing, set_up),
        cmocka_unit_test_setup(each_window_is_begun_before_the_one_before_is_waited_for, set_up),
        cmocka_unit_test_setup(one_large_write_leaves_one_window_unwaited_for, set_up),
        cmocka_unit_test_setup(what_the_disk_refuses_is_said, set_up),
        cmocka_unit_test_setup(a_kernel_without_the_call_leaves_it_to_the_sync, set_up),
    };
    return cmocka_run_group_tests_name("writeback", tests, NULL, NULL);
}
