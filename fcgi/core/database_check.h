/*
 * database_check: whether the database that a setting names is the one this program was built for. Callers: both
 * programs with `--check`; a start alone does not ask, because the pool serves through an outage.
 *
 * Built for: the newest file of sql/schema/ and the texts of sql/api/ and grants.sql when it was compiled (CONSIGN_SCHEMA and
 * CONSIGN_SQL_DIGEST, from the Makefile). A newer schema is as wrong as an older one: programs call what another one takes away
 * (README, Reload and upgrade).
 */
#ifndef CONSIGN_CORE_DATABASE_CHECK_H
#define CONSIGN_CORE_DATABASE_CHECK_H

#include <stdbool.h>

#include "lib/conf.h"
#include "lib/db.h"

/* Connects by the connection string of that setting and compares role, schema and functions. Takes DATABASE_CHECK_MS for each
 * of two steps at most, save for what resolving names takes. `stmt` is the program's own: -> schema, role, digest of the functions.
 * False: not that database, or none that answers; the last line in the log names the setting. */
bool database_check(enum conf_key setting, const char *role, const struct stmt *stmt);

#define DATABASE_CHECK_MS 4000

#endif
