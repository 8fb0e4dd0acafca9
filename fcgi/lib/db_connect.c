/*
 * db_connect: making a connection: which host, with what settings, and whether it may be used. See db.h.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db_internal.h"
#include "lib/invariant.h"
#include "lib/log.h"

/* A server that stands still (stopped, its disk hangs) takes connections and never answers. The first wait
 * for it is a whole one; if each later one were too, requests would queue behind workers that wait for
 * nothing. So a connect after a silence is given an eighth, the next ones more (db_hosts.h), and after one that ran out
 * a second is left out. */
#define DB_REFUSE_MS 1000
#define DB_CONNECT_MOST_MS 10000 /* of all hosts together, whatever an answer may take */
#define DB_OPTIONS_TEXT 1024

/* The host that answered a connect last. A process has one connection string (db.h), so its handles follow each other
 * to a new primary, and workers inherit what their supervisor found. */
static int known_good;

static const char CHECK_SERVER[] =
    "SELECT rolsuper OR rolbypassrls, current_setting('fsync'), current_setting('full_page_writes'),"
    " pg_is_in_recovery() OR current_setting('transaction_read_only')::bool FROM pg_roles WHERE rolname = current_user";

/* SECURITY: a role that row level security does not bind, or a server that forgets, is refused. So is one that
 * takes no writes: a standby, or an old primary that was told to take none. */
static enum fault db_check_answer(const PGresult *result)
{
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        return FAULT_DB_UNAVAILABLE;
    if (strcmp(PQgetvalue(result, 0, 0), "f") != 0 || strcmp(PQgetvalue(result, 0, 1), "on") != 0 ||
        strcmp(PQgetvalue(result, 0, 2), "on") != 0) {
        log_event(LOG_ERROR, "unsafe_database", "superuser_or_bypassrls=%s fsync=%s full_page_writes=%s",
                  PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
        return FAULT_DB_UNAVAILABLE;
    }
    return strcmp(PQgetvalue(result, 0, 3), "f") == 0 ? FAULT_NONE : FAULT_DB_UNAVAILABLE;
}

static enum fault db_check_server(struct db *db, const struct db_wait *wait)
{
    if (!PQsendQuery(db->conn, CHECK_SERVER))
        return FAULT_DB_UNAVAILABLE;
    PGresult *result = NULL;
    enum fault fault = db_wait_result(db->conn, wait, &result);
    if (fault == FAULT_NONE)
        fault = db_check_answer(result);
    PQclear(result);
    if (fault == FAULT_NONE)
        fault = db_wait_drain(db->conn, wait);
    return fault;
}

/* Whether an idle connection was closed by the server meanwhile: it would be noticed only by the next
 * statement, whose fate would then be unknown. Or is one to a host that others have left, which may stand still. */
static bool db_is_stale(struct db *db)
{
    struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
    if (PQtransactionStatus(db->conn) != PQTRANS_IDLE)
        return false;
    if (db->host != known_good)
        return true;
    while (poll(&p, 1, 0) > 0) { /* a farewell may come before the end */
        if (!PQconsumeInput(db->conn) || PQstatus(db->conn) != CONNECTION_OK)
            return true;
    }
    return false;
}

/* Notices of the server go to the log as lines of ours. */
static void db_notice(void *arg, const char *message)
{
    (void)arg;
    log_event(LOG_DEBUG, "database_notice", "message=%s", log_quote(message));
}

/* The settings of a session; the last of two that are equal counts. */
static void db_session_options(const struct db_options *options, char text[static DB_OPTIONS_TEXT])
{
    char lock[48] = "";
    if (options->lock_ms > 0)
        snprintf(lock, sizeof lock, " -c lock_timeout=%d", options->lock_ms);
    int length = snprintf(text, DB_OPTIONS_TEXT,
                          "-c search_path=pg_catalog -c client_connection_check_interval=1s"
                          " -c idle_in_transaction_session_timeout=60s -c synchronous_commit=on"
                          /* a host that loses power must not keep its locks for hours */
                          " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3%s%s%s",
                          lock, options->more_options == NULL ? "" : " ",
                          options->more_options == NULL ? "" : options->more_options);
    INVARIANT(length > 0 && length < DB_OPTIONS_TEXT);
}

/* Begins a connection to one host. What the connection string says wins over the first list, and loses to the last. */
static PGconn *db_start(const struct db *db, int host, const char *options)
{
    static const char *const FIRST[][2] = {
        /* Left alone, libpq looks for Kerberos tickets on every TCP connection, and whatever library is set up for that
         * would be loaded into a worker that can load no code any more (lib/confine.h). */
        {"gssencmode", "disable"},
        /* a host that lost power says nothing; the kernel would believe in it for two hours */
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "25000"}};
    const char *const last[][2] = {{"application_name", db->options.application},
                                   {"options", options},
                                   {"client_encoding", "UTF8"},
                                   {"target_session_attrs", "read-write"},
                                   {NULL, NULL}};
    enum { FIRST_COUNT = sizeof FIRST / sizeof *FIRST, LAST_COUNT = sizeof last / sizeof *last };
    const char *keys[FIRST_COUNT + DB_HOSTS_SETTINGS_MAX + LAST_COUNT], *values[sizeof keys / sizeof *keys];
    int n = FIRST_COUNT;
    for (int i = 0; i < FIRST_COUNT; i++)
        keys[i] = FIRST[i][0], values[i] = FIRST[i][1];
    db_hosts_settings(&db->hosts, host, keys + n, values + n);
    while (keys[n] != NULL)
        n++;
    for (int i = 0; i < LAST_COUNT; i++, n++)
        keys[n] = last[i][0], values[n] = last[i][1];
    return PQconnectStartParams(keys, values, 0);
}

