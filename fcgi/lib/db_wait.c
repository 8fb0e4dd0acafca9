/*
 * db_wait: waiting for a libpq connection with a deadline. See db_wait.h.
 */
#include "lib/db_wait.h"

#include <errno.h>
#include <poll.h>

#include "lib/clock.h"

#define DB_WAIT_SLICE_MS 100

/* Waits for `events` on the connection's socket. */
static enum fault db_wait_socket(PGconn *conn, const struct db_wait *wait, short events)
{
    for (;;) {
        int64_t left = wait->deadline_ms - clock_monotonic_ms();
        if (wait->stopped != NULL && wait->stopped(wait->stopped_arg))
            return FAULT_STOPPED;
        if (left <= 0) {
            *wait->ran_out = true;
            return FAULT_DB_UNAVAILABLE;
        }
        struct pollfd p = {.fd = PQsocket(conn), .events = events};
        int ready = poll(&p, 1, (int)(left < DB_WAIT_SLICE_MS ? left : DB_WAIT_SLICE_MS));
        if (ready > 0)
            return FAULT_NONE;
        if (ready < 0 && errno != EINTR)
            return FAULT_DB_UNAVAILABLE;
    }
}

enum fault db_wait_connect(PGconn *conn, const struct db_wait *wait)
{
    if (PQstatus(conn) == CONNECTION_BAD)
        return FAULT_DB_UNAVAILABLE;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        enum fault fault = db_wait_socket(conn, wait, state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        if (fault != FAULT_NONE)
            return fault;
        state = PQconnectPoll(conn);
        if (state == PGRES_POLLING_FAILED)
            return FAULT_DB_UNAVAILABLE;
    }
    return FAULT_NONE;
}

enum fault db_wait_flush(PGconn *conn, const struct db_wait *wait)
{
    int left;
    while ((left = PQflush(conn)) == 1) {
        /* the server may be waiting for us to read before it reads on */
        enum fault fault = db_wait_socket(conn, wait, POLLIN | POLLOUT);
        if (fault != FAULT_NONE)
            return fault;
        if (!PQconsumeInput(conn))
            return FAULT_DB_UNAVAILABLE;
    }
    return left == 0 ? FAULT_NONE : FAULT_DB_UNAVAILABLE;
}

enum fault db_wait_input(PGconn *conn, const struct db_wait *wait)
{
    enum fault fault = db_wait_socket(conn, wait, POLLIN);
    if (fault != FAULT_NONE)
        return fault;
    return PQconsumeInput(conn) ? FAULT_NONE : FAULT_DB_UNAVAILABLE;
}

enum fault db_wait_result(PGconn *conn, const struct db_wait *wait, PGresult **result)
{
    *result = NULL;
    enum fault fault = db_wait_flush(conn, wait);
    while (fault == FAULT_NONE && PQisBusy(conn))
        fault = db_wait_input(conn, wait);
    if (fault == FAULT_NONE)
        *result = PQgetResult(conn);
    return fault;
}

enum fault db_wait_drain(PGconn *conn, const struct db_wait *wait)
{
    for (;;) {
        PGresult *result = NULL;
        enum fault fault = db_wait_result(conn, wait, &result);
        if (fault != FAULT_NONE || result == NULL)
            return fault;
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return FAULT_DB_UNAVAILABLE; /* a later command failed, or a COPY nobody asked for */
    }
}
