/*
 * runner: one attempt at an export job. See runner.h.
 */
#include "spooler/runner.h"

#include <string.h>
#include <unistd.h>

#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/attempt.h"
#include "spooler/counts.h"
#include "spooler/job_errors.h"
#include "spooler/lake_store.h"
#include "spooler/orders.h"
#include "spooler/publish.h"
#include "spooler/tree.h"
#include "spooler/watch.h"
#include "spooler/workplace.h"

#define RUNNER_STREAM_WAIT_MS 3600000 /* for the next row; the watch ends it sooner when there is a reason */
#define RUNNER_ERRORS_BYTES 4096u

/* One attempt. */
struct runner {
    struct lease *lease;
    struct runner_tools *tools;
    struct watch watch;
    struct lease_batch batch;
    struct orders_batches batches; /* all that the job fills */
    struct orders orders;
    struct workplace place;
    bool unsure; /* nobody can tell whether the attempt was published */
};

bool runner_interrupts(void *arg)
{
    struct runner_tools *tools = arg;
    return tools->watching != NULL ? watch_stops(tools->watching) : pool_worker_stopping();
}

void runner_watch(struct runner_tools *tools, struct watch *watch, const char *attempt)
{
    tools->watching = watch;
    db_set_wait(tools->work, RUNNER_STREAM_WAIT_MS);
    db_set_wait(tools->events, RUNNER_STREAM_WAIT_MS);
    db_name_work(tools->work, attempt);
    db_name_work(tools->events, attempt);
}

void runner_watch_end(struct runner_tools *tools, enum fault fault)
{
    tools->watching = NULL;
    db_name_work(tools->work, NULL);
    db_name_work(tools->events, NULL);
    if (fault == FAULT_NONE)
        return;
    db_close(tools->work);
    db_close(tools->events);
}

/* What the attempt before left in a batch's published place.
 * SECURITY: only that one's, which can't publish any more. We may have stood still since we looked, and be late ourselves:
 * what else lies there may be the job's result. What attempts before it left is the sweep's. */
static enum fault runner_clean_batch(struct runner *r, const char *batch)
{
    const struct lease *l = r->lease;
    struct lake_batch place = {.org = l->org, .sandbox = l->sandbox, .dataset = r->batch.dataset, .batch = batch};
    return lake_store()->remove_attempt(&place, l->previous, false, &r->watch, 0);
}

/* The helpers of the attempt that died. */
static enum fault runner_end_helpers(struct lease *l)
{
    const char *params[] = {arena_int(l->arena, l->org), arena_int(l->arena, l->sandbox), arena_int(l->arena, l->job),
                            l->previous};
    return arena_exhausted(l->arena) ? FAULT_MEMORY
                                     : db_call(l->db, l->arena, l->org, &STMT_HELP_CLEAR, params, NULL);
}

/* Removes what the attempt before left, if it died. */
static enum fault runner_clean(struct runner *r)
{
    struct lease *l = r->lease;
    struct orders_job job = {.org = l->org, .sandbox = l->sandbox, .job = l->job, .batch = l->batch};
    char path[LAKE_PATH_MAX];
    if (r->batch.published)
        return FAULT_LEASE_LOST;
    enum fault fault = orders_read_batches(l->db, l->arena, &job, &r->batches);
    if (fault == FAULT_NONE && l->previous[0] != '\0')
        fault = runner_end_helpers(l);
    if (fault == FAULT_NONE && l->previous[0] != '\0') {
        fault = lake_work_path(path, conf_text(CONF_LAKE_DIR), l->previous);
        if (fault == FAULT_NONE)
            fault = tree_remove(path);
    }
    for (uint32_t i = 0; fault == FAULT_NONE && l->previous[0] != '\0' && i < r->batches.count; i++) {
        fault = runner_clean_batch(r, r->batches.batch[i]);
        (void)watch_tick(&r->watch); /* all is removed, whatever it says; the start hears of it again */
    }
    return fault;
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
    if (fault == FAULT_NONE)
        log_event(LOG_INFO, "job_started", "attempts=%d", l->attempts);
    return fault == FAULT_NONE ? orders_read(a, &rows, &r->orders) : fault;
}

static void runner_count(struct lease *l, const struct parcel *parcel)
{
    uint64_t bytes = 0, rows = 0;
    for (uint32_t i = 0; i < parcel->files; i++) {
        bytes += parcel->file[i].part.bytes;
        rows += parcel->file[i].part.rows;
    }
    l->outcome = LEASE_SUCCEEDED;
    counts_add("export_rows", (int64_t)rows);
    counts_add("export_files", parcel->files);
    counts_add("export_bytes", (int64_t)bytes);
}

