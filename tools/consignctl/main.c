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
#include "consignctl/load.h"
#include "lib/conf.h"

static const char USAGE[] =
    "usage: consignctl --config FILE COMMAND\n"
    "  migrate --sql DIR\n"
    "  org     create --id ID --name NAME | list | disable --id ID | enable --id ID\n"
    "  sandbox create --org ID --name NAME | list --org ID | disable --org ID --name NAME | enable ...\n"
    "  client  create --org ID [--org ID ...] --name NAME --rights all|RIGHT,RIGHT,...\n"
    "          list [--org ID] | disable --id CLIENT_ID | enable --id CLIENT_ID\n"
    "  quota   set --org ID [--sandbox NAME] [--weight N] [--running N] [--jobs N] [--lake-bytes N]\n"
    "          [--inbox-bytes N] (`default` for N takes it away) | list [--org ID]\n"
    "  retention set --org ID --sandbox NAME --dataset ID --days N|--hours N|--ms N\n"
    "          clear --org ID --sandbox NAME --dataset ID | list [--org ID]\n"
    "  webhook create --org ID --sandbox NAME --name N --url URL | list [--org ID]\n"
    "          rotate --org ID --sandbox NAME --name N [--force yes]\n"
    "          disable|enable --org ID --sandbox NAME --name N\n"
    "  jobs    [--org ID]\n"
    "  cancel  --org ID --sandbox NAME --job NUMBER\n"
    "  retry   --org ID --sandbox NAME --job NUMBER\n"
    "  verify  [--org ID]\n"
    "  load    --dataset ID [--format json|csv] [--delimiter C] [--encoding identity|gzip|zstd]\n"
    "          [--batch-bytes N] [--again TEXT] FILE ...\n";

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

/* Commands of one word, `consignctl --config FILE WORD --name value ...`. */
static const char *const MAIN_WORDS[] = {"migrate", "jobs", "cancel", "retry", "verify"};

static bool main_is_one_word(const char *word)
{
    for (size_t i = 0; i < sizeof MAIN_WORDS / sizeof *MAIN_WORDS; i++) {
        if (strcmp(word, MAIN_WORDS[i]) == 0)
            return true;
    }
    return false;
}

static int main_run(const char *word, const struct ctl_options *options)
{
    if (strcmp(word, "migrate") == 0)
        return ctl_migrate(options);
    if (strcmp(word, "jobs") == 0)
        return ctl_jobs(options);
    if (strcmp(word, "verify") == 0)
        return ctl_verify(options);
    return ctl_job(strcmp(word, "cancel") == 0 ? "job_cancel" : "job_retry", options);
}

/* Commands of two words, `consignctl --config FILE KIND VERB --name value ...`. */
static int main_run_verb(const char *kind, const char *verb, const struct ctl_options *options)
{
    if (strcmp(kind, "quota") == 0)
        return ctl_quota(verb, options);
    if (strcmp(kind, "retention") == 0)
        return ctl_retention(verb, options);
    if (strcmp(kind, "webhook") == 0)
        return ctl_webhook(verb, options);
    return ctl_registry(kind, verb, options);
}

/* `load --name value ... FILE ...`. */
static int main_load(int argc, char **argv)
{
    struct ctl_options options = {0};
    int files = 4;
    while (files < argc && strncmp(argv[files], "--", 2) == 0 && argv[files][2] != '\0')
        files += 2;
    if (files >= argc || !ctl_read_options(files, argv, 4, &options))
        return -1;
    return ctl_load(&options, argc - files, argv + files);
}

static void main_usage(FILE *out)
{
    fputs(USAGE, out);
    client_list_commands(out);
}

int main(int argc, char **argv)
{
    struct ctl_options options = {0};
    int status = -1;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        main_usage(stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--config") != 0)
        status = client_main(argc, argv);
    if (status >= 0)
        return status;
    if (argc < 4 || strcmp(argv[1], "--config") != 0) {
        main_usage(stderr);
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return 2;
    if (strcmp(argv[3], "load") == 0) {
        status = main_load(argc, argv);
    } else if (main_is_one_word(argv[3])) {
        if (ctl_read_options(argc, argv, 4, &options))
            status = main_run(argv[3], &options);
    } else if (argc >= 5 && ctl_read_options(argc, argv, 5, &options))
        status = main_run_verb(argv[3], argv[4], &options);
    if (status < 0)
        fputs(USAGE, stderr);
    return status < 0 ? 2 : status;
}
