/*
 * test_pool_turn: several processes wait for connections of one socket; one is woken for each, and none is forgotten.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/pool_internal.h"
#include "scratch.h"

#define WORKERS 6
#define CALLS 40
#define LOOK_MS 300
#define WAIT_MS 20000

/* What the workers tell. */
static struct told {
    atomic_int waiting, woken, taken;
} *told;

static int socket_fd;
static pid_t pid[WORKERS];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

/* A worker as responder/worker.c is one, but slow enough to be overtaken. */
static int work(int slot, void *arg)
{
    struct pool_share share;
    bool shared = pool_worker_share(&share, socket_fd);
    bool mine = false;
    (void)slot;
    (void)arg;
    while (shared && (mine || !pool_worker_retiring())) {
        int call = accept(socket_fd, NULL, NULL);
        mine = false;
        if (call >= 0) {
            atomic_fetch_add(&told->taken, 1);
            close(call);
            continue;
        }
        atomic_fetch_add(&told->waiting, 1);
        mine = pool_worker_wait_turn(&share, -1, LOOK_MS) != POOL_TURN_NONE;
        atomic_fetch_sub(&told->waiting, 1);
        if (mine)
            atomic_fetch_add(&told->woken, 1);
    }
    return shared ? 0 : 1;
}

static void start(void)
{
    static const struct pool_options OPTIONS = {.workers = WORKERS, .work = work};
    static atomic_bool ready[WORKERS];
    sigset_t blocked = pool_signals();
    memset(told, 0, sizeof *told);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    for (int i = 0; i < WORKERS; i++) {
        fflush(NULL);
        pid[i] = fork();
        if (pid[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            pool_worker_live(&OPTIONS, i, &ready[i]);
        }
    }
}

static void await(atomic_int *what, int value)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (atomic_load(what) != value) {
        assert_true(clock_monotonic_ms() < deadline);
        pause_ms(1);
    }
}

static void call_in(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

/* All that are left end, by the signal, with status 0. */
static void stop(int signal_number)
{
    for (int i = 0; i < WORKERS; i++) {
        int status = -1;
        if (pid[i] == 0)
            continue;
        kill(pid[i], signal_number);
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
}

static void one_is_woken_for_each_connection(void **state)
{
    (void)state;
    start();
    for (int i = 1; i <= CALLS; i++) {
        await(&told->waiting, WORKERS);
        call_in();
        await(&told->taken, i);
    }
    await(&told->waiting, WORKERS);
    /* all of them for each would be six times as many; a look that ends its time may come in between */
    assert_in_range(atomic_load(&told->woken), CALLS / 2, CALLS + CALLS / 4);
    stop(SIGTERM);
}

static void those_that_retire_leave_no_connection_behind(void **state)
{
    (void)state;
    start();
    await(&told->waiting, WORKERS);
    stop(SIGUSR1);
    assert_int_equal(atomic_load(&told->taken), 0);
}

/* Whoever is woken first stands still: the others look by themselves. */
static void a_worker_that_stands_still_holds_up_nobody(void **state)
{
    (void)state;
    start();
    await(&told->waiting, WORKERS);
    for (int i = 0; i < WORKERS - 1; i++)
        kill(pid[i], SIGSTOP);
    int64_t began_ms = clock_monotonic_ms();
    call_in();
    await(&told->taken, 1);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 20 * LOOK_MS);
    for (int i = 0; i < WORKERS - 1; i++)
        kill(pid[i], SIGCONT);
    stop(SIGTERM);
}

static int listen_once(void **state)
{
    char path[SCRATCH_PATH_MAX];
    (void)state;
    scratch_path(path, "turn.sock");
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED || bind(socket_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
           listen(socket_fd, 16) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_woken_for_each_connection),
        cmocka_unit_test(those_that_retire_leave_no_connection_behind),
        cmocka_unit_test(a_worker_that_stands_still_holds_up_nobody),
    };
    return cmocka_run_group_tests_name("pool_turn", tests, listen_once, scratch_end);
}
