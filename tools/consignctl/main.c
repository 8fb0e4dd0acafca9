/*
 * main: consignctl, the command line of operators and of clients.
 *
 * With --config it is the operator's: it speaks to the database (setting database.operator), becomes consign_owner
 * there, and needs neither of the two programs to run. Without, it is a client of the service's HTTP API (client_main).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/client.h"
#include "consignctl/ctl.h"
#include "lib/conf.h"
#include "lib/invariant.h"

void ctl_say(const char *format, va_list args)
{
    fputs("consignctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

_Noreturn void ctl_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctl_say(format, args);
    va_end(args);
    exit(1);
}

const char *ctl_option(const struct ctl_options *options, const char *name)
{
    for (int i = 0; i < options->count; i++) {
        if (strcmp(options->name[i], name) == 0)
            return options->value[i];
    }
    return NULL;
}

const char *ctl_need(const struct ctl_options *options, const char *name)
{
    const char *value = ctl_option(options, name);
    INVARIANT(value != NULL);
    return value;
}

PGconn *ctl_connect(void)
{
    /* of several hosts the one that takes writes; one that stands still must not keep us from the next */
    const char *keys[] = {"connect_timeout", "dbname", "application_name", "options", "target_session_attrs", NULL};
    const char *values[] = {"10",        conf_text(CONF_DATABASE_OPERATOR),
                            "consignctl", "-c search_path=pg_catalog", "read-write", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    if (conn == NULL || PQstatus(conn) != CONNECTION_OK)
        ctl_fail("cannot reach the database: %s", conn == NULL ? "no memory" : PQerrorMessage(conn));
    return conn;
}

PGconn *ctl_connect_owner(void)
{
    PGconn *conn = ctl_connect();
    ctl_script(conn, "role", "SET ROLE consign_owner");
    return conn;
}

void ctl_begin_tenant(PGconn *conn, const char *org)
{
    char text[64];
    if (*org == '\0' || strlen(org) > 9 || org[strspn(org, "0123456789")] != '\0')
        ctl_fail("no such org");
    snprintf(text, sizeof text, "BEGIN; SET LOCAL consign.org = %s", org);
    ctl_script(conn, "tenant", text);
}

PGresult *ctl_query(PGconn *conn, const char *text, int count, const char *const *params)
{
    PGresult *result = PQexecParams(conn, text, count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        ctl_fail("%s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) != NULL
                           ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
                           : PQerrorMessage(conn));
    return result;
}

void ctl_print_rows(PGresult *rows)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        for (int column = 0; column < PQnfields(rows); column++)
            printf("%s%s", column > 0 ? "\t" : "", PQgetvalue(rows, row, column));
        putchar('\n');
    }
    PQclear(rows);
}

void ctl_script(PGconn *conn, const char *what, const char *text)
{
    PGresult *result = PQexec(conn, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        ctl_fail("%s: %s", what, PQresultErrorMessage(result));
    PQclear(result);
}

static void main_usage(FILE *out)
{
    ctl_list_commands(out);
    client_list_commands(out);
}

int main(int argc, char **argv)
{
    int status = -1;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        main_usage(stdout);
        return 0;
    }
    if (argc > 1)
        status = strcmp(argv[1], "--config") == 0 ? ctl_main(argc, argv) : client_main(argc, argv);
    if (status >= 0)
        return status;
    main_usage(stderr);
    return CTL_USAGE;
}
