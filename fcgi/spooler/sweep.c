/*
 * sweep: who sweeps, and the order of the steps. See sweep.h.
 */
#include "spooler/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/object_store.h"
#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/str.h"
#include "spooler/counts.h"
#include "spooler/sweep_step.h"
#include "spooler/tree.h"

#define SWEEP_SLICE_MS 2000 /* of a step that can go on the next time: the worker has other work too */
#define SWEEP_REMOVALS_MS 30000

/* Where the steps go on. */
struct sweep_marks {
    char expire[SWEEP_PLACE_MAX];
    char lake[SWEEP_PLACE_MAX];
    char archive[SWEEP_PLACE_MAX];
};

enum fault sweep_go_on(void)
{
    return pool_worker_stopping() ? FAULT_STOPPED : FAULT_NONE;
}

bool sweep_time_is_up(const struct sweep *s)
{
    return clock_monotonic_ms() >= s->until_ms;
}

int64_t sweep_removals_end(void)
{
    const int64_t silence_ms = conf_number(CONF_SPOOLER_SILENCE_MS) / 2;
    return clock_monotonic_ms() + (silence_ms < SWEEP_REMOVALS_MS ? silence_ms : SWEEP_REMOVALS_MS);
}

enum fault sweep_each(struct sweep *s, const char *path,
                      enum fault (*visit)(struct sweep *s, const char *path, const char *name, void *arg), void *arg)
{
    struct dirent **entry;
    enum fault fault = FAULT_NONE;
    int count = scandir(path, &entry, NULL, NULL); /* all names first, then the questions */
    if (count < 0 && errno != ENOENT && errno != ENOTDIR)
        log_event(LOG_ERROR, "directory", "what=list path=%s reason=\"%s\"", log_quote(path), strerror(errno));
    for (int i = 0; i < count; i++) {
        if (fault == FAULT_NONE)
            fault = sweep_go_on();
        if (fault == FAULT_NONE && entry[i]->d_name[0] != '.')
            fault = visit(s, path, entry[i]->d_name, arg);
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
    return fault;
}

enum fault sweep_ask(struct sweep *s, int org, const struct stmt *stmt, const char *const *params, bool *yes,
                     int64_t *number)
{
    struct db_rows rows;
    enum fault fault = arena_exhausted(s->arena) ? FAULT_MEMORY : db_call(s->db, s->arena, org, stmt, params, &rows);
    *yes = fault == FAULT_NONE && db_bool(&rows, 0, 0);
    if (number != NULL)
        *number = fault == FAULT_NONE ? db_int(&rows, 0, 1) : 0;
    arena_reset(s->arena);
    return fault;
}

void sweep_removed(struct sweep *s, const char *path, enum fault fault)
{
    if (fault != FAULT_NONE)
        return;
    s->removed++;
    log_event(LOG_INFO, "swept", "step=%s path=%s", s->step, log_quote(path));
}

void sweep_remove(struct sweep *s, const char *path)
{
    sweep_removed(s, path, tree_remove(path));
}

/* A number and the slash behind it, which are passed over. */
static bool sweep_read_number(const char **mark, int *out)
{
    char *end;
    long n = strtol(*mark, &end, 10);
    bool good = end != *mark && *end == '/' && n >= 0 && n <= INT_MAX;
    *out = good ? (int)n : 0;
    *mark = good ? end + 1 : *mark;
    return good;
}

/* An id of so many digits, or none, up to the next slash or the end. */
static bool sweep_read_id(const char **mark, char *out, size_t digits)
{
    size_t length = strcspn(*mark, "/");
    if (length != 0 && length != digits)
        return false;
    memcpy(out, *mark, length);
    out[length] = '\0';
    *mark += length + ((*mark)[length] == '/');
    return length == 0 || ident_is_hex(out, digits);
}

struct sweep_place sweep_place_read(const char *mark)
{
    struct sweep_place place = {0};
    bool good = sweep_read_number(&mark, &place.org) && sweep_read_number(&mark, &place.sandbox) &&
                sweep_read_id(&mark, place.dataset, IDENT_DATASET_DIGITS) &&
                sweep_read_id(&mark, place.batch, IDENT_BATCH_DIGITS);
    return good ? place : (struct sweep_place){0};
}

void sweep_place_write(const struct sweep_place *place, char mark[static SWEEP_PLACE_MAX])
{
    snprintf(mark, SWEEP_PLACE_MAX, "%d/%d/%s/%s", place->org, place->sandbox, place->dataset, place->batch);
}

enum fault sweep_mark(struct sweep *s, const char *place)
{
    const char *params[] = {s->step, place};
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_SWEEP_MARK, params, NULL);
    arena_reset(s->arena);
    return fault;
}

