/*
 * sweep_rows: what has an end in the database: batches that expire, jobs and batches that are old or were left open,
 * idempotency keys, events of webhooks.
 *
 * A batch is first told to be gone, in one transaction with others of its dataset, and its files are removed then; what
 * a crash leaves in between, sweep_lake finds. Caller: sweep.
 */
#include <inttypes.h>
#include <string.h>

#include "core/ident.h"
#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"
#include "spooler/counts.h"
#include "spooler/lake_store.h"
#include "spooler/sweep_step.h"

#define ROWS_PAGE 100 /* datasets or sandboxes that are read at once */
#define ROWS_PAGE_TEXT "100"
#define ROWS_EXPIRE 50 /* batches of a dataset at a time; each may have a thousand refused records */
#define ROWS_EXPIRE_TEXT "50"
#define ROWS_MOVE 200 /* jobs or batches of a sandbox at a time */
#define ROWS_MOVE_TEXT "200"
#define ROWS_KEYS 500
#define ROWS_KEYS_TEXT "500"
#define ROWS_EVENTS 500
#define ROWS_EVENTS_TEXT "500"
#define ROWS_DAY_MS INT64_C(86400000)
#define ROWS_HOUR_MS INT64_C(3600000)

struct rows_page {
    int count;
    struct sweep_place place[ROWS_PAGE];
};

/* The next page behind a place; `stmt` takes org, sandbox, (dataset,) limit and answers the same. */
static enum fault rows_next(struct sweep *s, const struct stmt *stmt, const struct sweep_place *behind,
                            struct rows_page *page)
{
    struct db_rows rows;
    const char *params[4] = {arena_int(s->arena, behind->org), arena_int(s->arena, behind->sandbox), ROWS_PAGE_TEXT};
    bool datasets = stmt->params == 4;
    page->count = 0;
    if (datasets) {
        params[2] = behind->dataset;
        params[3] = ROWS_PAGE_TEXT;
    }
    enum fault fault = db_call(s->db, s->arena, 0, stmt, params, &rows);
    for (int row = 0; fault == FAULT_NONE && row < rows.count && row < ROWS_PAGE; row++) {
        struct sweep_place *place = &page->place[page->count++];
        *place = (struct sweep_place){.org = (int)db_int(&rows, row, 0), .sandbox = (int)db_int(&rows, row, 1)};
        if (datasets)
            str_copy_fitting(place->dataset, sizeof place->dataset, db_text(&rows, row, 2));
    }
    arena_reset(s->arena);
    return fault;
}

/* Keeps the place as the mark, or the start when `place` is NULL; not again what is kept already. */
static enum fault rows_mark(struct sweep *s, const struct sweep_place *place, const char *before)
{
    char mark[SWEEP_PLACE_MAX] = "";
    if (place != NULL)
        sweep_place_write(place, mark);
    return strcmp(mark, before) == 0 ? FAULT_NONE : sweep_mark(s, mark);
}

/* After a fault at a place, which may be its own (a lock that somebody holds): the next sweep begins behind it, so that it
 * holds up none of the others, and comes to it again after them. */
static enum fault rows_pass(struct sweep *s, const struct sweep_place *place, const char *before, enum fault fault)
{
    if (fault != FAULT_STOPPED && rows_mark(s, place, before) == FAULT_NONE)
        log_event(LOG_WARN, "sweep_passed", "step=%s org=%d sandbox=%d fault=%s", s->step, place->org, place->sandbox,
                  fault_row(fault)->name);
    return fault;
}

/* ---- batches that expire ---- */

static enum fault expire_files(struct sweep *s, const struct sweep_place *place, const char *batch, int64_t until_ms)
{
    struct lake_batch where = {.org = place->org, .sandbox = place->sandbox, .dataset = place->dataset, .batch = batch};
    char path[LAKE_PATH_MAX];
    enum fault fault = lake_batch_relative(path, &where);
    if (fault == FAULT_NONE)
        fault = lake_store()->remove_batch(&where, until_ms);
    sweep_removed(s, path, fault);
    return fault;
}

/* One set of batches of a dataset; *more: there may be others. */
static enum fault expire_some(struct sweep *s, const struct sweep_place *place, bool *more)
{
    struct db_rows rows;
    const char *params[] = {arena_int(s->arena, place->org), arena_int(s->arena, place->sandbox), place->dataset,
                            ROWS_EXPIRE_TEXT};
    enum fault fault = db_call(s->db, s->arena, place->org, &STMT_BATCH_EXPIRE, params, &rows);
    enum fault lake = FAULT_NONE; /* when it does not answer, or takes long, the rest is for sweep_lake */
    const int64_t until_ms = sweep_removals_end();
    int count = fault == FAULT_NONE ? rows.count : 0;
    for (int row = 0; row < count && lake != FAULT_NOT_READY && lake != FAULT_STOPPED && clock_monotonic_ms() < until_ms; row++) {
        if (strcmp(db_text(&rows, row, 1), "export") == 0)
            lake = expire_files(s, place, db_text(&rows, row, 0), until_ms);
    }
    if (count > 0)
        log_event(LOG_INFO, "expired", "org=%d sandbox=%d dataset=%s batches=%d", place->org, place->sandbox,
                  place->dataset, count);
    arena_reset(s->arena);
    s->expired += count;
    *more = count == ROWS_EXPIRE;
    return fault == FAULT_NONE ? sweep_go_on() : fault;
}

