/*
 * db_internal: what the files of db share. For db*.c only.
 */
#ifndef CONSIGN_LIB_DB_INTERNAL_H
#define CONSIGN_LIB_DB_INTERNAL_H

#include <libpq-fe.h>

#include "lib/db.h"
#include "lib/db_hosts.h"
#include "lib/db_wait.h"

#define DB_PREPARED_MAX 128
#define DB_ATTEMPT_TEXT 37 /* a uuid */

struct db {
    struct db_options options;
    PGconn *conn;
    char *copy_buffer;
    const struct stmt *prepared[DB_PREPARED_MAX];
    unsigned prepared_count;
    char attempt[DB_ATTEMPT_TEXT]; /* that transactions are named after; "": none */
    bool bounded;         /* the calls have a budget together */
    int64_t budget_ms;    /* what is left of it */
    int64_t call_ends_ms; /* of a db_call(), all its answers together; 0: none in progress */
    bool ran_out;         /* the wait in progress did */
    struct db_hosts hosts;
    int host; /* of the connection, or the last one tried */
};

/* How long the next answer may take. */
struct db_wait db_patience(struct db *db);

/* Closes the connection, logs why, and passes the fault on. */
enum fault db_broken(struct db *db, enum fault fault, const char *what);

/* The fault of a result that is not a success, logged. */
enum fault db_result_fault(const PGresult *result, const char *what);

/* Waits for the answer of what was sent and keeps its rows. A raised fault is returned with the
 * connection intact; anything doubtful closes it. */
enum fault db_answer(struct db *db, struct arena *a, const char *what, struct db_rows *rows) MUST_CHECK;

#endif
