/* tree: directories are removed whole though somebody else is still at work in them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int meddles;  /* so many more times somebody comes between listing a directory and removing it */
static int refuses;  /* every removal fails with it; 0: none */

static int meddled_remove(const char *path);

#define remove meddled_remove
#include "spooler/tree.c" /* the spooler is no part of the archive */
#undef remove

static char top[64];

static void make_file(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int meddled_remove(const char *path)
{
    struct stat about;
    if (refuses != 0) {
        errno = refuses;
        return -1;
    }
    assert_int_equal(lstat(path, &about), 0);
    if (S_ISDIR(about.st_mode) && meddles > 0) {
        meddles--;
        make_file(path, "late");
    }
    return remove(path);
}

static int set_up(void **state)
{
    char below[128];
    (void)state;
    meddles = refuses = 0;
    snprintf(top, sizeof top, "/tmp/consign-tree.XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(below, sizeof below, "%s/below", top);
    assert_int_equal(mkdir(below, 0700), 0);
    make_file(below, "part");
    make_file(top, "part");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    meddles = refuses = 0;
    return tree_remove(top) == FAULT_NONE ? 0 : -1;
}

static void all_below_goes_and_nothing_there_is_fine(void **state)
{
    (void)state;
    assert_int_equal(tree_remove(top), FAULT_NONE);
    assert_int_equal(access(top, F_OK), -1);
    assert_int_equal(tree_remove(top), FAULT_NONE);
}

/* An attempt that is taken over would be used up by it, and what is left there be the sweep's. */
static void a_late_file_is_removed_too(void **state)
{
    (void)state;
    meddles = 2;
    assert_int_equal(tree_remove(top), FAULT_NONE);
    assert_int_equal(meddles, 0);
    assert_int_equal(access(top, F_OK), -1);
}

static void who_never_stops_making_files_is_told_of(void **state)
{
    (void)state;
    meddles = 1000;
    assert_int_equal(tree_remove(top), FAULT_DISK);
}

static void what_the_disk_refuses_is_not_tried_on(void **state)
{
    (void)state;
    refuses = EIO;
    assert_int_equal(tree_remove(top), FAULT_DISK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_below_goes_and_nothing_there_is_fine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_late_file_is_removed_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_never_stops_making_files_is_told_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_disk_refuses_is_not_tried_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