enum fault sweep_expire(struct sweep *s, const char *mark)
{
    struct sweep_place behind = sweep_place_read(mark);
    struct rows_page page;
    enum fault fault = FAULT_NONE;
    do {
        fault = rows_next(s, &STMT_RETENTION_NEXT, &behind, &page);
        for (int i = 0; fault == FAULT_NONE && i < page.count; i++) {
            bool more = true;
            while (fault == FAULT_NONE && more && !sweep_time_is_up(s))
                fault = expire_some(s, &page.place[i], &more);
            if (fault != FAULT_NONE)
                return rows_pass(s, &page.place[i], mark, fault);
            if (more) /* this dataset first, the next time */
                return rows_mark(s, &behind, mark);
            behind = page.place[i];
        }
    } while (fault == FAULT_NONE && page.count == ROWS_PAGE);
    return fault == FAULT_NONE ? rows_mark(s, NULL, mark) : fault;
}

/* ---- jobs that ended long ago, batches that expired long ago, open batches that nobody fills ---- */

/* Calls a function that takes org, sandbox, how old (a setting in days) and how many, and answers how many it had, until
 * it had fewer. */
static enum fault archive_all(struct sweep *s, const struct sweep_place *place, const struct stmt *stmt, enum conf_key days,
                              int64_t *total)
{
    bool more = true;
    enum fault fault = FAULT_NONE;
    while (fault == FAULT_NONE && more && !sweep_time_is_up(s)) {
        struct db_rows rows;
        const char *params[] = {arena_int(s->arena, place->org), arena_int(s->arena, place->sandbox),
                                arena_int(s->arena, conf_number(days) * ROWS_DAY_MS), ROWS_MOVE_TEXT};
        fault = db_call(s->db, s->arena, place->org, stmt, params, &rows);
        int64_t count = fault == FAULT_NONE ? db_int(&rows, 0, 0) : 0;
        arena_reset(s->arena);
        *total += count;
        more = count == ROWS_MOVE;
        if (fault == FAULT_NONE)
            fault = sweep_go_on();
    }
    return fault;
}

/* One page of sandboxes a sweep: nobody waits for this. */
enum fault sweep_archive(struct sweep *s, const char *mark)
{
    struct sweep_place behind = sweep_place_read(mark);
    struct rows_page page;
    enum fault fault = rows_next(s, &STMT_SWEEP_PLACES, &behind, &page);
    if (fault != FAULT_NONE)
        return fault;
    for (int i = 0; i < page.count; i++) {
        const struct sweep_place *place = &page.place[i];
        fault = archive_all(s, place, &STMT_BATCH_ABANDON, CONF_INBOX_OPEN_DAYS, &s->abandoned);
        if (fault == FAULT_NONE)
            fault = archive_all(s, place, &STMT_JOB_ARCHIVE, CONF_JOBS_KEEP_DAYS, &s->archived);
        if (fault == FAULT_NONE)
            fault = archive_all(s, place, &STMT_BATCH_FORGET, CONF_JOBS_KEEP_DAYS, &s->forgotten);
        if (fault != FAULT_NONE)
            return rows_pass(s, place, mark, fault);
        if (sweep_time_is_up(s))
            return rows_mark(s, &behind, mark);
        behind = *place;
    }
    return rows_mark(s, page.count == ROWS_PAGE ? &behind : NULL, mark);
}

/* ---- idempotency keys ---- */

enum fault sweep_keys(struct sweep *s)
{
    const char *params[] = {ROWS_KEYS_TEXT};
    int64_t count = ROWS_KEYS;
    enum fault fault = FAULT_NONE;
    while (fault == FAULT_NONE && count == ROWS_KEYS && !sweep_time_is_up(s)) {
        struct db_rows rows;
        fault = db_call(s->db, s->arena, 0, &STMT_KEYS_EXPIRE, params, &rows);
        count = fault == FAULT_NONE ? db_int(&rows, 0, 0) : 0;
        arena_reset(s->arena);
        if (fault == FAULT_NONE)
            fault = sweep_go_on();
    }
    return fault;
}

/* ---- events of webhooks ---- */

/* Gives up a page of events that had their time; *count: how many. */
static enum fault events_give_up(struct sweep *s, const char *const *params, int64_t *count)
{
    struct db_rows rows;
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_WEBHOOK_GIVE_UP, params, &rows);
    *count = fault == FAULT_NONE ? rows.count : 0;
    for (int row = 0; row < *count; row++)
        log_event(LOG_WARN, "webhook_given_up", "org=%s sandbox=%s webhook=%s id=%s attempts=%s", db_text(&rows, row, 0),
                  db_text(&rows, row, 1), log_quote(db_text(&rows, row, 3)), db_text(&rows, row, 2), db_text(&rows, row, 4));
    counts_add("webhook/given_up", *count);
    return fault;
}

/* Removes a page of events that ended long ago; *count: how many. */
static enum fault events_forget(struct sweep *s, const char *const *params, int64_t *count)
{
    struct db_rows rows;
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_WEBHOOK_FORGET, params, &rows);
    *count = fault == FAULT_NONE ? db_int(&rows, 0, 0) : 0;
    return fault;
}

enum fault sweep_events(struct sweep *s)
{
    static enum fault (*const STEPS[])(struct sweep *, const char *const *, int64_t *) = {events_give_up, events_forget};
    enum fault fault = FAULT_NONE;
    for (size_t i = 0; fault == FAULT_NONE && i < sizeof STEPS / sizeof *STEPS; i++) {
        int64_t count = ROWS_EVENTS;
        while (fault == FAULT_NONE && count == ROWS_EVENTS && !sweep_time_is_up(s)) {
            const char *params[] = {arena_int(s->arena, conf_number(CONF_WEBHOOK_KEEP_HOURS) * ROWS_HOUR_MS), ROWS_EVENTS_TEXT};
            fault = arena_exhausted(s->arena) ? FAULT_MEMORY : STEPS[i](s, params, &count);
            arena_reset(s->arena);
            if (fault == FAULT_NONE)
                fault = sweep_go_on();
        }
    }
    return fault;
}
