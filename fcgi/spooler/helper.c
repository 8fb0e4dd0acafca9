/*
 * helper: a part of somebody else's export. See helper.h.
 */
#include "spooler/helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/stmt_spooler.h"
#include "export/run.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/orders.h"
#include "spooler/session.h"
#include "spooler/tree.h"
#include "spooler/watch.h"
#include "spooler/workplace.h"

#define HELPER_FIGURES_BYTES (2u * 1024u * 1024u)
#define HELPER_FILES_BYTES (16u * 1024u * 1024u)

struct helper {
    struct db *db;
    struct arena *arena;
    struct runner_tools *tools;
    struct orders_job job; /* texts live in the arena */
    const char *attempt;   /* whom it helps */
    const char *snapshot;
    const char *liveness;
    char name[CRYPTO_UUID_TEXT]; /* its own */
    struct watch watch;
    struct workplace place;
    bool unsure; /* nobody can tell whether its files were handed over */
};

/* The parameters that all statements of a helper begin with, in the arena; NULL: exhausted. */
static const char **helper_params(const struct helper *h, struct arena *a)
{
    const char *params[] = {arena_int(a, h->job.org), arena_int(a, h->job.sandbox), arena_int(a, h->job.job),
                            h->job.batch, h->attempt, h->name, NULL, NULL, NULL};
    const char **kept = arena_alloc(a, sizeof params);
    if (arena_exhausted(a))
        return NULL;
    memcpy(kept, params, sizeof params);
    return kept;
}

static enum fault helper_call(const struct helper *h, struct arena *a, const struct stmt *stmt,
                              const char *const *params, struct db_rows *rows)
{
    return params == NULL || arena_exhausted(a) ? FAULT_MEMORY
                                                : db_call(h->db, a, h->job.org, stmt, params, rows);
}

/* The same for what is not given up for a lock that is in the way. */
static enum fault helper_insist(const struct helper *h, struct arena *a, const struct stmt *stmt,
                                const char *const *params, struct db_rows *rows)
{
    return params == NULL || arena_exhausted(a) ? FAULT_MEMORY
                                                : session_insist(h->db, a, h->job.org, stmt, params, rows);
}

static enum fault helper_tell(void *arg, struct arena *a, const struct run_progress *p)
{
    const struct helper *h = arg;
    const char **params = helper_params(h, a);
    if (params != NULL) {
        params[6] = arena_int(a, p->profiles_done);
        params[7] = arena_int(a, p->files_written);
        params[8] = arena_int(a, p->bytes_written);
    }
    return helper_call(h, a, &STMT_HELP_BEAT, params, NULL);
}

static enum fault helper_tick(void *arg)
{
    return watch_tick(&((struct helper *)arg)->watch);
}

static enum fault helper_next_range(void *arg, int64_t *from, int64_t *to, bool *over)
{
    struct helper *h = arg;
    struct arena *a = h->watch.arena;
    struct db_rows rows;
    *over = pool_worker_retiring(); /* then what it has is all it hands over */
    if (*over)
        return FAULT_NONE;
    arena_reset(a);
    enum fault fault = helper_insist(h, a, &STMT_SHARE_TAKE, helper_params(h, a), &rows);
    if (fault != FAULT_NONE)
        return fault;
    *over = rows.count == 0;
    *from = *over ? 0 : db_int(&rows, 0, 0);
    *to = *over ? 0 : db_int(&rows, 0, 1);
    return FAULT_NONE;
}

static void helper_list_files(const struct run_result *r, struct str *out)
{
    str_append_char(out, '[');
    for (uint32_t i = 0; i < r->files; i++) {
        const struct part_description *part = &r->file[i].part;
        str_printf(out, "%s{\"target\":%u,\"name\":\"%s\",\"rows\":%llu,\"bytes\":%llu,\"sha256\":\"%s\"}",
                   i == 0 ? "" : ",", r->file[i].target, part->name, (unsigned long long)part->rows,
                   (unsigned long long)part->bytes, part->sha256);
    }
    str_append_char(out, ']');
}

/* Hands over what was written. */
static enum fault helper_deliver(struct helper *h, const struct run_result *r)
{
    struct arena *a = h->arena;
    struct str namespaces = STR_INIT(HELPER_FIGURES_BYTES), files = STR_INIT(HELPER_FILES_BYTES);
    run_print_namespaces(r, &namespaces);
    helper_list_files(r, &files);
    const char *params[] = {arena_int(a, h->job.org),
                            arena_int(a, h->job.sandbox),
                            arena_int(a, h->job.job),
                            h->name,
                            arena_int(a, r->profiles),
                            arena_int(a, r->events),
                            arena_int(a, r->too_many_identities),
                            arena_int(a, r->too_large),
                            namespaces.data,
                            files.data,
                            preview_text(r->preview)};
    enum fault fault = FAULT_MEMORY;
    if (!namespaces.overflow && !files.overflow)
        fault = helper_insist(h, a, &STMT_HELP_END, params, NULL);
    h->unsure = fault == FAULT_DB_UNAVAILABLE;
    str_free(&namespaces);
    str_free(&files);
    return fault;
}

