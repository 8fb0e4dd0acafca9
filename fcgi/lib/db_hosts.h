/*
 * db_hosts: the servers of a connection string, and which of them to try next. Used by db_connect.c.
 *
 * libpq tries the hosts of a string one after the other, but asynchronously it gives none of them a
 * time-out: one that stands still would take the whole wait, each time. So the string is taken apart here,
 * as the libpq manual describes it (34.1.1.3, "Specifying Multiple Hosts"), and each host gets its part of the wait.
 */
#ifndef CONSIGN_LIB_DB_HOSTS_H
#define CONSIGN_LIB_DB_HOSTS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/fault.h"

#define DB_HOSTS_MAX 16
#define DB_HOSTS_SETTINGS_MAX 64 /* libpq knows about 45 */

struct db_host {
    const char *name, *address, *port; /* NULL: libpq's default */
    int silences;                      /* waits for it that ran out since it last answered a connect */
    int64_t refuse_until_ms;           /* not tried before, by the monotonic clock */
};

struct db_hosts {
    PQconninfoOption *settings; /* the whole string */
    char *texts;                /* what the names point into */
    struct db_host host[DB_HOSTS_MAX];
    int count; /* 0: not read yet */
    int good;  /* the one that answered last */
};

/* Takes a key = value string or a URI apart. A string whose lists don't fit together, or with more than
 * DB_HOSTS_MAX hosts, is no good: FAULT_MALFORMED, logged without the string, which may hold a password.
 * Owns memory from then on: db_hosts_free(). */
enum fault db_hosts_read(struct db_hosts *h, const char *conninfo) MUST_CHECK;
void db_hosts_free(struct db_hosts *h);

/* The host to try next when those of the bit set `tried` were: from the good one on around, those that
 * answered first, the silent ones last. -1: none. */
int db_hosts_next(const struct db_hosts *h, uint32_t tried, int64_t now_ms);

/* How long host `next` may take when all that are not in `tried` have left_ms together: an equal part, so that
 * each gets its turn. A silent one is given an eighth of a whole wait, and each further time twice as much, half of
 * an equal part at most: one that is far away, or slow under its load, is reached in the end. */
int64_t db_hosts_slice(const struct db_hosts *h, int next, uint32_t tried, int64_t now_ms, int64_t left_ms,
                       int64_t whole_ms);

/* The settings of the string for one of its hosts, as two lists that end with NULL. Those that choose a
 * host are left out and stand once, for this one. Pointers into h. */
void db_hosts_settings(const struct db_hosts *h, int host, const char *keys[DB_HOSTS_SETTINGS_MAX],
                       const char *values[DB_HOSTS_SETTINGS_MAX]);

/* What a host is called in the log. */
const char *db_hosts_name(const struct db_hosts *h, int host);

#endif
