/*
 * db: statements over one connection to PostgreSQL. See db.h. Connecting is in db_connect.c and db_hosts.c, the
 * waiting in db_wait.c, COPY in db_copy.c.
 */
#include "lib/db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db_internal.h"
#include "lib/invariant.h"
#include "lib/log.h"

#define DB_PARAMS_MAX 24
#define DB_BEGIN_MOST_MS 10000
#define DB_CALL_LEAST_MS 50 /* a call with less time than that would only end a good connection */

/* SECURITY: true: until the end of the transaction, as SET LOCAL. */
static const struct stmt TENANT = {"tenant", "SELECT set_config('consign.org', $1, true)", 1};

struct db_sqlstate {
    const char *prefix;
    enum fault fault;
};

/* The first prefix that fits decides. CNxyz is raised by our own functions (sql/api). 42501 is a right that is missing, and
 * what the server says when the file system below it is read-only, which a journal that failed once leaves it: it then goes on
 * to commit, and makes no file for a snapshot, a temporary table or a table that grows. Either is the operator's to mend. */
static const struct db_sqlstate SQLSTATES[] = {
    {"CN400", FAULT_MALFORMED},     {"CN404", FAULT_NOT_FOUND},      {"CN409", FAULT_STATE},
    {"CN422", FAULT_KEY_REUSED},    {"CN501", FAULT_NOT_SUPPORTED},  {"CN408", FAULT_CANCELLED},
    {"CN411", FAULT_GONE},          {"CN429", FAULT_TOO_MANY},       {"CN507", FAULT_QUOTA},
    {"CN410", FAULT_LEASE_LOST},    {"CN405", FAULT_POLICY},        {"CN406", FAULT_POLICY_VERSION},
    {"CN407", FAULT_WEBHOOK},       {"CN", FAULT_INTERNAL},
    {"23505", FAULT_DB_DUPLICATE},  {"40", FAULT_DB_CONFLICT},       {"55P03", FAULT_DB_CONFLICT},
    {"08", FAULT_DB_UNAVAILABLE},   {"57", FAULT_DB_UNAVAILABLE},    {"58", FAULT_DB_UNAVAILABLE},
    {"25006", FAULT_DB_UNAVAILABLE},{"53", FAULT_DB_UNAVAILABLE},    {"28", FAULT_DB_UNAVAILABLE},
    {"42501", FAULT_DB_UNAVAILABLE},{"XX", FAULT_DB_UNAVAILABLE},    {"", FAULT_INTERNAL},
};

enum fault db_fault(const char *sqlstate)
{
    for (size_t i = 0;; i++) {
        if (strncmp(sqlstate, SQLSTATES[i].prefix, strlen(SQLSTATES[i].prefix)) == 0)
            return SQLSTATES[i].fault;
    }
}

struct db *db_new(struct db_options options)
{
    struct db *db = calloc(1, sizeof *db);
    if (db != NULL)
        db->options = options;
    return db;
}

void db_close(struct db *db)
{
    if (db->copy_buffer != NULL)
        PQfreemem(db->copy_buffer);
    db->copy_buffer = NULL;
    if (db->conn != NULL)
        PQfinish(db->conn);
    db->conn = NULL;
    db->prepared_count = 0;
}

void db_free(struct db *db)
{
    if (db == NULL)
        return;
    db_close(db);
    db_hosts_free(&db->hosts);
    free(db);
}

bool db_connected(const struct db *db)
{
    return db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

void db_set_wait(struct db *db, int wait_ms)
{
    db->options.wait_ms = wait_ms;
}

void db_set_budget(struct db *db, int64_t budget_ms)
{
    db->bounded = true;
    db->budget_ms = budget_ms;
}

void db_name_work(struct db *db, const char *attempt)
{
    const char *name = attempt == NULL ? "" : attempt;
    /* SECURITY: it becomes part of a statement's text */
    INVARIANT(strlen(name) < sizeof db->attempt && name[strspn(name, "0123456789abcdef-")] == '\0');
    memcpy(db->attempt, name, strlen(name) + 1);
}

struct db_wait db_patience(struct db *db)
{
    int64_t deadline_ms = clock_monotonic_ms() + db->options.wait_ms;
    if (db->call_ends_ms != 0 && db->call_ends_ms < deadline_ms)
        deadline_ms = db->call_ends_ms;
    db->ran_out = false;
    return (struct db_wait){.deadline_ms = deadline_ms,
                            .ran_out = &db->ran_out,
                            .stopped = db->options.stopped,
                            .stopped_arg = db->options.stopped_arg};
}

enum fault db_broken(struct db *db, enum fault fault, const char *what)
{
    if (fault != FAULT_STOPPED)
        log_event(LOG_ERROR, "database", "what=%s host=%s reason=%s", what,
                  log_quote(db_hosts_name(&db->hosts, db->host)),
                  log_quote(db->ran_out        ? "no answer in time"
                            : db->conn != NULL ? PQerrorMessage(db->conn)
                                               : "not connected"));
    if (db->ran_out)
        db->hosts.host[db->host].silences++;
    db->ran_out = false;
    db_close(db);
    return fault;
}

enum fault db_result_fault(const PGresult *result, const char *what)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (state == NULL)
        return FAULT_DB_UNAVAILABLE; /* libpq's own: the connection is gone */
    /* a session that the server ended is gone, whatever the reason (25P03: it was silent) */
    bool ended = severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
    enum fault fault = ended ? FAULT_DB_UNAVAILABLE : db_fault(state);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_event(fault_row(fault)->level, "database", "what=%s sqlstate=%s fault=%s reason=%s", what, state,
              fault_row(fault)->name, log_quote(message != NULL ? message : ""));
    return fault;
}

