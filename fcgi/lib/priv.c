/*
 * priv: becoming somebody who may do less. See priv.h.
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

static enum fault priv_refuse(const char *step)
{
    log_event(LOG_ERROR, "privileges", "step=%s reason=\"%s\"", step, strerror(errno));
    return FAULT_INTERNAL;
}

/* SECURITY: groups before gid before uid; each result is checked, and then the way back is tried. */
static enum fault priv_become(const char *user)
{
    struct passwd *entry = getpwnam(user);
    if (entry == NULL || entry->pw_uid == 0) {
        log_event(LOG_ERROR, "privileges", "step=user user=%s reason=\"no such user, or root\"", log_quote(user));
        return FAULT_INTERNAL;
    }
    if (initgroups(user, entry->pw_gid) != 0 || setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
        setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
        return priv_refuse("become");
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || getuid() == 0 || geteuid() == 0)
        return priv_refuse("no_way_back");
    return FAULT_NONE;
}

/* The change of uid took root's; what a service manager gave to a plain user goes here. */
static enum fault priv_drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || syscall(SYS_capset, &header, none) != 0)
        return priv_refuse("capabilities");
    return FAULT_NONE;
}

/* Whether a variable outlives the start. */
static bool priv_keeps(const char *variable)
{
#ifdef CONSIGN_SANITIZE
    return strncmp(variable, "ASAN_OPTIONS=", 13) == 0 || strncmp(variable, "UBSAN_OPTIONS=", 14) == 0;
#else
    (void)variable;
    return false;
#endif
}

void priv_clear_environment(void)
{
    char *kept[2] = {NULL, NULL};
    size_t n = 0;
    for (char **p = environ; p != NULL && *p != NULL; p++) {
        if (n < sizeof kept / sizeof *kept && priv_keeps(*p))
            kept[n++] = *p;
        else
            explicit_bzero(*p, strlen(*p));
    }
    clearenv();
    while (n > 0)
        putenv(kept[--n]); /* in place: it lies where the kernel put it */
}

void priv_warn_unreadable(const char *path)
{
    if (access(path, R_OK) != 0)
        log_event(LOG_WARN, "settings", "file=%s reason=\"not readable for this user, so a reload will be refused: %s\"",
                  log_quote(path), strerror(errno));
}

enum fault priv_drop(const char *user)
{
    umask(0027);
    if (geteuid() == 0) {
        enum fault fault = priv_become(user);
        if (fault != FAULT_NONE)
            return fault;
    }
    if (priv_drop_capabilities() != FAULT_NONE)
        return FAULT_INTERNAL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return priv_refuse("no_new_privileges");
    return FAULT_NONE;
}
