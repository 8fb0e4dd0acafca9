/*
 * db: one connection to PostgreSQL.
 *
 * Statements come from core/stmt_api.c and core/stmt_spooler.c and are prepared once a connection. Every
 * wait has a deadline; a connection whose state is in any doubt (time-out, cut, unexpected answer) is closed
 * at once and a new one is made for the next call; a server that does not answer is not waited for again
 * and again. SQLSTATE becomes a fault here and nowhere else.
 *
 * SECURITY: the tenant is set inside the transaction and for it alone (SET LOCAL, set_config(..., true)) with an
 * integer that the scope check verified, so a connection keeps nothing of a tenant.
 */
#ifndef CONSIGN_LIB_DB_H
#define CONSIGN_LIB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

struct db;

struct stmt {
    const char *name; /* of the prepared statement; the address of the row is its identity */
    const char *text;
    int params;
};

struct db_options {
    const char *conninfo;     /* libpq connection string, with as many hosts as wanted (db_hosts.h); kept by pointer */
    const char *application;  /* shows in pg_stat_activity; kept by pointer */
    int wait_ms;              /* longest wait for one answer, and for a whole db_call(), connecting included */
    bool (*stopped)(void *);  /* asked about ten times a second in long waits; true ends them (FAULT_STOPPED); may be NULL */
    void *stopped_arg;
    int lock_ms;              /* longest wait for a lock that somebody holds, then FAULT_DB_CONFLICT; 0: the server's default */
    const char *more_options; /* further "-c name=value" of the session, which win over ours; NULL none; kept by pointer */
};

/* The rows of an answer; owned by the arena that was given to the call. */
struct db_rows {
    void *result;
    int count;
};

/* Whether a text is a connection string that the options may have; a line in the log says what is wrong with it.
 * Looks at nothing but the text. */
bool db_conninfo_valid(const char *conninfo);

/* A handle that is not connected yet. NULL: no memory. */
struct db *db_new(struct db_options options);
void db_free(struct db *db); /* closes */

/* Closes the connection; the next call connects anew. */
void db_close(struct db *db);

/* Connects if not connected: to the host that was good last, else to one of the others. Checks that the role is
 * neither superuser nor BYPASSRLS, that the server keeps its word (fsync, full_page_writes on) and takes
 * writes. FAULT_DB_UNAVAILABLE when no host does. */
enum fault db_connect(struct db *db) MUST_CHECK;

/* Whether a connection is open; a worker that holds a lock in its session has lost it when not. */
bool db_connected(const struct db *db);

/* Changes how long an answer may take from here on. */
void db_set_wait(struct db *db, int wait_ms);

/* How long all db_call()s from here on may take together, until it is set again: a request that makes several has
 * one patience. When it is used up they fail at once. No call is bounded so before it is first set. */
void db_set_budget(struct db *db, int64_t budget_ms);

/* Every later db_begin() of this handle names its transaction after that attempt: pg_stat_activity shows
 * application_name 'consign attempt <attempt>', so that who takes the attempt's work over can end what is left
 * of it. A uuid of ours, copied; NULL ends it. It costs no round trip. */
void db_name_work(struct db *db, const char *attempt);

/* Runs one statement (of a tenant: a SELECT) in a transaction of its own, for the tenant `org` (0: none), in one
 * round trip. `params` are texts, NULL for SQL NULL, stmt->params of them. rows may be NULL. When it
 * returns FAULT_NONE the transaction is committed.
 * Faults: what the statement raised (see db.c), FAULT_DB_UNAVAILABLE, FAULT_STOPPED. */
enum fault db_call(struct db *db, struct arena *a, int org, const struct stmt *stmt, const char *const *params,
                   struct db_rows *rows) MUST_CHECK;

/* The same in steps, for a transaction of several statements. Any fault has closed the connection
 * or rolled back; db_begin() starts anew. `mode` is the rest of a BEGIN, "" for the default. */
enum fault db_begin(struct db *db, int org, const char *mode) MUST_CHECK;
enum fault db_run(struct db *db, struct arena *a, const struct stmt *stmt, const char *const *params,
                  struct db_rows *rows) MUST_CHECK;
/* A statement without parameters or rows whose text is not prepared (DDL of a temporary table). */
enum fault db_run_text(struct db *db, const char *text) MUST_CHECK;
enum fault db_commit(struct db *db) MUST_CHECK;
void db_rollback(struct db *db);

/* COPY ... FROM STDIN: begin, any number of data calls, end. For use between begin and commit. */
enum fault db_copy_in(struct db *db, const char *text) MUST_CHECK;
enum fault db_copy_data(struct db *db, const char *bytes, size_t length) MUST_CHECK;
enum fault db_copy_end(struct db *db) MUST_CHECK;

/* COPY ... TO STDOUT. db_copy_row() gives the next buffer, owned by the connection until the next
 * call, or length 0 at the end. Cancelled by db_close(). */
enum fault db_copy_out(struct db *db, const char *text) MUST_CHECK;
enum fault db_copy_row(struct db *db, const char **bytes, size_t *length) MUST_CHECK;

/* Values of a row. Text is "" for SQL NULL; db_null() tells them apart. Numbers are 0 for NULL. */
const char *db_text(const struct db_rows *rows, int row, int column);
size_t db_length(const struct db_rows *rows, int row, int column);
bool db_null(const struct db_rows *rows, int row, int column);
int64_t db_int(const struct db_rows *rows, int row, int column);
bool db_bool(const struct db_rows *rows, int row, int column);

/* The fault that an SQLSTATE stands for. */
enum fault db_fault(const char *sqlstate);

#endif