enum fault db_answer(struct db *db, struct arena *a, const char *what, struct db_rows *rows)
{
    struct db_wait wait = db_patience(db);
    PGresult *result = NULL;
    enum fault fault = db_wait_result(db->conn, &wait, &result);
    if (fault == FAULT_NONE && result == NULL)
        fault = FAULT_DB_UNAVAILABLE;
    if (fault != FAULT_NONE) {
        PQclear(result);
        return db_broken(db, fault, what);
    }
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fault = db_result_fault(result, what);
    if (fault == FAULT_NONE && rows != NULL) {
        rows->count = PQntuples(result);
        rows->result = result;
        if (!arena_own(a, result, (void (*)(void *))PQclear))
            fault = FAULT_MEMORY;
    } else {
        PQclear(result);
    }
    enum fault drained = db_wait_drain(db->conn, &wait);
    if (drained != FAULT_NONE || fault == FAULT_DB_UNAVAILABLE)
        return db_broken(db, drained != FAULT_NONE ? drained : fault, what);
    return fault;
}

enum fault db_run_text(struct db *db, const char *text)
{
    if (!db_connected(db) || !PQsendQuery(db->conn, text))
        return db_broken(db, FAULT_DB_UNAVAILABLE, "send");
    return db_answer(db, NULL, "text", NULL);
}

/* Prepares a statement unless this connection already did. */
static enum fault db_prepare(struct db *db, const struct stmt *stmt)
{
    for (unsigned i = 0; i < db->prepared_count; i++) {
        if (db->prepared[i] == stmt)
            return FAULT_NONE;
    }
    INVARIANT(db->prepared_count < DB_PREPARED_MAX);
    if (!PQsendPrepare(db->conn, stmt->name, stmt->text, stmt->params, NULL))
        return db_broken(db, FAULT_DB_UNAVAILABLE, stmt->name);
    enum fault fault = db_answer(db, NULL, stmt->name, NULL);
    if (fault == FAULT_NONE)
        db->prepared[db->prepared_count++] = stmt;
    return fault;
}

static bool db_send(struct db *db, const struct stmt *stmt, const char *const *params)
{
    INVARIANT(stmt->params <= DB_PARAMS_MAX);
    return PQsendQueryPrepared(db->conn, stmt->name, stmt->params, params, NULL, NULL, 0) != 0;
}

enum fault db_run(struct db *db, struct arena *a, const struct stmt *stmt, const char *const *params,
                  struct db_rows *rows)
{
    if (!db_connected(db))
        return FAULT_DB_UNAVAILABLE;
    enum fault fault = db_prepare(db, stmt);
    if (fault != FAULT_NONE)
        return fault;
    if (!db_send(db, stmt, params))
        return db_broken(db, FAULT_DB_UNAVAILABLE, stmt->name);
    return db_answer(db, a, stmt->name, rows);
}

/* Takes the next result of the pipeline; NULL ends those of one command. */
static bool db_pipeline_next(struct db *db, struct db_wait *wait, PGresult **result, enum fault *fault)
{
    enum fault waited = db_wait_result(db->conn, wait, result);
    if (waited != FAULT_NONE)
        *fault = waited;
    return waited == FAULT_NONE;
}

/* Reads up to the end of the pipeline, where the transaction is committed or rolled back. The rows of the second
 * command, which is the statement, go to *kept; the first fault to *fault, also that of a commit that failed, which
 * comes by itself before the end. False: the connection is in doubt. */
static bool db_pipeline_read(struct db *db, const struct stmt *stmt, PGresult **kept, enum fault *fault)
{
    struct db_wait wait = db_patience(db);
    PGresult *result = NULL;
    for (int command = 0; db_pipeline_next(db, &wait, &result, fault); command++) {
        ExecStatusType status = PQresultStatus(result); /* of NULL, where none may be: PGRES_FATAL_ERROR */
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return command >= 2;
        }
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_ABORTED &&
            *fault == FAULT_NONE)
            *fault = db_result_fault(result, stmt->name);
        if (command == 1 && status == PGRES_TUPLES_OK)
            *kept = result;
        else
            PQclear(result);
        if (!db_pipeline_next(db, &wait, &result, fault) || result != NULL)
            break;
    }
    PQclear(result);
    return false;
}

/* Sends the tenant and the statement together. What comes before a Sync is one transaction, which the Sync commits
 * (PostgreSQL manual, "Pipelining"), so no BEGIN and no COMMIT are sent: they took as long as the statement. */
