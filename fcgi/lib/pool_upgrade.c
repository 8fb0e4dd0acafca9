/*
 * pool_upgrade: the change of program. See pool_upgrade.h.
 */
#include "lib/pool_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/pool_internal.h"

#define UPGRADE_VARIABLE "CONSIGN_POOL"
#define UPGRADE_MORE "CONSIGN_POOL_MORE"
#define UPGRADE_FIRST_KEEP 2 /* descriptors in the former; the rest is in the latter */
#define UPGRADE_TEXT_MAX 131000u /* a string of exec() has 128 KiB */
#define UPGRADE_MIND_MS 86400000

static struct pool_old taken;
static int kept[POOL_KEEP_MAX] = {-1, -1, -1};

/* A number of the text and the comma before it, if it has one. */
static bool upgrade_number(const char **text, bool comma, int *out)
{
    char *end;
    if (comma && *(*text)++ != ',')
        return false;
    long n = strtol(*text, &end, 10);
    bool good = end != *text && n >= -1 && n <= INT_MAX;
    *text = end;
    *out = good ? (int)n : -1;
    return good;
}

/* "pid,fd,fd": the descriptors of these places; one is -1 when there is none. */
static bool upgrade_read(const char **text, int from, int to)
{
    int pid, fd;
    if (!upgrade_number(text, false, &pid) || pid != (int)getpid())
        return false;
    for (int i = from; i < to; i++) {
        if (!upgrade_number(text, true, &fd))
            return false;
        /* a program that this one runs must not have it */
        if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
            kept[i] = fd;
    }
    return true;
}

void pool_take_over(void)
{
    sigset_t early;
    sigemptyset(&early);
    sigaddset(&early, SIGHUP); /* one that comes before pool_run() waits for it */
    sigprocmask(SIG_BLOCK, &early, NULL);
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads any more is no reason to end */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const char *text = getenv(UPGRADE_VARIABLE), *more = getenv(UPGRADE_MORE);
    if (text != NULL && !(upgrade_read(&text, 0, UPGRADE_FIRST_KEEP) && pool_old_read(&taken, text)))
        log_event(LOG_ERROR, "take_over", "reason=\"the variable " UPGRADE_VARIABLE " is not for this process\"");
    if (more != NULL && !upgrade_read(&more, UPGRADE_FIRST_KEEP, POOL_KEEP_MAX))
        log_event(LOG_ERROR, "take_over", "reason=\"the variable " UPGRADE_MORE " is not for this process\"");
    unsetenv(UPGRADE_VARIABLE);
    unsetenv(UPGRADE_MORE);
}

char *pool_program_path(char *argv0)
{
    static char path[PATH_MAX];
    if (strchr(argv0, '/') != NULL)
        return argv0;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    return path;
}

int pool_kept(int place)
{
    return kept[place];
}

struct pool_old pool_upgrade_workers(void)
{
    struct pool_old list = taken;
    taken = (struct pool_old){0};
    return list;
}

static void upgrade_inherit(const struct pool_program *program, int flags)
{
    for (int i = 0; i < POOL_KEEP_MAX; i++) {
        if (program->keep[i] >= 0)
            fcntl(program->keep[i], F_SETFD, flags);
    }
}

void pool_upgrade_exec(const struct pool_program *program, const struct pool_old *workers)
{
    struct str text = STR_INIT(UPGRADE_TEXT_MAX);
    char more[32];
    str_printf(&text, "%d,%d,%d", (int)getpid(), program->keep[0], program->keep[1]);
    pool_old_write(workers, &text);
    snprintf(more, sizeof more, "%d,%d", (int)getpid(), program->keep[UPGRADE_FIRST_KEEP]);
    errno = ENOMEM;
    if (!text.overflow && setenv(UPGRADE_VARIABLE, text.data, 1) == 0 && setenv(UPGRADE_MORE, more, 1) == 0) {
        upgrade_inherit(program, 0);
        execv(program->argv[0], program->argv);
        log_event(LOG_ERROR, "reload_failed", "reason=\"%s\"", strerror(errno));
        upgrade_inherit(program, FD_CLOEXEC);
    } else {
        log_event(LOG_ERROR, "reload_failed", "reason=\"%s\"", strerror(errno));
    }
    unsetenv(UPGRADE_VARIABLE);
    unsetenv(UPGRADE_MORE);
    str_free(&text);
}

int pool_mind(char *const *argv, int status)
{
    if (taken.count == 0)
        return status;
    log_event(LOG_ERROR, "reload_failed", "workers=%d reason=\"this program can't go on; the workers of the one before do\"",
              taken.count);
    struct pool_program program = {.argv = argv, .keep = {kept[0], kept[1], kept[2]}};
    struct pool_options options = {.grace_ms = 15000, .retire_ms = UPGRADE_MIND_MS, .program = &program};
    return pool_run(&options) == 0 ? 0 : status;
}