/* Tries one host for slice_ms at most. */
static enum fault db_connect_host(struct db *db, int host, int64_t slice_ms)
{
    char options[DB_OPTIONS_TEXT];
    db_session_options(&db->options, options);
    db->host = host;
    db->conn = db_start(db, host, options);
    if (db->conn == NULL)
        return FAULT_MEMORY;
    PQsetNoticeProcessor(db->conn, db_notice, NULL);
    struct db_wait wait = db_patience(db);
    wait.deadline_ms = clock_monotonic_ms() + slice_ms;
    enum fault fault = db_wait_connect(db->conn, &wait);
    if (fault == FAULT_NONE && PQsetnonblocking(db->conn, 1) != 0)
        fault = FAULT_DB_UNAVAILABLE;
    if (fault == FAULT_NONE)
        fault = db_check_server(db, &wait);
    if (fault == FAULT_NONE) {
        known_good = db->hosts.good = host;
        db->hosts.host[host].silences = 0;
        return FAULT_NONE;
    }
    if (db->ran_out)
        db->hosts.host[host].refuse_until_ms = clock_monotonic_ms() + DB_REFUSE_MS;
    return db_broken(db, fault, "connect");
}

bool db_conninfo_valid(const char *conninfo)
{
    struct db_hosts hosts;
    enum fault fault = db_hosts_read(&hosts, conninfo);
    db_hosts_free(&hosts);
    return fault == FAULT_NONE;
}

/* Reads the connection string, once. The first host to try is the one that the process was at last. */
static enum fault db_know_hosts(struct db *db)
{
    if (db->hosts.count == 0 && db_hosts_read(&db->hosts, db->options.conninfo) != FAULT_NONE)
        return FAULT_DB_UNAVAILABLE;
    if (known_good < db->hosts.count)
        db->hosts.good = known_good;
    return FAULT_NONE;
}

enum fault db_connect(struct db *db)
{
    if (db_connected(db) && !db_is_stale(db))
        return FAULT_NONE;
    db_close(db);
    if (db_know_hosts(db) != FAULT_NONE)
        return FAULT_DB_UNAVAILABLE;
    int64_t now_ms = clock_monotonic_ms(), deadline_ms = db_patience(db).deadline_ms;
    if (deadline_ms > now_ms + DB_CONNECT_MOST_MS)
        deadline_ms = now_ms + DB_CONNECT_MOST_MS;
    const int64_t whole_ms = db->options.wait_ms < DB_CONNECT_MOST_MS ? db->options.wait_ms : DB_CONNECT_MOST_MS;
    enum fault fault = FAULT_DB_UNAVAILABLE;
    uint32_t tried = 0;
    int host;
    while (fault == FAULT_DB_UNAVAILABLE && now_ms < deadline_ms &&
           (host = db_hosts_next(&db->hosts, tried, now_ms)) >= 0) {
        int64_t slice_ms = db_hosts_slice(&db->hosts, host, tried, now_ms, deadline_ms - now_ms, whole_ms);
        fault = db_connect_host(db, host, slice_ms);
        tried |= UINT32_C(1) << host;
        now_ms = clock_monotonic_ms();
    }
    return fault;
}