/* Publishes what the run and its helpers wrote. */
static enum fault runner_publish(struct runner *r, const struct run_result *result)
{
    struct parcel parcel = PARCEL_INIT;
    struct publish_order order = {.lease = r->lease,
                                  .dataset = r->batch.dataset,
                                  .batches = &r->batches,
                                  .place = &r->place,
                                  .result = result,
                                  .parcel = &parcel,
                                  .watch = &r->watch};
    enum fault fault = watch_tell(&r->watch);
    if (fault == FAULT_NONE)
        fault = parcel_collect(&parcel, r->lease, result);
    if (fault == FAULT_NONE)
        fault = publish_job(&order, &r->unsure);
    if (fault == FAULT_NONE) {
        log_event(LOG_INFO, "published", "profiles=%lld events=%lld files=%u watermark_ms=%lld",
                  (long long)result->profiles, (long long)result->events, parcel.files,
                  (long long)result->watermark_ms);
        runner_count(r->lease, &parcel);
    }
    parcel_free(&parcel);
    return fault;
}

/* Writes all files of the attempt and publishes them, with connections that the watch looks after. */
static enum fault runner_work(struct runner *r)
{
    struct attempt attempt = {.lease = r->lease,
                              .work = r->tools->work,
                              .events = r->tools->events,
                              .orders = &r->orders,
                              .place = &r->place,
                              .watch = &r->watch};
    runner_watch(r->tools, &r->watch, r->lease->attempt);
    enum fault fault = watch_reason(&r->watch, attempt_write(&attempt));
    if (fault == FAULT_NONE)
        fault = runner_publish(r, run_result(attempt.run));
    attempt_end(&attempt);
    runner_watch_end(r->tools, fault);
    return fault;
}

/* The attempt proper. */
static enum fault runner_attempt(struct runner *r)
{
    enum fault fault = runner_start(r);
    if (fault != FAULT_NONE)
        return fault;
    fault = workplace_make(&r->place, r->lease->attempt, NULL, r->batches.batch, r->batches.count);
    if (fault == FAULT_LEASE_LOST) /* no <lake>/tmp: somebody took the lake away */
        fault = FAULT_DISK;
    if (fault == FAULT_NONE)
        fault = runner_work(r);
    workplace_close(&r->place);
    if (tree_remove(r->place.path) != FAULT_NONE) /* what was published was moved away; else the sweep tries again */
        log_event(LOG_WARN, "left_behind", "attempt=%s", r->lease->attempt);
    return fault;
}

static void runner_give_up(struct runner *r, const char *status, const char *errors)
{
    struct lease *l = r->lease;
    struct arena *a = l->arena;
    const char *params[] = {
        arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job), l->batch, l->attempt, status, errors};
    enum fault fault = lease_settle(l, &STMT_JOB_GIVE_UP, params);
    if (fault == FAULT_NONE)
        l->outcome = strcmp(status, "CANCELLED") == 0 ? LEASE_CANCELLED : LEASE_FAILED;
    log_event(LOG_INFO, "given_up", "status=%s outcome=%s", status, fault_row(fault)->name);
}

static void runner_fail(struct runner *r, enum fault fault)
{
    struct str errors = STR_INIT(RUNNER_ERRORS_BYTES);
    job_errors_write(fault, r->lease->attempt, &errors);
    runner_give_up(r, "FAILED", errors.data);
    str_free(&errors);
}

/* This attempt was only to find out that none before it came to an end. */
static void runner_fail_killed(struct runner *r)
{
    struct str errors = STR_INIT(RUNNER_ERRORS_BYTES);
    job_errors_write_killed(r->lease->attempts - 1, r->batch.last_fault, r->lease->attempt, &errors);
    runner_give_up(r, "FAILED", errors.data);
    str_free(&errors);
}

/* What becomes of the job after an attempt that did not publish. Its files are gone. */
static void runner_conclude(struct runner *r, enum fault fault)
{
    lease_ended(r->lease, fault);
    if (fault == FAULT_CANCELLED)
        runner_give_up(r, "CANCELLED", NULL);
    else if (fault == FAULT_LEASE_LOST || r->unsure)
        /* Our right is gone, so nothing of it may stay in the session. Nor when nobody can tell: a job given
         * back or ended now would leave files that no attempt comes to remove; who takes it over does. */
        db_close(r->lease->db);
    else if (fault == FAULT_STOPPED || lease_try_again(fault, r->lease->attempts))
        lease_release(r->lease, fault == FAULT_STOPPED, fault);
    else
        runner_fail(r, fault);
}

void runner_run(struct lease *lease, struct runner_tools *tools)
{
    struct runner r = {.lease = lease,
                       .tools = tools,
                       .watch = watch_begin(attempt_tell, lease, tools->beat)};
    bool killed = lease->attempts > conf_number(CONF_SPOOLER_ATTEMPTS);
    enum fault fault = lease_look(lease, &r.batch);
    if (fault == FAULT_NONE)
        lease_log_context(lease, r.batch.request);
    if (fault == FAULT_NONE)
        fault = runner_clean(&r);
    if (fault == FAULT_NONE && lease->cancel)
        fault = FAULT_CANCELLED;
    if (fault == FAULT_NONE && killed) {
        runner_fail_killed(&r);
        return;
    }
    if (fault == FAULT_NONE)
        fault = runner_attempt(&r);
    if (fault != FAULT_NONE)
        runner_conclude(&r, fault);
}