/* Becomes the one that sweeps, and reads the marks; *ours false: it is somebody else's turn, or nobody's yet. */
static enum fault sweep_begin(struct sweep *s, struct sweep_marks *marks, bool *ours)
{
    static const char *const NAMES[] = {"expire", "lake", "archive"};
    char *out[] = {marks->expire, marks->lake, marks->archive};
    struct db_rows rows;
    /* whoever asks first after that time sweeps; a worker asks every spooler.sweep_ms, and not to the millisecond */
    const char *params[] = {arena_int(s->arena, conf_number(CONF_SPOOLER_SWEEP_MS) * 3 / 4)};
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_SWEEP_BEGIN, params, &rows);
    *ours = fault == FAULT_NONE && rows.count > 0;
    for (int row = 0; *ours && row < rows.count; row++) {
        for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
            if (strcmp(db_text(&rows, row, 0), NAMES[i]) == 0 && db_length(&rows, row, 1) < SWEEP_PLACE_MAX)
                str_copy_fitting(out[i], SWEEP_PLACE_MAX, db_text(&rows, row, 1));
        }
    }
    arena_reset(s->arena);
    return fault;
}

static void sweep_step_begin(struct sweep *s, const char *name)
{
    s->step = name;
    s->until_ms = clock_monotonic_ms() + SWEEP_SLICE_MS;
}

static enum fault sweep_steps(struct sweep *s, const struct sweep_marks *marks)
{
    enum fault fault;
    sweep_step_begin(s, "attempts");
    if ((fault = sweep_attempts(s)) != FAULT_NONE || (fault = sweep_uploads(s)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "inbox");
    if ((fault = sweep_inbox(s)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "expire");
    if ((fault = sweep_expire(s, marks->expire)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "lake");
    if ((fault = sweep_lake(s, marks->lake)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "archive");
    if ((fault = sweep_archive(s, marks->archive)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "keys");
    if ((fault = sweep_keys(s)) != FAULT_NONE)
        return fault;
    sweep_step_begin(s, "events");
    return sweep_events(s);
}

/* With an object store lake.dir may be each host's own, and then only its own workers can sweep it. */
static void sweep_own(struct sweep *s)
{
    if (object_store() == NULL)
        return;
    sweep_step_begin(s, "attempts");
    enum fault fault = sweep_attempts(s);
    log_event(LOG_DEBUG, "sweep", "removed=%lld step=%s outcome=%s", (long long)s->removed, s->step, fault_row(fault)->name);
    counts_add("swept/files", s->removed);
}

static void sweep_count(const struct sweep *s, const char *outcome)
{
    counts_add(outcome, 1);
    counts_add("swept/files", s->removed);
    counts_add("swept/expired_batches", s->expired);
    counts_add("swept/archived_jobs", s->archived);
    counts_add("swept/forgotten_batches", s->forgotten);
    counts_add("swept/abandoned_batches", s->abandoned);
}

void sweep_run(struct db *db, struct arena *arena)
{
    struct sweep s = {.db = db, .arena = arena, .step = "begin"};
    struct sweep_marks marks = {{0}, {0}, {0}};
    bool ours;
    arena_reset(arena);
    enum fault fault = sweep_begin(&s, &marks, &ours);
    if (fault == FAULT_NONE && !ours) {
        sweep_own(&s);
        return;
    }
    if (fault == FAULT_NONE)
        fault = sweep_steps(&s, &marks);
    bool ended = fault == FAULT_NONE || fault == FAULT_STOPPED;
    log_event(ended ? LOG_DEBUG : LOG_WARN, "sweep",
              "removed=%lld expired=%lld archived=%lld forgotten=%lld abandoned=%lld step=%s outcome=%s",
              (long long)s.removed, (long long)s.expired, (long long)s.archived, (long long)s.forgotten,
              (long long)s.abandoned, s.step, fault_row(fault)->name);
    sweep_count(&s, fault == FAULT_NONE ? "sweeps/done" : ended ? "sweeps/stopped" : "sweeps/failed");
    arena_reset(arena);
    if (db_connected(db) && db_call(db, arena, 0, &STMT_SWEEP_END, NULL, NULL) != FAULT_NONE)
        db_close(db); /* the lock goes with the session */
}
