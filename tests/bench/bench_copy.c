/*
 * bench_copy: the raw COPY that the export engine is measured against: it reads and discards.
 *
 * Runs each statement it is given (COPY ... TO STDOUT) one after another in one transaction, as the
 * tenant and with the planner settings of the product, and counts. What it costs is the floor under any
 * export of the same rows: the server's read, the socket, libpq. Called by tests/bench/engine.py.
 *
 * Usage: bench_copy CONNECTION ORG STATEMENT...    Prints rows, bytes and its own CPU time.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/stmt_spooler.h"

static void fail(PGconn *db, const char *what)
{
    fprintf(stderr, "bench_copy: %s: %s", what, PQerrorMessage(db));
    exit(1);
}

static void command(PGconn *db, const char *text)
{
    PGresult *result = PQexec(db, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(db, text);
    PQclear(result);
}

/* One COPY; adds to the rows and bytes seen. */
static void copy(PGconn *db, const char *text, uint64_t *rows, uint64_t *bytes)
{
    char *data;
    int length;
    PGresult *result = PQexec(db, text);
    if (PQresultStatus(result) != PGRES_COPY_OUT)
        fail(db, text);
    PQclear(result);
    while ((length = PQgetCopyData(db, &data, 0)) > 0) {
        *bytes += (unsigned)length;
        PQfreemem(data);
    }
    result = PQgetResult(db);
    if (length != -1 || PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(db, text);
    *rows += strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    while ((result = PQgetResult(db)) != NULL)
        PQclear(result);
}

static long spent_ms(struct timeval t)
{
    return (long)t.tv_sec * 1000 + (long)t.tv_usec / 1000;
}

int main(int argc, char **argv)
{
    char tenant[64];
    uint64_t rows = 0, bytes = 0;
    struct rusage used;
    if (argc < 4) {
        fprintf(stderr, "usage: bench_copy CONNECTION ORG STATEMENT...\n");
        return 2;
    }
    PGconn *db = PQconnectdb(argv[1]);
    if (PQstatus(db) != CONNECTION_OK)
        fail(db, "connect");
    snprintf(tenant, sizeof tenant, "SET LOCAL consign.org = %ld", strtol(argv[2], NULL, 10));
    command(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    command(db, tenant);
    command(db, STMT_READ_SETTINGS);
    for (int i = 3; i < argc; i++)
        copy(db, argv[i], &rows, &bytes);
    command(db, "COMMIT");
    PQfinish(db);
    getrusage(RUSAGE_SELF, &used);
    printf("rows=%" PRIu64 " bytes=%" PRIu64 " cpu_ms=%ld\n", rows, bytes,
           spent_ms(used.ru_utime) + spent_ms(used.ru_stime));
    return 0;
}
