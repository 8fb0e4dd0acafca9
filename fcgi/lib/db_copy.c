/*
 * db_copy: COPY in and out. See db.h.
 */
#include "lib/db_internal.h"
#include "lib/invariant.h"

/* Sends a COPY and waits until the server is in the wanted state of it. */
static enum fault db_copy_begin(struct db *db, const char *text, ExecStatusType wanted)
{
    if (!db_connected(db) || !PQsendQuery(db->conn, text))
        return db_broken(db, FAULT_DB_UNAVAILABLE, "copy");
    struct db_wait wait = db_patience(db);
    PGresult *result = NULL;
    enum fault fault = db_wait_result(db->conn, &wait, &result);
    if (fault == FAULT_NONE && PQresultStatus(result) != wanted)
        fault = db_result_fault(result, "copy");
    PQclear(result);
    return fault == FAULT_NONE ? FAULT_NONE : db_broken(db, fault, "copy");
}

enum fault db_copy_in(struct db *db, const char *text)
{
    return db_copy_begin(db, text, PGRES_COPY_IN);
}

enum fault db_copy_data(struct db *db, const char *bytes, size_t length)
{
    INVARIANT(length <= INT32_MAX);
    struct db_wait wait = db_patience(db);
    int put;
    while ((put = PQputCopyData(db->conn, bytes, (int)length)) == 0) {
        enum fault fault = db_wait_flush(db->conn, &wait);
        if (fault != FAULT_NONE)
            return db_broken(db, fault, "copy");
    }
    if (put < 0)
        return db_broken(db, FAULT_DB_UNAVAILABLE, "copy");
    /* libpq buffers without bound while the socket is full, so the buffer is emptied every time */
    enum fault fault = db_wait_flush(db->conn, &wait);
    return fault == FAULT_NONE ? FAULT_NONE : db_broken(db, fault, "copy");
}

enum fault db_copy_end(struct db *db)
{
    struct db_wait wait = db_patience(db);
    int put;
    while ((put = PQputCopyEnd(db->conn, NULL)) == 0) {
        enum fault fault = db_wait_flush(db->conn, &wait);
        if (fault != FAULT_NONE)
            return db_broken(db, fault, "copy");
    }
    if (put < 0)
        return db_broken(db, FAULT_DB_UNAVAILABLE, "copy");
    return db_answer(db, NULL, "copy", NULL);
}

enum fault db_copy_out(struct db *db, const char *text)
{
    return db_copy_begin(db, text, PGRES_COPY_OUT);
}

enum fault db_copy_row(struct db *db, const char **bytes, size_t *length)
{
    struct db_wait wait = db_patience(db);
    *length = 0;
    *bytes = NULL;
    if (db->copy_buffer != NULL)
        PQfreemem(db->copy_buffer);
    db->copy_buffer = NULL;
    int got;
    while ((got = PQgetCopyData(db->conn, &db->copy_buffer, 1)) == 0) {
        enum fault fault = db_wait_input(db->conn, &wait);
        if (fault != FAULT_NONE)
            return db_broken(db, fault, "copy");
    }
    if (got == -2)
        return db_broken(db, FAULT_DB_UNAVAILABLE, "copy");
    if (got == -1) /* the end, or an error of the server, which its result tells */
        return db_answer(db, NULL, "copy", NULL);
    *bytes = db->copy_buffer;
    *length = (size_t)got;
    return FAULT_NONE;
}
