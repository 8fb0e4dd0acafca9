/*
 * db_wait: waiting for a libpq connection with a deadline. Used by db.c and db_copy.c.
 */
#ifndef CONSIGN_LIB_DB_WAIT_H
#define CONSIGN_LIB_DB_WAIT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"

struct db_wait {
    int64_t deadline_ms; /* by clock_monotonic_ms() */
    bool *ran_out;       /* set when it passed */
    bool (*stopped)(void *);
    void *stopped_arg;
};

/* All of these: FAULT_DB_UNAVAILABLE when the connection fails or the deadline passes, FAULT_STOPPED
 * when stopped() says so. The connection is then in doubt and has to be closed. */
enum fault db_wait_connect(PGconn *conn, const struct db_wait *wait) MUST_CHECK;
enum fault db_wait_flush(PGconn *conn, const struct db_wait *wait) MUST_CHECK; /* until all is sent */
enum fault db_wait_input(PGconn *conn, const struct db_wait *wait) MUST_CHECK; /* until something came */
/* The next result, NULL at the end of a command's results; the caller clears it. */
enum fault db_wait_result(PGconn *conn, const struct db_wait *wait, PGresult **result) MUST_CHECK;
/* Reads and drops results up to the end of the command. */
enum fault db_wait_drain(PGconn *conn, const struct db_wait *wait) MUST_CHECK;

#endif
