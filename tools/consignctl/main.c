/*
 * main: consignctl, the operator's command line.
 *
 * It speaks to the database as the operator (setting database.operator) and becomes consign_owner
 * there; it needs neither of the two programs to run.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "lib/conf.h"

static const char USAGE[] =
    "usage: consignctl --config FILE COMMAND\n"
    "  migrate --sql DIR\n"
    "  org     create --id ID --name NAME | list | disable --id ID | enable --id ID\n"
    "  sandbox create --org ID --name NAME | list --org ID | disable --org ID --name NAME | enable ...\n"
    "  client  create --org ID [--org ID ...] --name NAME --rights all|RIGHT,RIGHT,...\n"
    "          list [--org ID] | disable --id CLIENT_ID | enable --id CLIENT_ID\n";

_Noreturn void ctl_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("consignctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
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
    if (value == NULL || *value == '\0')
        ctl_fail("--%s is required", name);
    return value;
}

PGconn *ctl_connect(void)
{
    const char *keys[] = {"dbname", "application_name", "options", NULL};
    const char *values[] = {conf_text(CONF_DATABASE_OPERATOR), "consignctl", "-c search_path=pg_catalog", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);
    if (conn == NULL || PQstatus(conn) != CONNECTION_OK)
        ctl_fail("cannot reach the database: %s", conn == NULL ? "no memory" : PQerrorMessage(conn));
    return conn;
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

void ctl_script(PGconn *conn, const char *what, const char *text)
{
    PGresult *result = PQexec(conn, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        ctl_fail("%s: %s", what, PQresultErrorMessage(result));
    PQclear(result);
}

/* Reads --name value pairs from argv[from]. False: something else stands there. */
static bool ctl_read_options(int argc, char **argv, int from, struct ctl_options *out)
{
    for (int i = from; i < argc; i += 2) {
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc || out->count == CTL_OPTIONS_MAX)
            return false;
        out->name[out->count] = argv[i] + 2;
        out->value[out->count++] = argv[i + 1];
    }
    return true;
}

int main(int argc, char **argv)
{
    struct ctl_options options = {0};
    int status = -1;
    if (argc < 4 || strcmp(argv[1], "--config") != 0) {
        fputs(USAGE, stderr);
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return 2;
    if (strcmp(argv[3], "migrate") == 0 && ctl_read_options(argc, argv, 4, &options))
        status = ctl_migrate(&options);
    else if (argc >= 5 && ctl_read_options(argc, argv, 5, &options))
        status = ctl_registry(argv[3], argv[4], &options);
    if (status < 0)
        fputs(USAGE, stderr);
    return status < 0 ? 2 : status;
}
