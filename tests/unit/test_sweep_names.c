/*
 * sweep_names: names of a directory in order, page by page, however many there are and whatever else lies there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "spooler/sweep_names.c" /* the spooler is no part of the archive */

#define DIRECTORIES 1700

static struct sweep_names names;

/* The names 7919 * i mod DIRECTORIES as batches: each once, in no order. */
static void make_directories(char root[SCRATCH_PATH_MAX])
{
    char path[SCRATCH_PATH_MAX + 64];
    scratch_path(root, "many");
    assert_int_equal(mkdir(root, 0700), 0);
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        snprintf(path, sizeof path, "%s/%032x", root, i * 7919 % DIRECTORIES);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    static const char *const OTHERS[] = {"tmp", "0", "0000000000000000000000000000000G", ".hidden",
                                         "000000000000000000000000000000000", "00000000-0000-4000-8000-000000000000"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        snprintf(path, sizeof path, "%s/%s", root, OTHERS[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
}

static void all_names_come_once_and_in_order(void **state)
{
    (void)state;
    char root[SCRATCH_PATH_MAX], after[SWEEP_NAME_MAX] = "", expected[SWEEP_NAME_MAX];
    unsigned seen = 0;
    make_directories(root);
    do {
        sweep_names_read(&names, root, after, sweep_names_batch);
        assert_true(names.count > 0 && names.count <= SWEEP_NAMES_MOST);
        for (int i = 0; i < names.count; i++) {
            snprintf(expected, sizeof expected, "%032x", seen++);
            assert_string_equal(names.name[i], expected);
        }
        assert_true(names.more == (seen < DIRECTORIES));
        memcpy(after, names.name[names.count - 1], sizeof after);
    } while (names.more);
    assert_int_equal(seen, DIRECTORIES);
    sweep_names_read(&names, root, after, sweep_names_batch);
    assert_true(names.count == 0 && !names.more);
    sweep_names_read(&names, root, "", sweep_names_attempt);
    assert_true(names.count == 1 && !names.more);
    assert_string_equal(names.name[0], "00000000-0000-4000-8000-000000000000");
    sweep_names_read(&names, root, "", sweep_names_dataset);
    assert_int_equal(names.count, 0);
}

static void what_is_no_directory_has_no_names(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX];
    scratch_path(path, "none");
    sweep_names_read(&names, path, "", sweep_names_batch);
    assert_true(names.count == 0 && !names.more);
    scratch_path(path, "file");
    scratch_write(path, "x", 1, 0600);
    sweep_names_read(&names, path, "", sweep_names_batch);
    assert_true(names.count == 0 && !names.more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_names_come_once_and_in_order),
                                       cmocka_unit_test(what_is_no_directory_has_no_names)};
    return cmocka_run_group_tests_name("sweep_names", tests, NULL, scratch_end);
}
