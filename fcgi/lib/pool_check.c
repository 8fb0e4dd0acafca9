/*
 * pool_check: the program with --check. See pool_check.h.
 */
#include "lib/pool_check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define POOL_CHECK_MS 20000 /* reading files and keys; sanitizer builds are slow to start */
#define POOL_CHECK_WORDS 16
#define POOL_CHECK_TEXT 8192
#define POOL_CHECK_LINE 1024

static void pool_check_close(struct pool_check *c)
{
    if (c->out > 0)
        close(c->out);
    if (c->err > 0)
        close(c->err);
    *c = (struct pool_check){0};
}

/* The child: becomes the program. */
static _Noreturn void pool_check_child(const struct pool_check *c, char *const *argv, pid_t parent)
{
    char *words[POOL_CHECK_WORDS + 2] = {NULL};
    static char option[] = "--check";
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    size_t n = 0;
    for (; n < POOL_CHECK_WORDS && argv[n] != NULL; n++)
        words[n] = argv[n];
    words[n] = option;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(c->out, STDOUT_FILENO) < 0 || dup2(c->err, STDERR_FILENO) < 0)
        _exit(1);
    execv(words[0], words);
    const char *reason = strerror(errno);
    ssize_t ignored = write(STDERR_FILENO, reason, strlen(reason));
    (void)ignored;
    _exit(127);
}

bool pool_check_begin(struct pool_check *c, const struct pool_program *program)
{
    /* files in memory and no pipes: nobody has to read them while the child writes */
    c->out = memfd_create("check out", MFD_CLOEXEC);
    c->err = memfd_create("check err", MFD_CLOEXEC);
    pid_t parent = getpid();
    c->pid = c->out > 0 && c->err > 0 ? fork() : -1;
    if (c->pid == 0)
        pool_check_child(c, program->argv, parent);
    c->begun_ms = clock_monotonic_ms();
    if (c->pid > 0)
        return true;
    log_event(LOG_ERROR, "reload_refused", "reason=\"%s\"", strerror(errno));
    pool_check_close(c);
    return false;
}

void pool_check_press(struct pool_check *c)
{
    if (c->pid > 0 && clock_monotonic_ms() - c->begun_ms >= POOL_CHECK_MS)
        kill(c->pid, SIGKILL);
}

/* The first of what a file in memory holds, as a text. */
static void pool_check_read(int fd, char *out, size_t size)
{
    ssize_t got = pread(fd, out, size - 1, 0);
    out[got < 0 ? 0 : got] = '\0';
}

/* Whether nothing changed that needs a restart; else says the first of it. */
static bool pool_check_compare(const char *now, const char *then)
{
    if (strcmp(now, then) == 0)
        return true;
    while (*now != '\0' && strcspn(now, "\n") == strcspn(then, "\n") && strncmp(now, then, strcspn(now, "\n") + 1) == 0) {
        size_t line = strcspn(now, "\n") + (now[strcspn(now, "\n")] != '\0');
        now += line;
        then += line;
    }
    char first[2][POOL_CHECK_LINE];
    snprintf(first[0], sizeof first[0], "%.*s", (int)strcspn(now, "\n"), now);
    snprintf(first[1], sizeof first[1], "%.*s", (int)strcspn(then, "\n"), then);
    log_event(LOG_ERROR, "reload_refused", "reason=\"restart needed\" now=%s then=%s", log_quote(first[0]),
              log_quote(first[1]));
    return false;
}

bool pool_check_conclude(struct pool_check *c, const struct pool_program *program, int status)
{
    char text[POOL_CHECK_TEXT];
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good) {
        pool_check_read(c->err, text, sizeof text);
        text[strcspn(text, "\n")] = '\0';
        log_event(LOG_ERROR, "reload_refused", "%s=%d reason=%s", WIFSIGNALED(status) ? "signal" : "status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), log_quote(text));
    } else if (program->fixed != NULL) {
        pool_check_read(c->out, text, sizeof text);
        good = pool_check_compare(program->fixed, text);
    }
    pool_check_close(c);
    return good;
}
