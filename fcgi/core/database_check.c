/*
 * database_check: the look at the database of `--check`. See database_check.h.
 */
#include "core/database_check.h"

#include <string.h>

#include "lib/log.h"

#define DATABASE_CHECK_ARENA 65536

static bool database_refuse(enum conf_key setting, const char *reason)
{
    log_event(LOG_ERROR, "check", "setting=%s reason=\"%s\"", conf_name(setting), reason);
    return false;
}

static bool database_compare(enum conf_key setting, const char *role, const struct db_rows *rows)
{
    const char *is = db_text(rows, 0, 1);
    int64_t schema = db_int(rows, 0, 0);
    bool same = !db_null(rows, 0, 2) && strcmp(db_text(rows, 0, 2), CONSIGN_SQL_DIGEST) == 0;
    if (schema == CONSIGN_SCHEMA && same && strcmp(is, role) == 0)
        return true;
    if (strcmp(is, role) != 0)
        log_event(LOG_ERROR, "check", "setting=%s role=%s reason=\"the role is to be %s\"", conf_name(setting), log_quote(is),
                  role);
    else if (schema == CONSIGN_SCHEMA)
        log_event(LOG_ERROR, "check", "setting=%s reason=\"its functions are of another version; run consignctl migrate\"",
                  conf_name(setting));
    else
        log_event(LOG_ERROR, "check", "setting=%s schema=%lld reason=\"this program is made for schema %d%s\"",
                  conf_name(setting), (long long)schema, CONSIGN_SCHEMA,
                  schema < CONSIGN_SCHEMA ? "; run consignctl migrate" : "");
    return false;
}

bool database_check(enum conf_key setting, const char *role, const struct stmt *stmt)
{
    struct db *db = db_new((struct db_options){
        .conninfo = conf_text(setting), .application = "consign check", .wait_ms = DATABASE_CHECK_MS});
    struct arena *a = arena_new(DATABASE_CHECK_ARENA);
    struct db_rows rows;
    bool good = false;
    if (db == NULL || a == NULL || db_connect(db) != FAULT_NONE)
        database_refuse(setting, "no connection, the line before says why");
    else if (db_call(db, a, 0, stmt, NULL, &rows) != FAULT_NONE)
        database_refuse(setting, "no schema of this service, or one that is too old: run consignctl migrate");
    else
        good = database_compare(setting, role, &rows);
    arena_free(a);
    db_free(db);
    return good;
}