/* Reads and writes ranges under the attempt's snapshot. */
static enum fault helper_write(struct helper *h, const struct orders *o)
{
    struct run *run = NULL;
    struct run_order order = {.fragments = h->tools->work,
                              .events = h->tools->events,
                              .arena = h->arena,
                              .org = h->job.org,
                              .sandbox = h->job.sandbox,
                              .job = h->job.job,
                              .snapshot = h->snapshot,
                              .orders = &o->spec,
                              .policy = &o->policy,
                              .format = o->format,
                              .compression = o->compression,
                              .part_bytes = (uint64_t)conf_number(CONF_EXPORT_PART_BYTES),
                              .memory_bytes = (size_t)conf_number(CONF_EXPORT_MEMORY_BYTES),
                              .target = h->place.target,
                              .targets = h->place.targets,
                              .per_segment = o->per_segment,
                              .tick = helper_tick,
                              .next_range = helper_next_range,
                              .arg = h,
                              .progress = &h->watch.progress};
    enum fault fault = run_open(&order, &run);
    if (fault == FAULT_NONE)
        fault = run_write(run);
    if (fault == FAULT_NONE)
        fault = run_end(run);
    if (fault == FAULT_NONE)
        fault = helper_deliver(h, run_result(run));
    if (fault == FAULT_NONE)
        log_event(LOG_INFO, "helped", "profiles=%lld files=%u", (long long)run_result(run)->profiles,
                  run_result(run)->files);
    run_free(run);
    return fault;
}

/* Enters the help and does it. */
static enum fault helper_work(struct helper *h)
{
    struct orders orders;
    struct orders_batches batches;
    struct db_rows rows;
    const char **params = helper_params(h, h->arena);
    if (params != NULL)
        params[6] = h->liveness;
    enum fault fault = helper_call(h, h->arena, &STMT_HELP_ENTER, params, NULL);
    if (fault == FAULT_NONE)
        fault = orders_read_batches(h->db, h->arena, &h->job, &batches);
    if (fault == FAULT_NONE)
        fault = helper_call(h, h->arena, &STMT_JOB_ORDERS, params, &rows);
    if (fault == FAULT_NONE)
        fault = orders_read(h->arena, &rows, &orders);
    if (fault == FAULT_NONE)
        fault = workplace_make(&h->place, h->attempt, h->name, batches.batch, batches.count);
    if (fault == FAULT_NONE)
        fault = helper_write(h, &orders);
    workplace_close(&h->place);
    return fault;
}

/* Takes the part back that does not come to an end: sooner than the attempt would find out. */
static void helper_give_up(struct helper *h, enum fault fault)
{
    struct arena *a = h->arena;
    const char *params[] = {arena_int(a, h->job.org), arena_int(a, h->job.sandbox), arena_int(a, h->job.job), h->name};
    log_event(LOG_INFO, "help_ended", "fault=%s", fault_row(fault)->name);
    if (helper_call(h, a, &STMT_HELP_DROP, params, NULL) != FAULT_NONE)
        db_close(h->db); /* and with it the lock */
    /* SECURITY: no file is removed that the attempt may publish; the others go when its directory does */
    if (!h->unsure && h->place.path[0] != '\0' && tree_remove(h->place.path) != FAULT_NONE)
        log_event(LOG_WARN, "left_behind", "helper=%s", h->name);
}

/* Whether an attempt's directory is here. Else it has just ended, or works on another host, into a lake.dir of that host's. */
static bool helper_here(const char *attempt)
{
    char path[LAKE_PATH_MAX];
    return lake_work_path(path, conf_text(CONF_LAKE_DIR), attempt) == FAULT_NONE && access(path, F_OK) == 0;
}

/* The oldest export that is open for help and here. */
static enum fault helper_find(struct helper *h, bool *found)
{
    struct db_rows rows;
    int row = 0;
    crypto_uuid(h->name);
    const char *params[] = {h->name};
    enum fault fault = db_call(h->db, h->arena, 0, &STMT_HELP_BEGIN, params, &rows);
    while (fault == FAULT_NONE && row < rows.count && !helper_here(db_text(&rows, row, 4)))
        row++;
    *found = fault == FAULT_NONE && row < rows.count;
    if (!*found)
        return fault;
    h->job = (struct orders_job){.org = (int)db_int(&rows, row, 0),
                                 .sandbox = (int)db_int(&rows, row, 1),
                                 .job = db_int(&rows, row, 2),
                                 .batch = db_text(&rows, row, 3)};
    h->attempt = db_text(&rows, row, 4);
    h->snapshot = db_text(&rows, row, 5);
    h->liveness = db_text(&rows, row, 6);
    return FAULT_NONE;
}

enum fault helper_run(struct db *db, struct arena *arena, struct runner_tools *tools, bool *found)
{
    struct helper h = {.db = db, .arena = arena, .tools = tools};
    enum fault fault = helper_find(&h, found);
    if (!*found)
        return fault;
    h.watch = watch_begin(helper_tell, &h, tools->beat);
    log_context("org=%d sandbox=%d job=%lld batch=%s attempt=%s helper=%s", h.job.org, h.job.sandbox,
                (long long)h.job.job, h.job.batch, h.attempt, h.name);
    runner_watch(tools, &h.watch, h.name);
    fault = watch_reason(&h.watch, helper_work(&h));
    runner_watch_end(tools, fault);
    if (fault != FAULT_NONE)
        helper_give_up(&h, fault);
    log_context("%s", "");
    return fault;
}
