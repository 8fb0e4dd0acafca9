/*
 * conf: the settings, once.
 *
 * One table (conf.c) holds every setting with its type, default, unit and meaning; the table in
 * README.md is checked against it. A settings file has lines `key = value`; a line that begins with `#` is a comment.
 * An unknown key, a key given twice or a value that does not fit stops the program at the start.
 */
#ifndef CONSIGN_LIB_CONF_H
#define CONSIGN_LIB_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/fault.h"

enum conf_key {
    CONF_DATABASE_API,
    CONF_DATABASE_SPOOLER,
    CONF_DATABASE_SENDER,
    CONF_DATABASE_OPERATOR,
    CONF_PUBLIC_URL,
    CONF_API_SOCKET,
    CONF_API_USER,
    CONF_API_WORKERS,
    CONF_API_ORG_WORKERS,
    CONF_API_ORG_RATE,
    CONF_API_REQUEST_SECONDS,
    CONF_API_DATABASE_MS,
    CONF_API_QUEUE_MS,
    CONF_API_SCOPE_CACHE_MS,
    CONF_SPOOLER_USER,
    CONF_SPOOLER_WORKERS,
    CONF_SPOOLER_POLL_MS,
    CONF_SPOOLER_SWEEP_MS,
    CONF_SPOOLER_ATTEMPTS,
    CONF_SPOOLER_RETRY_MS,
    CONF_SPOOLER_EXPRESS,
    CONF_SPOOLER_SILENCE_MS,
    CONF_SPOOLER_GRACE_MS,
    CONF_JOBS_KEEP_DAYS,
    CONF_KEYS_DIR,
    CONF_INBOX_DIR,
    CONF_INBOX_OPEN_DAYS,
    CONF_LAKE_DIR,
    CONF_LAKE_URL,
    CONF_LAKE_ENDPOINT,
    CONF_LAKE_REGION,
    CONF_LAKE_CREDENTIALS,
    CONF_LAKE_CA_FILE,
    CONF_LAKE_PART_BYTES,
    CONF_TOKEN_AUDIENCE,
    CONF_TOKEN_ISSUERS,
    CONF_TOKEN_LIFETIME_S,
    CONF_EXPORT_PART_BYTES,
    CONF_EXPORT_MEMORY_BYTES,
    CONF_EXPORT_SHARE_PROFILES,
    CONF_INGEST_RECORD_BYTES,
    CONF_INGEST_ERRORS_KEPT,
    CONF_INGEST_FILE_BYTES,
    CONF_WEBHOOK_HOSTS,
    CONF_WEBHOOK_KEEP_HOURS,
    CONF_WEBHOOK_CA_FILE,
    CONF_LOG_LEVEL,
    CONF_LOG_FORMAT,
    CONF_COUNT
};

/* Reads the settings file and checks every value. FAULT_MALFORMED (with one line on stderr that
 * names file, line and rule) when it cannot be used. Call once, before the getters. */
enum fault conf_load(const char *path) MUST_CHECK;

/* The value of a text setting; "" when it has no default and was not given. Valid for ever. */
const char *conf_text(enum conf_key key);

/* The value of a number setting, in its unit. */
int64_t conf_number(enum conf_key key);

/* The setting's name, as the file has it. */
const char *conf_name(enum conf_key key);

/* A line in the log that names a setting whose value is no good; an earlier one said what is wrong with it. Returns false. */
bool conf_refused(enum conf_key key);

/* Writes the table of settings as Markdown. */
void conf_print_table(FILE *out);

/* Writes the table as a settings file in which every setting stands as a comment with its default, below its meaning. */
void conf_print_file(FILE *out);

#endif
