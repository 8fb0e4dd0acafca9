/*
 * runner: one attempt at an export job. See runner.h.
 */
#include "spooler/runner.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/lake.h"
#include "core/spec.h"
#include "core/stmt_spooler.h"
#include "export/run.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/publish.h"
#include "spooler/tree.h"
#include "spooler/watch.h"

#define RUNNER_STREAM_WAIT_MS 3600000 /* for the next row; the watch ends it sooner when there is a reason */
#define RUNNER_ERRORS_BYTES 4096u

/* One attempt. */
struct runner {
    struct lease *lease;
    struct runner_tools *tools;
    struct watch watch;
    struct lease_batch batch;
    char work[LAKE_PATH_MAX]; /* the attempt's directory while it is written */
    struct spec_orders orders;
    enum sink_compression compression;
    bool unsure; /* nobody can tell whether the attempt was published */
};

bool runner_interrupts(void *arg)
{
    struct runner_tools *tools = arg;
    return tools->watching != NULL ? watch_stops(tools->watching) : pool_worker_stopping();
}

/* Removes what earlier attempts left. We hold the claim and nothing is published, so all of it is dead. */
static enum fault runner_clean(struct runner *r)
{
    const struct lease *l = r->lease;
    struct lake_batch place = {.org = l->org, .sandbox = l->sandbox, .dataset = r->batch.dataset, .batch = l->batch};
    char path[LAKE_PATH_MAX];
    enum fault fault = FAULT_NONE;
    if (r->batch.published)
        return FAULT_LEASE_LOST;
    if (l->previous[0] != '\0') {
        fault = lake_work_path(path, conf_text(CONF_LAKE_DIR), l->previous);
        if (fault == FAULT_NONE)
            fault = tree_remove(path);
    }
    if (fault == FAULT_NONE)
        fault = lake_batch_path(path, conf_text(CONF_LAKE_DIR), &place);
    return fault == FAULT_NONE ? tree_remove(path) : fault;
}

/* Tells the database that the attempt begins, and learns what it has to do. */
static enum fault runner_start(struct runner *r)
{
    struct lease *l = r->lease;
    struct arena *a = l->arena;
    struct db_rows rows;
    const char *params[] = {arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job), l->batch, l->attempt};
    if (arena_exhausted(a))
        return FAULT_MEMORY;
    enum fault fault = db_call(l->db, a, l->org, &STMT_JOB_START, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    if (rows.count != 1 || strcmp(db_text(&rows, 0, 1), "json") != 0)
        return FAULT_INTERNAL; /* refused when the job was accepted */
    r->compression = strcmp(db_text(&rows, 0, 2), "none") == 0 ? SINK_PLAIN : SINK_ZSTD;
    const char *stored[3];
    for (int i = 0; i < 3; i++)
        stored[i] = db_null(&rows, 0, 3 + i) ? NULL : db_text(&rows, 0, 3 + i);
    return spec_read_orders(a, stored[0], stored[2], stored[1], &r->orders);
}

/* Writes all files of the attempt and publishes them. */
static enum fault runner_write(struct runner *r, int directory)
{
    struct lease *l = r->lease;
    struct run_order order = {.fragments = r->tools->work,
                              .events = r->tools->events,
                              .arena = l->arena,
                              .org = l->org,
                              .sandbox = l->sandbox,
                              .orders = &r->orders,
                              .sink = {.directory = directory,
                                       .compression = r->compression,
                                       .part_bytes = (uint64_t)conf_number(CONF_EXPORT_PART_BYTES)},
                              .tick = watch_tick,
                              .tick_arg = &r->watch,
                              .progress = &r->watch.progress};
    struct run_result result;
    struct publish_order publish = {.lease = l,
                                    .root = conf_text(CONF_LAKE_DIR),
                                    .work = r->work,
                                    .directory = directory,
                                    .dataset = r->batch.dataset,
                                    .result = &result};
    enum fault fault = run_export(&order, &result);
    if (fault == FAULT_STOPPED && r->watch.fault != FAULT_NONE)
        fault = r->watch.fault; /* a wait ended because the watch had a reason */
    if (fault == FAULT_NONE)
        fault = watch_tell(&r->watch);
    if (fault == FAULT_NONE) {
        fault = publish_batch(&publish);
        r->unsure = fault == FAULT_DB_UNAVAILABLE;
    }
    if (fault == FAULT_NONE)
        log_event(LOG_INFO, "published", "rows=%lld events=%lld parts=%u watermark_ms=%lld", (long long)result.rows,
                  (long long)result.events, result.sink->parts, (long long)result.watermark_ms);
    run_release(&result);
    return fault;
}

