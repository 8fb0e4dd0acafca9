/*
 * test_figures: what the pool says of itself, by the marks of its workers; and the queue as the kernel tells it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "responder/figures.c" /* the responder is no part of the archive */
#include "responder/queue_depth.c"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define BACKLOG 7
#define WAITING 3

static void busy_counts_those_that_have_a_request(void **state)
{
    struct figures *f = figures_new(3);
    (void)state;
    assert_non_null(f);
    assert_int_equal(figures_read(f, 1000).busy, 0);
    figures_begin(f, 0);
    figures_begin(f, 2);
    assert_int_equal(figures_read(f, 1000).busy, 2);
    assert_int_equal(figures_read(f, 1000).workers, 3);
    figures_end(f, 0);
    figures_begin(f, 0);
    figures_ended(f, 2, 1000); /* killed in the middle */
    assert_int_equal(figures_read(f, 1000).busy, 1);
    assert_int_equal(figures_read(f, 1000).requests, 3);
    assert_int_equal(figures_read(f, 1000).ended, 1);
}

static void full_is_the_time_since_anybody_found_the_queue_empty(void **state)
{
    struct figures *f = figures_new(2);
    (void)state;
    assert_int_equal(figures_read(f, 5000).full_ms, 0); /* nobody has begun */
    figures_wakes(f, 0, 1000);
    assert_int_equal(figures_read(f, 5000).full_ms, 0); /* the other waits */
    figures_wakes(f, 1, 1400);
    assert_int_equal(figures_read(f, 5000).full_ms, 3600);
    figures_waits(f, 0);
    assert_int_equal(figures_read(f, 5000).full_ms, 0);
    figures_ended(f, 0, 5000); /* one that is dead waits for nothing */
    assert_int_equal(figures_read(f, 5100).full_ms, 100);
    figures_ended(f, 0, 6000); /* and died once */
    assert_int_equal(figures_read(f, 6100).full_ms, 1100);
}

static void waits_of_the_last_seconds_count(void **state)
{
    struct figures *f = figures_new(2);
    (void)state;
    figures_waited(f, 0, 40);
    figures_waited(f, 1, 90);
    figures_waited(f, 1, 10);
    assert_int_equal(figures_read(f, 0).wait_ms, 90);
    figures_look(f, -1, 1000);
    figures_waited(f, 0, 20);
    assert_int_equal(figures_read(f, 0).wait_ms, 90);
    figures_look(f, -1, 2000);
    assert_int_equal(figures_read(f, 0).wait_ms, 90);
    figures_look(f, -1, 3000);
    assert_int_equal(figures_read(f, 0).wait_ms, 20);
    figures_look(f, -1, 4000);
    assert_int_equal(figures_read(f, 0).wait_ms, 0);
}

/* Looks at these moments; how often the line was written, the last one in `said`. */
static int times_said(struct figures *f, const int64_t *at_ms, size_t count, char *said, size_t size)
{
    int n = 0, saved = scratch_listen();
    for (size_t i = 0; i < count; i++)
        figures_look(f, -1, at_ms[i]);
    scratch_heard(saved, said, size);
    for (const char *p = said; (p = strstr(p, "event=pool_full ")) != NULL; p++)
        n++;
    return n;
}

static void a_pool_that_is_full_for_long_says_so_at_times(void **state)
{
    static const int64_t AT_MS[] = {1500, 2500, 3100, 4000, 12000, 13200, 14000};
    static const int64_t LATER_MS[] = {30000, 31000};
    struct figures *f = figures_new(1);
    char said[4096];
    (void)state;
    figures_wakes(f, 0, 1000);
    figures_begin(f, 0);
    assert_int_equal(times_said(f, AT_MS, N(AT_MS), said, sizeof said), 2); /* at 3100 and at 13200 */
    assert_non_null(strstr(said, "event=pool_full busy=1 workers=1 queue=-1 age_ms=0 full_ms=2100\n"));
    assert_non_null(strstr(said, "full_ms=12200\n"));
    figures_waits(f, 0);
    assert_int_equal(times_said(f, LATER_MS, N(LATER_MS), said, sizeof said), 0);
}

static int listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, BACKLOG), 0);
    return fd;
}

static int caller(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void the_queue_is_counted(void **state)
{
    char path[SCRATCH_PATH_MAX];
    int waiting, most, call[WAITING];
    (void)state;
    scratch_path(path, "queue.sock");
    unlink(path);
    int fd = listener(path);
    if (!queue_depth_read(fd, &waiting, &most)) {
        assert_int_equal(waiting, -1);
        assert_int_equal(most, -1);
        skip(); /* this kernel does not tell */
    }
    assert_int_equal(waiting, 0);
    assert_int_equal(most, BACKLOG);
    for (int i = 0; i < WAITING; i++)
        call[i] = caller(path);
    assert_true(queue_depth_read(fd, &waiting, &most));
    assert_int_equal(waiting, WAITING);
    int taken = accept(fd, NULL, NULL);
    struct figures *f = figures_new(1);
    figures_look(f, fd, 0);
    assert_int_equal(figures_read(f, 0).queue, WAITING - 1);
    assert_int_equal(figures_read(f, 0).queue_most, BACKLOG);
    close(taken);
    for (int i = 0; i < WAITING; i++)
        close(call[i]);
    close(fd);
}

static void what_is_no_socket_has_no_queue(void **state)
{
    int waiting = 5, most = 5;
    (void)state;
    assert_false(queue_depth_read(-1, &waiting, &most));
    assert_int_equal(waiting, -1);
    assert_int_equal(most, -1);
    assert_false(queue_depth_read(STDOUT_FILENO, &waiting, &most));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_counts_those_that_have_a_request),
        cmocka_unit_test(full_is_the_time_since_anybody_found_the_queue_empty),
        cmocka_unit_test(waits_of_the_last_seconds_count),
        cmocka_unit_test(a_pool_that_is_full_for_long_says_so_at_times),
        cmocka_unit_test(the_queue_is_counted),
        cmocka_unit_test(what_is_no_socket_has_no_queue),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, scratch_end);
}
