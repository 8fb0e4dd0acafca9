/*
 * migrate: brings the database to what the folder sql/ says.
 *
 *   roles.sql          as the operator
 *   schema/NNN_name.sql as consign_owner, each once, in order; a file that changed since is refused
 *   api/NAME.sql        as consign_owner, all of them, every time
 *   grants.sql         as consign_owner, last
 *
 * The digest of api/ and grants.sql is entered as version 0: programs made for others are not content (core/database_check.h).
 *
 * All of it is one transaction, so a database is migrated whole or not at all, and two migrations
 * at once wait for each other.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "lib/crypto.h"

#define MIGRATE_FILE_MAX (1024 * 1024)
#define MIGRATE_LOCK "SELECT pg_advisory_xact_lock(0, 4711001)"

static char *migrate_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(MIGRATE_FILE_MAX + 1);
    if (file == NULL || text == NULL)
        ctl_fail("cannot read %s", path);
    size_t length = fread(text, 1, MIGRATE_FILE_MAX + 1, file);
    if (ferror(file) != 0 || length > MIGRATE_FILE_MAX)
        ctl_fail("cannot read %s", path);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* While they run, the texts of api/ and grants.sql, one after the other; else NULL. */
static FILE *functions;

static void migrate_run_file(PGconn *conn, const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = migrate_read(path);
    ctl_script(conn, path, text);
    if (functions != NULL && fputs(text, functions) == EOF)
        ctl_fail("no memory");
    free(text);
}

/* Whether the migration of that number was applied; ends the program when it was another text. */
static bool migrate_applied(PGconn *conn, const char *number, const char *name, const char *digest)
{
    PGresult *result = ctl_query(conn, "SELECT sha256 FROM consign.schema_migration WHERE version = $1::int", 1, &number);
    bool applied = PQntuples(result) == 1;
    if (applied && strcmp(PQgetvalue(result, 0, 0), digest) != 0)
        ctl_fail("schema/%s was applied with another content; migrations only go forward, in new files", name);
    PQclear(result);
    return applied;
}

static void migrate_schema_file(PGconn *conn, const char *folder, const char *name)
{
    char path[4096], digest[CRYPTO_SHA256_HEX], number[16];
    snprintf(number, sizeof number, "%ld", strtol(name, NULL, 10));
    snprintf(path, sizeof path, "%s/schema/%s", folder, name);
    char *text = migrate_read(path);
    crypto_sha256_hex(text, strlen(text), digest);
    if (!migrate_applied(conn, number, name, digest)) {
        const char *const params[] = {number, name, digest};
        ctl_script(conn, path, text);
        PQclear(ctl_query(conn, "INSERT INTO consign.schema_migration (version, name, sha256) VALUES ($1::int, $2, $3)", 3,
                          params));
        printf("applied %s\n", name);
    }
    free(text);
}

static int migrate_is_sql(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

/* Calls `run` for each .sql file of a folder, in the order of their names. */
static void migrate_each(PGconn *conn, const char *folder, const char *sub,
                         void (*run)(PGconn *conn, const char *folder, const char *name))
{
    char path[4096];
    struct dirent **list = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, sub);
    int count = scandir(path, &list, migrate_is_sql, alphasort);
    if (count <= 0)
        ctl_fail("no .sql files in %s", path);
    for (int i = 0; i < count; i++) {
        run(conn, folder, list[i]->d_name);
        free(list[i]);
    }
    free(list);
}

static void migrate_api_file(PGconn *conn, const char *folder, const char *name)
{
    char relative[300];
    snprintf(relative, sizeof relative, "api/%s", name);
    migrate_run_file(conn, folder, relative);
}

/* What runs at each migrate, and its digest. */
static void migrate_functions(PGconn *conn, const char *folder)
{
    char *text = NULL, digest[CRYPTO_SHA256_HEX];
    size_t length = 0;
    functions = open_memstream(&text, &length);
    if (functions == NULL)
        ctl_fail("no memory");
    migrate_each(conn, folder, "api", migrate_api_file);
    migrate_run_file(conn, folder, "grants.sql");
    if (fclose(functions) != 0)
        ctl_fail("no memory");
    functions = NULL;
    crypto_sha256_hex(text, length, digest);
    free(text);
    const char *const params[] = {digest};
    PQclear(ctl_query(conn, "INSERT INTO consign.schema_migration (version, name, sha256) VALUES (0, 'api and grants', $1)"
                            " ON CONFLICT (version) DO UPDATE SET sha256 = EXCLUDED.sha256, applied = now()", 1, params));
}

int ctl_migrate(const char *word, const struct ctl_options *options)
{
    (void)word;
    const char *folder = ctl_need(options, "sql");
    PGconn *conn = ctl_connect();
    ctl_script(conn, "begin", "BEGIN; " MIGRATE_LOCK);
    migrate_run_file(conn, folder, "roles.sql");
    ctl_script(conn, "schema",
               "SET LOCAL client_min_messages = warning;"
               "CREATE SCHEMA IF NOT EXISTS consign AUTHORIZATION consign_owner;"
               "SET LOCAL ROLE consign_owner;"
               "CREATE TABLE IF NOT EXISTS consign.schema_migration (version integer PRIMARY KEY, name text NOT NULL,"
               " sha256 text NOT NULL, applied timestamptz NOT NULL DEFAULT now())");
    migrate_each(conn, folder, "schema", migrate_schema_file);
    migrate_functions(conn, folder);
    ctl_script(conn, "commit", "COMMIT");
    PQfinish(conn);
    puts("the database is up to date");
    return 0;
}
