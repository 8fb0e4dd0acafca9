/*
 * sweep_inbox: uploads that nobody will load: their batch is over, or they were cut off before they were entered.
 *
 * An upload is entered after its last byte; one that is not and was not written to for INBOX_QUIET_S is of a request
 * that died. What time it is the file system says, which wrote down when a file was written to: it may be another machine's,
 * with another clock than ours. Caller: sweep.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/ident.h"
#include "core/inbox.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "spooler/sweep_step.h"

#define INBOX_QUIET_S 900 /* far longer than the pool lets a request rest */

/* Where in the inbox it is. */
struct inbox {
    int org, sandbox;
    const char *batch;
    int64_t files; /* counted in the batch */
    time_t now;    /* by the file system's clock; 0: it does not say */
    bool held;     /* what could have been removed was kept for a backup */
};

/* Has the file system write its time down at the inbox itself, which takes no room, and reads it. */
static time_t inbox_now(const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool told = fd >= 0 && futimens(fd, NULL) == 0 && fstat(fd, &about) == 0;
    if (!told)
        log_event(LOG_ERROR, "directory", "what=time path=%s reason=\"%s\"", log_quote(path), strerror(errno));
    if (fd >= 0)
        close(fd);
    return told ? about.st_mtime : 0;
}

/* What the database said is not wanted, unless a backup is made. */
static void inbox_remove(struct sweep *s, struct inbox *in, const char *path)
{
    if (!inbox_is_held(conf_text(CONF_INBOX_DIR))) {
        sweep_remove(s, path);
        return;
    }
    if (!in->held)
        log_event(LOG_INFO, "inbox_held", "reason=\"somebody holds the lock of the inbox, so nothing is removed\"");
    in->held = true;
}

static enum fault inbox_count(struct sweep *s, const char *parent, const char *name, void *arg)
{
    struct inbox *in = arg;
    (void)s;
    (void)parent;
    (void)name;
    in->files++;
    return FAULT_NONE;
}

/* A file in the inbox of a batch that is still wanted. */
static enum fault inbox_file(struct sweep *s, const char *parent, const char *name, void *arg)
{
    struct inbox *in = arg;
    char path[INBOX_PATH_MAX];
    struct stat about;
    bool entered;
    (void)parent;
    if (!ident_is_uuid(name) ||
        inbox_file_path(path, conf_text(CONF_INBOX_DIR), in->org, in->sandbox, in->batch, name) != FAULT_NONE ||
        lstat(path, &about) != 0 || about.st_mtime > in->now - INBOX_QUIET_S)
        return FAULT_NONE;
    const char *params[] = {arena_int(s->arena, in->org), arena_int(s->arena, in->sandbox), in->batch, name};
    enum fault fault = sweep_ask(s, in->org, &STMT_UPLOAD_WANTED, params, &entered, NULL);
    if (fault == FAULT_NONE && !entered)
        inbox_remove(s, in, path);
    return fault;
}

/* The inbox of a wanted batch in which `entered` files should lie. With no more than that there it is not
 * worth a question a file. */
static enum fault inbox_files(struct sweep *s, const char *path, struct inbox *in, int64_t entered)
{
    in->files = 0;
    enum fault fault = sweep_each(s, path, inbox_count, in);
    return fault == FAULT_NONE && in->files > entered ? sweep_each(s, path, inbox_file, in) : fault;
}

static enum fault inbox_batch(struct sweep *s, const char *parent, const char *name, void *arg)
{
    struct inbox *in = arg;
    char path[INBOX_PATH_MAX];
    bool wanted;
    int64_t entered;
    (void)parent;
    if (!ident_is_hex(name, IDENT_BATCH_DIGITS) ||
        inbox_batch_path(path, conf_text(CONF_INBOX_DIR), in->org, in->sandbox, name) != FAULT_NONE)
        return FAULT_NONE;
    in->batch = name;
    const char *params[] = {arena_int(s->arena, in->org), arena_int(s->arena, in->sandbox), name};
    enum fault fault = sweep_ask(s, in->org, &STMT_INBOX_WANTED, params, &wanted, &entered);
    if (fault != FAULT_NONE)
        return fault;
    if (wanted)
        return inbox_files(s, path, in, entered);
    inbox_remove(s, in, path);
    return FAULT_NONE;
}

/* A positive number as we write it, or 0. */
static int inbox_number(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < 10 && name[0] != '0' && strspn(name, "0123456789") == length
               ? (int)strtol(name, NULL, 10)
               : 0;
}

static enum fault inbox_sandbox(struct sweep *s, const char *parent, const char *name, void *arg)
{
    struct inbox *in = arg;
    char path[INBOX_PATH_MAX];
    in->sandbox = inbox_number(name);
    if (in->sandbox == 0 || snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return FAULT_NONE;
    return sweep_each(s, path, inbox_batch, in);
}

static enum fault inbox_org(struct sweep *s, const char *parent, const char *name, void *arg)
{
    struct inbox *in = arg;
    char path[INBOX_PATH_MAX];
    in->org = inbox_number(name);
    if (in->org == 0 || snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return FAULT_NONE;
    return sweep_each(s, path, inbox_sandbox, in);
}

enum fault sweep_inbox(struct sweep *s)
{
    struct inbox in = {.now = inbox_now(conf_text(CONF_INBOX_DIR))};
    return sweep_each(s, conf_text(CONF_INBOX_DIR), inbox_org, &in);
}