static enum fault db_pipeline(struct db *db, int org, const struct stmt *stmt, const char *const *params,
                              PGresult **kept)
{
    char tenant[16];
    snprintf(tenant, sizeof tenant, "%d", org);
    const char *const tenant_params[] = {tenant};
    enum fault fault = FAULT_NONE;
    bool whole = PQenterPipelineMode(db->conn) && db_send(db, &TENANT, tenant_params) && db_send(db, stmt, params) &&
                 PQpipelineSync(db->conn) && db_pipeline_read(db, stmt, kept, &fault) && PQexitPipelineMode(db->conn) &&
                 PQtransactionStatus(db->conn) == PQTRANS_IDLE;
    if (!whole)
        return db_broken(db, fault != FAULT_NONE ? fault : FAULT_DB_UNAVAILABLE, stmt->name);
    return fault == FAULT_DB_UNAVAILABLE ? db_broken(db, fault, stmt->name) : fault;
}

static enum fault db_call_steps(struct db *db, struct arena *a, int org, const struct stmt *stmt,
                                const char *const *params, struct db_rows *rows)
{
    enum fault fault = db_connect(db);
    if (fault == FAULT_NONE && org == 0)
        return db_run(db, a, stmt, params, rows);
    if (fault == FAULT_NONE)
        fault = db_prepare(db, &TENANT);
    if (fault == FAULT_NONE)
        fault = db_prepare(db, stmt);
    if (fault != FAULT_NONE)
        return fault;
    PGresult *kept = NULL;
    fault = db_pipeline(db, org, stmt, params, &kept);
    if (fault == FAULT_NONE && kept == NULL)
        fault = FAULT_INTERNAL; /* every statement of a tenant is a SELECT */
    if (fault != FAULT_NONE || rows == NULL) {
        PQclear(kept);
        return fault;
    }
    rows->result = kept;
    rows->count = PQntuples(kept);
    return arena_own(a, kept, (void (*)(void *))PQclear) ? FAULT_NONE : FAULT_MEMORY;
}

enum fault db_call(struct db *db, struct arena *a, int org, const struct stmt *stmt, const char *const *params,
                   struct db_rows *rows)
{
    int64_t begun_ms = clock_monotonic_ms(), most_ms = db->options.wait_ms;
    if (db->bounded && db->budget_ms < most_ms)
        most_ms = db->budget_ms;
    if (most_ms < DB_CALL_LEAST_MS) {
        log_event(LOG_ERROR, "database", "what=%s reason=\"the time of the request is used up\"", stmt->name);
        return FAULT_DB_UNAVAILABLE;
    }
    db->call_ends_ms = begun_ms + most_ms;
    enum fault fault = db_call_steps(db, a, org, stmt, params, rows);
    db->call_ends_ms = 0;
    db->budget_ms -= clock_monotonic_ms() - begun_ms;
    return fault;
}

enum fault db_begin(struct db *db, int org, const char *mode)
{
    char text[256], tenant[48] = "", name[96] = "";
    enum fault fault = db_connect(db);
    if (fault != FAULT_NONE)
        return fault;
    if (org != 0)
        snprintf(tenant, sizeof tenant, "; SET LOCAL consign.org = %d", org);
    if (db->attempt[0] != '\0')
        snprintf(name, sizeof name, "; SET LOCAL application_name = 'consign attempt %s'", db->attempt);
    int length = snprintf(text, sizeof text, "BEGIN %s%s%s", mode, tenant, name);
    INVARIANT(length > 0 && (size_t)length < sizeof text);
    /* BEGIN waits for nothing, so this shows whether the server is there, however long it may take for what follows */
    db->call_ends_ms = clock_monotonic_ms() + DB_BEGIN_MOST_MS;
    fault = db_run_text(db, text);
    db->call_ends_ms = 0;
    return fault;
}

enum fault db_commit(struct db *db)
{
    /* a COMMIT of a failed transaction is answered with success and the tag ROLLBACK */
    if (!db_connected(db) || PQtransactionStatus(db->conn) != PQTRANS_INTRANS)
        return db_broken(db, FAULT_DB_UNAVAILABLE, "commit");
    return db_run_text(db, "COMMIT");
}

void db_rollback(struct db *db)
{
    if (db_connected(db) && PQtransactionStatus(db->conn) != PQTRANS_IDLE && db_run_text(db, "ROLLBACK") != FAULT_NONE)
        db_close(db);
}

const char *db_text(const struct db_rows *rows, int row, int column)
{
    return PQgetvalue(rows->result, row, column);
}

size_t db_length(const struct db_rows *rows, int row, int column)
{
    return (size_t)PQgetlength(rows->result, row, column);
}

bool db_null(const struct db_rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) != 0;
}

int64_t db_int(const struct db_rows *rows, int row, int column)
{
    return strtoll(db_text(rows, row, column), NULL, 10);
}

bool db_bool(const struct db_rows *rows, int row, int column)
{
    return strcmp(db_text(rows, row, column), "t") == 0;
}
