/*
 * session: what the database sessions of a worker are made like. See session.h.
 */
#include "spooler/session.h"

#include <stdio.h>

#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"

#define SESSION_WAIT_MS 10000
#define SESSION_SENDER_WAIT_MS 5000
#define SESSION_SENDER_LOCK_MS 1000 /* nothing is sent while it waits */
#define SESSION_LOCK_MS 5000 /* shorter: a lock that somebody else holds is no loss of the database */
#define SESSION_LOOKS 4      /* in a silence */
#define SESSION_INSIST_MS 60000
#define SESSION_INSIST_PAUSE_MS 200

struct db_options session_lease_options(void)
{
    static char more[128]; /* kept by the handle; the settings don't change in a worker's life */
    const long long silence_ms = conf_number(CONF_SPOOLER_SILENCE_MS);
    snprintf(more, sizeof more, "-c idle_session_timeout=%lldms -c idle_in_transaction_session_timeout=%lldms", silence_ms,
             silence_ms);
    return (struct db_options){.conninfo = conf_text(CONF_DATABASE_SPOOLER),
                               .application = "consign-spooler lease",
                               .wait_ms = SESSION_WAIT_MS,
                               .lock_ms = SESSION_LOCK_MS,
                               .more_options = more};
}

/* What ends a session that stands still in a transaction. Kept by the handle. */
static const char *session_silence(void)
{
    static char more[64];
    snprintf(more, sizeof more, "-c idle_in_transaction_session_timeout=%lldms",
             (long long)conf_number(CONF_SPOOLER_SILENCE_MS));
    return more;
}

struct db_options session_sender_options(void)
{
    return (struct db_options){.conninfo = conf_text(CONF_DATABASE_SENDER),
                               .application = "consign-spooler sender",
                               .wait_ms = SESSION_SENDER_WAIT_MS,
                               .lock_ms = SESSION_SENDER_LOCK_MS,
                               .more_options = session_silence()};
}

struct db_options session_work_options(const char *name, bool (*stopped)(void *), void *stopped_arg)
{
    return (struct db_options){.conninfo = conf_text(CONF_DATABASE_SPOOLER),
                               .application = name,
                               .wait_ms = SESSION_WAIT_MS,
                               .stopped = stopped,
                               .stopped_arg = stopped_arg,
                               .more_options = session_silence()};
}

void session_end_silent(struct db *lease, struct arena *a, int64_t *ended_ms)
{
    const int64_t silence_ms = conf_number(CONF_SPOOLER_SILENCE_MS), now = clock_monotonic_ms();
    const char *params[] = {arena_int(a, silence_ms)};
    struct db_rows rows;
    if (now - *ended_ms < silence_ms / SESSION_LOOKS || arena_exhausted(a))
        return;
    *ended_ms = now;
    if (db_call(lease, a, 0, &STMT_SESSION_END_SILENT, params, &rows) == FAULT_NONE && db_int(&rows, 0, 0) > 0)
        log_event(LOG_WARN, "silent_sessions_ended", "count=%lld", (long long)db_int(&rows, 0, 0));
}

enum fault session_insist(struct db *lease, struct arena *a, int org, const struct stmt *stmt, const char *const *params,
                          struct db_rows *rows)
{
    const int64_t deadline_ms = clock_monotonic_ms() + SESSION_INSIST_MS;
    enum fault fault;
    while ((fault = db_call(lease, a, org, stmt, params, rows)) == FAULT_DB_CONFLICT && clock_monotonic_ms() < deadline_ms) {
        if (pool_worker_stopping())
            return FAULT_STOPPED;
        pool_worker_wait(-1, SESSION_INSIST_PAUSE_MS);
    }
    return fault;
}
