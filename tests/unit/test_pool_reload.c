/*
 * test_pool_reload: a supervisor becomes another program, or stays what it was; and what becomes of its workers.
 *
 * This program is its own subject: with `--pool DIR` it is a pool whose behaviour files in DIR decide, with `--check`
 * behind that it is the look before a reload. Its log is DIR/log.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/pool_old.h"
#include "lib/pool_upgrade.h"
#include "scratch.h"

#define WAIT_MS 20000
#define FIXED "user = one\nsocket = here\n"

static char self[SCRATCH_PATH_MAX];

/* --- the pool under test --- */

static const char *subject_dir;

static const char *subject_path(const char *name)
{
    static char path[SCRATCH_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", subject_dir, name);
    return path;
}

static bool subject_has(const char *name)
{
    return access(subject_path(name), F_OK) == 0;
}

static void put(const char *name)
{
    close(open(subject_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* Busy while DIR/hold is there, deaf to requests to stop while DIR/deaf is; ends by itself with DIR/over. */
static int subject_work(int slot, void *arg)
{
    (void)arg;
    if (subject_has("sick"))
        return 1;
    put("worked");
    log_event(LOG_INFO, "work", "slot=%d", slot);
    if (subject_has("race")) { /* retired before it looks; then waits as the pool's workers do */
        for (pool_worker_stopping(); subject_has("race");)
            usleep(1000);
        pool_worker_wait(-1, 0);
        pool_worker_wait(-1, -1);
    }
    while (!subject_has("over") &&
           (!pool_worker_retiring() || (subject_has("hold") && (!pool_worker_stopping() || subject_has("deaf")))))
        pool_worker_wait(-1, 10);
    return 0;
}

static int subject_check(void)
{
    if (subject_has("vanish"))
        unlink(subject_path("program"));
    if (subject_has("spoil")) {
        unlink(subject_path("spoil"));
        put("fail");
    }
    fputs(subject_has("moved") ? "user = one\nsocket = there\n" : FIXED, stdout);
    if (subject_has("bad"))
        fputs("conf:3: nonsense\nmore\n", stderr);
    return subject_has("bad") ? 2 : 0;
}

static int subject_run(int argc, char **argv)
{
    pool_take_over();
    subject_dir = argv[2];
    log_open("subject", LOG_INFO);
    if (argc == 4 && strcmp(argv[3], "--check") == 0)
        return subject_check();
    if (subject_has("fail"))
        return pool_mind(argv, 7);
    int kept = pool_kept(0) >= 0 ? pool_kept(0) : open(subject_path("kept"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat info;
    bool both = pool_kept(0) >= 0 && pool_kept(1) < 0 && pool_kept(2) == kept; /* the third is handed over by another variable */
    log_event(LOG_INFO, "begin", "kept=%s file=%s", both ? "yes" : "no",
              fstat(kept, &info) == 0 && info.st_size == 0 ? "good" : "bad");
    struct pool_program program = {.argv = argv, .fixed = FIXED, .keep = {kept, -1, kept}};
    struct pool_options options = {.workers = subject_has("four") ? 4 : 2,
                                   .grace_ms = 200,
                                   .retire_ms = subject_has("patient") ? 60000 : 200,
                                   .work = subject_work,
                                   .program = &program};
    return pool_run(&options);
}

/* --- the tests --- */

static pid_t pool_pid;

static void drop(const char *name)
{
    unlink(subject_path(name));
}

static void install(void)
{
    static char buffer[1 << 16];
    char aside[SCRATCH_PATH_MAX];
    snprintf(aside, sizeof aside, "%s", subject_path("aside"));
    int in = open(self, O_RDONLY | O_CLOEXEC), out = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    ssize_t got;
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        assert_int_equal(write(out, buffer, (size_t)got), got);
    close(in);
    close(out);
    assert_int_equal(rename(aside, subject_path("program")), 0);
}

/* How often the log holds a text; *last is what follows it in the last line that has it. */
static int heard(const char *text, char last[200])
{
    static char log[1 << 18];
    int fd = open(subject_path("log"), O_RDONLY | O_CLOEXEC), n = 0;
    ssize_t got = read(fd, log, sizeof log - 1);
    close(fd);
    log[got < 0 ? 0 : got] = '\0';
    for (char *p = log; (p = strstr(p, text)) != NULL; n++) {
        p += strlen(text);
        if (last != NULL)
            snprintf(last, 200, "%.*s", (int)strcspn(p, "\n"), p);
    }
    return n;
}

static void await(const char *text, int count)
{
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (heard(text, NULL) < count) {
        if (clock_monotonic_ms() > deadline)
            fail_msg("%d times \"%s\" and not %d", heard(text, NULL), text, count);
        usleep(5000);
    }
}

/* A directory with the program in it. */
static void place(void)
{
    static char dir[SCRATCH_PATH_MAX], number[32];
    static int runs;
    snprintf(number, sizeof number, "run%d", runs++);
    scratch_path(dir, number);
    assert_int_equal(mkdir(dir, 0700), 0);
    subject_dir = dir;
    install();
}

/* `log` becomes its stderr. */
static void launch(int log)
{
    char *program = strdup(subject_path("program"));
    pool_pid = fork();
    if (pool_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* when a test fails */
        dup2(log, STDERR_FILENO);
        execl(program, program, "--pool", subject_dir, (char *)NULL);
        _exit(127);
    }
    free(program);
    close(log);
}

static void start(void)
{
    place();
    launch(open(subject_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    await("event=work ", 2);
}

static void hup(void)
{
    kill(pool_pid, SIGHUP);
}

/* Whatever happened, a stop ends it and all its workers. */
static void stop(void)
{
    int status;
    kill(pool_pid, SIGTERM);
    assert_int_equal(waitpid(pool_pid, &status, 0), pool_pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    await("event=stopped ", 1);
}

static void reload_replaces_all_workers_and_keeps_pid_and_descriptors(void **state)
{
    char last[200];
    (void)state;
    start();
    put("four");
    hup();
    await("event=reloaded workers=4 retired=2", 1);
    await("event=reload_over", 1);
    assert_int_equal(heard("event=work ", NULL), 6);
    heard("event=begin ", last);
    assert_string_equal(last, "kept=yes file=good");
    hup();
    await("event=reloaded workers=4 retired=4", 1);
    stop();
}

static void a_refused_check_changes_nothing(void **state)
{
    char last[200];
    (void)state;
    start();
    put("bad");
    hup();
    await("event=reload_refused ", 1);
    heard("event=reload_refused ", last);
    assert_string_equal(last, "status=2 reason=\"conf:3: nonsense\"");
    drop("bad");
    put("moved");
    hup();
    await("event=reload_refused ", 2);
    heard("event=reload_refused ", last);
    assert_string_equal(last, "reason=\"restart needed\" now=\"socket = here\" then=\"socket = there\"");
    drop("moved");
    drop("program");
    hup();
    await("event=reload_refused ", 3);
    assert_int_equal(heard("event=work ", NULL), 2);
    assert_int_equal(heard("event=begin ", NULL), 1);
    install();
    hup();
    await("event=reloaded ", 1);
    stop();
}

static void a_program_that_vanishes_at_the_last_moment_changes_nothing(void **state)
{
    (void)state;
    start();
    put("vanish");
    hup();
    await("event=reload_failed ", 1);
    assert_int_equal(heard("event=work ", NULL), 2);
    drop("vanish");
    install();
    hup();
    await("event=reloaded workers=2 retired=2", 1);
    stop();
}

static void a_program_that_can_not_go_on_minds_the_workers_of_the_one_before(void **state)
{
    char last[200];
    (void)state;
    start();
    put("spoil");
    hup();
    await("event=reload_failed ", 1);
    assert_int_equal(heard("event=work ", NULL), 2);
    drop("fail");
    hup();
    await("event=reloaded workers=2 retired=2", 1);
    heard("event=begin ", last);
    assert_string_equal(last, "kept=yes file=good");
    stop();
}

static void a_program_whose_last_worker_ended_ends(void **state)
{
    char last[200];
    int status;
    (void)state;
    start();
    put("spoil");
    hup();
    await("event=reload_failed ", 1);
    assert_int_equal(waitpid(pool_pid, &status, WNOHANG), 0);
    put("over");
    assert_int_equal(waitpid(pool_pid, &status, 0), pool_pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    heard("event=stopped ", last);
    assert_string_equal(last, "workers=0 reason=\"the last worker of the program before ended\"");
}

static void a_log_that_nobody_reads_ends_nobody(void **state)
{
    int ends[2], status;
    (void)state;
    place();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    launch(ends[1]);
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (!subject_has("worked") && clock_monotonic_ms() < deadline)
        usleep(5000);
    kill(pool_pid, SIGTERM);
    assert_int_equal(waitpid(pool_pid, &status, 0), pool_pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void old_workers_serve_until_the_new_ones_are_ready(void **state)
{
    (void)state;
    start();
    put("sick");
    hup();
    await("event=worker_ended", 3);
    assert_int_equal(heard("event=reloaded", NULL), 0);
    drop("sick");
    await("event=reloaded workers=2 retired=2", 1);
    stop();
}

static void a_retired_worker_finishes_its_work_or_is_pressed(void **state)
{
    (void)state;
    start();
    put("hold");
    put("patient");
    hup();
    await("event=reloaded workers=2 retired=2", 1);
    hup();
    await("event=reloaded ", 2);
    assert_int_equal(heard("event=reload_over", NULL), 0);
    drop("hold");
    await("event=reload_over", 1);
    assert_int_equal(heard("event=retired_stopped", NULL), 0);
    put("hold");
    drop("patient");
    hup();
    await("event=retired_stopped", 2);
    await("event=reload_over", 2);
    assert_int_equal(heard("event=retired_killed", NULL), 0);
    put("deaf");
    hup();
    await("event=retired_killed", 2);
    drop("hold");
    stop();
}

static void a_worker_that_was_retired_does_not_wait_for_ever(void **state)
{
    (void)state;
    start();
    put("patient");
    put("race");
    hup();
    await("event=reload_over", 1);
    hup();
    await("event=reloaded ", 2);
    drop("race");
    await("event=reload_over", 2);
    stop();
}

static void reloads_in_a_row_keep_three_sets_at_most(void **state)
{
    (void)state;
    start();
    put("hold");
    put("patient");
    for (int i = 1; i <= 3; i++) {
        hup();
        await("event=reloaded ", i);
    }
    assert_int_equal(heard("event=retired_stopped", NULL), 0);
    hup();
    await("event=retired_stopped", 2);
    stop();
}

/* PR_SET_PDEATHSIG holds over the exec: the workers of the new program and those of the one before. */
static void workers_never_outlive_the_supervisor(void **state)
{
    int ended = 0, status;
    (void)state;
    start();
    put("hold");
    put("patient");
    hup();
    await("event=reloaded ", 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    kill(pool_pid, SIGKILL);
    alarm(WAIT_MS / 1000);
    while (waitpid(-1, &status, 0) > 0) {
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        ended++;
    }
    alarm(0);
    assert_int_equal(ended, 5);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void a_text_for_somebody_else_is_refused(void **state)
{
    static const char *const TEXTS[] = {"x", ";", ";1:0:5", ";0:0:5", ";-1:0:5", ";2:0:5", ";%d:4:5", ";%d:0:-5",
                                        ";%d:0:", ";%d:0", ";%d::5", ";%d:0:5:6", ";%d:0:5x", ";%d:0:9999999999999999",
                                        ";%d:0:5;", ";%d 0:0:5", ";+%d:0:5"};
    char text[100];
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    struct pool_old list = {0};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, TEXTS[i], (int)child);
        if (pool_old_read(&list, text))
            fail_msg("taken: %s", text);
        pool_old_free(&list);
    }
    snprintf(text, sizeof text, ";%d:1:5", (int)child);
    assert_true(pool_old_read(&list, text) && list.count == 1 && list.worker[0].stage == POOL_RETIRES);
    struct str out = STR_INIT(100);
    pool_old_write(&list, &out);
    assert_string_equal(out.data, text);
    str_free(&out);
    pool_old_free(&list);
    static const char *const VARIABLES[] = {"", "1,3,4", "%d", "%d,", "%d,-1", "%d,x,3", "%d,-1,-2", "%d,-1,-1x", "%d,-1,-1;1:0:5"};
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++) {
        snprintf(text, sizeof text, VARIABLES[i], (int)getpid());
        setenv("CONSIGN_POOL", text, 1);
        int saved = scratch_listen();
        pool_take_over();
        assert_int_not_equal(scratch_heard(saved, text, sizeof text), 0);
        assert_null(getenv("CONSIGN_POOL"));
        assert_int_equal(pool_kept(0), -1);
    }
    assert_int_equal(pool_mind(NULL, 9), 9);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "--pool") == 0)
        return subject_run(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reload_replaces_all_workers_and_keeps_pid_and_descriptors),
        cmocka_unit_test(a_refused_check_changes_nothing),
        cmocka_unit_test(a_program_that_vanishes_at_the_last_moment_changes_nothing),
        cmocka_unit_test(a_program_that_can_not_go_on_minds_the_workers_of_the_one_before),
        cmocka_unit_test(a_program_whose_last_worker_ended_ends),
        cmocka_unit_test(a_log_that_nobody_reads_ends_nobody),
        cmocka_unit_test(old_workers_serve_until_the_new_ones_are_ready),
        cmocka_unit_test(a_retired_worker_finishes_its_work_or_is_pressed),
        cmocka_unit_test(a_worker_that_was_retired_does_not_wait_for_ever),
        cmocka_unit_test(reloads_in_a_row_keep_three_sets_at_most),
        cmocka_unit_test(workers_never_outlive_the_supervisor),
        cmocka_unit_test(a_text_for_somebody_else_is_refused),
    };
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, scratch_end);
}