/* The attempt in its directory, with connections that the watch looks after. */
static enum fault runner_work(struct runner *r)
{
    enum fault fault = tree_make(r->work);
    if (fault != FAULT_NONE)
        return fault;
    int directory = open(r->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return FAULT_DISK;
    r->tools->watching = &r->watch;
    db_set_wait(r->tools->work, RUNNER_STREAM_WAIT_MS);
    db_set_wait(r->tools->events, RUNNER_STREAM_WAIT_MS);
    fault = runner_write(r, directory);
    r->tools->watching = NULL;
    close(directory);
    if (fault != FAULT_NONE) {
        db_close(r->tools->work);
        db_close(r->tools->events);
    }
    return fault;
}

/* The attempt proper. */
static enum fault runner_attempt(struct runner *r)
{
    enum fault fault = runner_start(r);
    if (fault == FAULT_NONE)
        fault = lake_work_path(r->work, conf_text(CONF_LAKE_DIR), r->lease->attempt);
    if (fault != FAULT_NONE)
        return fault;
    fault = runner_work(r);
    if (tree_remove(r->work) != FAULT_NONE) /* moved away when it was published; else the sweep tries again */
        log_event(LOG_WARN, "left_behind", "attempt=%s", r->lease->attempt);
    return fault;
}

/* errors[] of a failed job, most specific first (contract.md section 5). */
static void runner_write_errors(const struct runner *r, enum fault fault, bool killed, struct str *out)
{
    const char *reference = r->lease->attempt;
    str_append_char(out, '[');
    if (fault == FAULT_DISK || fault == FAULT_DISK_FULL)
        str_printf(out, "{\"code\":\"0090000009\",\"msg\":\"Writing the output failed: %s\",\"callStack\":\"%s\"},",
                   fault == FAULT_DISK_FULL ? "no space is left" : "the storage refused it", reference);
    if (killed)
        str_printf(out,
                   "{\"code\":\"unknown\",\"msg\":\"The worker ended in each of %d attempts\",\"callStack\":\"%s\"}",
                   r->lease->attempts - 1, reference);
    else
        str_printf(out, "{\"code\":\"0100000003\",\"msg\":\"The export failed: %s\",\"callStack\":\"%s\"}",
                   fault_row(fault)->name, reference);
    str_append_char(out, ']');
}

static void runner_give_up(struct runner *r, const char *status, const char *errors)
{
    struct lease *l = r->lease;
    struct arena *a = l->arena;
    const char *params[] = {
        arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job), l->batch, l->attempt, status, errors};
    enum fault fault = FAULT_MEMORY;
    if (!arena_exhausted(a))
        fault = db_call(l->db, a, l->org, &STMT_JOB_GIVE_UP, params, NULL);
    log_event(LOG_INFO, "given_up", "status=%s outcome=%s", status, fault_row(fault)->name);
}

static void runner_fail(struct runner *r, enum fault fault, bool killed)
{
    struct str errors = STR_INIT(RUNNER_ERRORS_BYTES);
    runner_write_errors(r, fault, killed, &errors);
    runner_give_up(r, "FAILED", errors.data);
    str_free(&errors);
}

/* What becomes of the job after an attempt that did not publish. Its files are gone. */
static void runner_conclude(struct runner *r, enum fault fault)
{
    bool again = fault_row(fault)->retryable && r->lease->attempts < conf_number(CONF_SPOOLER_ATTEMPTS);
    log_event(fault_row(fault)->level, "attempt_ended", "fault=%s attempts=%d", fault_row(fault)->name,
              r->lease->attempts);
    if (fault == FAULT_CANCELLED)
        runner_give_up(r, "CANCELLED", NULL);
    else if (fault == FAULT_LEASE_LOST || r->unsure)
        /* Our right is gone, so nothing of it may stay in the session. Nor when nobody can tell: a job given
         * back or ended now would leave files that no attempt comes to remove; who takes it over does. */
        db_close(r->lease->db);
    else if (fault == FAULT_STOPPED || again)
        lease_release(r->lease, fault == FAULT_STOPPED, fault);
    else
        runner_fail(r, fault, false);
}

void runner_run(struct lease *lease, struct runner_tools *tools)
{
    struct runner r = {.lease = lease, .tools = tools, .watch = {.lease = lease, .arena = tools->beat, .told_ms = clock_monotonic_ms()}};
    r.watch.progress.phase = "reading";
    bool killed = lease->attempts > conf_number(CONF_SPOOLER_ATTEMPTS);
    enum fault fault = lease_look(lease, &r.batch);
    if (fault == FAULT_NONE)
        fault = runner_clean(&r);
    if (fault == FAULT_NONE && lease->cancel)
        fault = FAULT_CANCELLED;
    if (fault == FAULT_NONE && killed) {
        runner_fail(&r, FAULT_INTERNAL, true);
        return;
    }
    if (fault == FAULT_NONE)
        fault = runner_attempt(&r);
    if (fault != FAULT_NONE)
        runner_conclude(&r, fault);
}
