/*
 * sweep: removes files that nobody will ask for again. See sweep.h.
 */
#include "spooler/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/ident.h"
#include "core/inbox.h"
#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/tree.h"

#define SWEEP_QUIET_S 900 /* far longer than the pool lets a request rest */
#define SWEEP_KEYS "10000" /* at a time */

struct sweep {
    struct db *db;
    struct arena *arena;
    int org, sandbox;  /* while in the inbox */
    const char *batch; /* while in one of its batches */
    int64_t files;     /* counted there */
    int removed;
};

/* Calls visit() with every entry of a directory until it answers a fault. */
static enum fault sweep_each(struct sweep *s, const char *path,
                             enum fault (*visit)(struct sweep *s, const char *path, const char *name))
{
    struct dirent **entry;
    enum fault fault = FAULT_NONE;
    int count = scandir(path, &entry, NULL, NULL); /* all names first, then the questions */
    for (int i = 0; i < count; i++) {
        if (fault == FAULT_NONE && entry[i]->d_name[0] != '.')
            fault = pool_worker_stopping() ? FAULT_STOPPED : visit(s, path, entry[i]->d_name);
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
    return fault;
}

/* Asks a yes-or-no statement; *number, unless NULL, is its second column. */
static enum fault sweep_ask(struct sweep *s, int org, const struct stmt *stmt, const char *const *params, bool *yes,
                            int64_t *number)
{
    struct db_rows rows;
    enum fault fault = db_call(s->db, s->arena, org, stmt, params, &rows);
    *yes = fault != FAULT_NONE || db_bool(&rows, 0, 0);
    if (number != NULL)
        *number = fault == FAULT_NONE ? db_int(&rows, 0, 1) : 0;
    arena_reset(s->arena);
    return fault;
}

static enum fault sweep_remove(struct sweep *s, const char *path)
{
    s->removed++;
    log_event(LOG_INFO, "swept", "path=%s", log_quote(path));
    return tree_remove(path);
}

static enum fault sweep_attempt(struct sweep *s, const char *parent, const char *name)
{
    char path[LAKE_PATH_MAX];
    const char *params[] = {name};
    bool live;
    (void)parent;
    if (!ident_is_uuid(name) || lake_work_path(path, conf_text(CONF_LAKE_DIR), name) != FAULT_NONE)
        return FAULT_NONE; /* not ours */
    enum fault fault = sweep_ask(s, 0, &STMT_ATTEMPT_LIVE, params, &live, NULL);
    return fault == FAULT_NONE && !live ? sweep_remove(s, path) : fault;
}

static enum fault sweep_count(struct sweep *s, const char *parent, const char *name)
{
    (void)parent;
    (void)name;
    s->files++;
    return FAULT_NONE;
}

/* A file in the inbox of a batch that is still wanted. */
static enum fault sweep_file(struct sweep *s, const char *parent, const char *name)
{
    char path[INBOX_PATH_MAX];
    struct stat about;
    bool entered;
    (void)parent;
    if (!ident_is_uuid(name) ||
        inbox_file_path(path, conf_text(CONF_INBOX_DIR), s->org, s->sandbox, s->batch, name) != FAULT_NONE ||
        lstat(path, &about) != 0 || about.st_mtime > time(NULL) - SWEEP_QUIET_S)
        return FAULT_NONE;
    const char *params[] = {arena_int(s->arena, s->org), arena_int(s->arena, s->sandbox), s->batch, name};
    enum fault fault = sweep_ask(s, s->org, &STMT_UPLOAD_WANTED, params, &entered, NULL);
    return fault == FAULT_NONE && !entered ? sweep_remove(s, path) : fault;
}

/* The inbox of a wanted batch in which `entered` files should lie. With no more than that there it is not
 * worth a question a file. */
static enum fault sweep_files(struct sweep *s, const char *path, const char *batch, int64_t entered)
{
    s->batch = batch;
    s->files = 0;
    enum fault fault = sweep_each(s, path, sweep_count);
    return fault == FAULT_NONE && s->files > entered ? sweep_each(s, path, sweep_file) : fault;
}

static enum fault sweep_upload(struct sweep *s, const char *parent, const char *name)
{
    char path[INBOX_PATH_MAX];
    bool wanted;
    int64_t entered;
    (void)parent;
    if (!ident_is_hex(name, IDENT_BATCH_DIGITS) ||
        inbox_batch_path(path, conf_text(CONF_INBOX_DIR), s->org, s->sandbox, name) != FAULT_NONE)
        return FAULT_NONE;
    const char *params[] = {arena_int(s->arena, s->org), arena_int(s->arena, s->sandbox), name};
    enum fault fault = sweep_ask(s, s->org, &STMT_INBOX_WANTED, params, &wanted, &entered);
    if (fault != FAULT_NONE)
        return fault;
    return wanted ? sweep_files(s, path, name, entered) : sweep_remove(s, path);
}

/* A positive number as we write it, or 0. */
static int sweep_number(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < 10 && name[0] != '0' && strspn(name, "0123456789") == length
               ? (int)strtol(name, NULL, 10)
               : 0;
}

static enum fault sweep_sandbox(struct sweep *s, const char *parent, const char *name)
{
    char path[INBOX_PATH_MAX];
    s->sandbox = sweep_number(name);
    if (s->sandbox == 0 || snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return FAULT_NONE;
    return sweep_each(s, path, sweep_upload);
}

static enum fault sweep_org(struct sweep *s, const char *parent, const char *name)
{
    char path[INBOX_PATH_MAX];
    s->org = sweep_number(name);
    if (s->org == 0 || snprintf(path, sizeof path, "%s/%s", parent, name) >= (int)sizeof path)
        return FAULT_NONE;
    return sweep_each(s, path, sweep_sandbox);
}

static enum fault sweep_keys(struct sweep *s)
{
    const char *params[] = {SWEEP_KEYS};
    return db_call(s->db, s->arena, 0, &STMT_KEYS_EXPIRE, params, NULL);
}

/* The lock that one sweep of this host holds at a time: on the directory itself, which leaves no file
 * behind. -1: somebody else sweeps, or it cannot be opened. */
static int sweep_lock(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) != 0) {
        close(directory);
        directory = -1;
    }
    return directory;
}

void sweep_run(struct db *db, struct arena *arena)
{
    struct sweep s = {.db = db, .arena = arena};
    char path[LAKE_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/tmp", conf_text(CONF_LAKE_DIR)) >= (int)sizeof path)
        return;
    int lock = sweep_lock(path);
    if (lock < 0)
        return;
    arena_reset(arena);
    enum fault fault = sweep_each(&s, path, sweep_attempt);
    if (fault == FAULT_NONE)
        fault = sweep_each(&s, conf_text(CONF_INBOX_DIR), sweep_org);
    if (fault == FAULT_NONE)
        fault = sweep_keys(&s);
    log_event(LOG_DEBUG, "sweep", "removed=%d outcome=%s", s.removed, fault_row(fault)->name);
    close(lock);
}
