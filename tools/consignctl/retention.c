/*
 * retention: how long the batches of a dataset are kept (sql/schema/022_retention.sql): set it, clear it, show it.
 *
 * The spooler's sweep acts on it; a retention that is made shorter counts for the batches that are there, too.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"

#define RETENTION_MOST_MS 3153600000000LL /* a hundred years */

static const struct retention_unit {
    const char *option;
    long long ms;
} RETENTION_UNITS[] = {{"days", 86400000}, {"hours", 3600000}, {"ms", 1}};
#define RETENTION_UNITS_COUNT (sizeof RETENTION_UNITS / sizeof *RETENTION_UNITS)

/* The one of --days, --hours and --ms that is given, in ms. */
static long long retention_read(const struct ctl_options *o)
{
    long long found = 0;
    for (size_t i = 0; i < RETENTION_UNITS_COUNT; i++) {
        const struct retention_unit *unit = &RETENTION_UNITS[i];
        const char *given = ctl_option(o, unit->option);
        if (given == NULL)
            continue;
        size_t length = strlen(given);
        bool number = length > 0 && length <= 13 && strspn(given, "0123456789") == length;
        long long value = number ? strtoll(given, NULL, 10) : 0;
        if (value < 1 || value > RETENTION_MOST_MS / unit->ms)
            ctl_wrong("--%s: a number from 1 to %lld", unit->option, RETENTION_MOST_MS / unit->ms);
        if (found != 0)
            ctl_wrong("one of --days, --hours and --ms, not several");
        found = value * unit->ms;
    }
    if (found == 0)
        ctl_wrong("--days, --hours or --ms is required");
    return found;
}

/* Runs a statement on the dataset of the options: org, sandbox, dataset, and `value`, are its parameters. It touches one
 * row, or `none` is said. */
static int retention_change(const struct ctl_options *o, const char *text, int count, const char *value, const char *none)
{
    const char *names[] = {ctl_need(o, "org"), ctl_need(o, "sandbox")}, *dataset = ctl_need(o, "dataset");
    PGconn *conn = ctl_connect_owner();
    PGresult *place = ctl_query(conn, "SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org)"
                                " WHERE o.ims_org_id = $1 AND s.name = $2", 2, names);
    if (PQntuples(place) != 1)
        ctl_fail("no such sandbox");
    const char *params[] = {PQgetvalue(place, 0, 0), PQgetvalue(place, 0, 1), dataset, value};
    ctl_begin_tenant(conn, params[0]);
    PGresult *done = ctl_query(conn, text, count, params);
    if (strcmp(PQcmdTuples(done), "1") != 0)
        ctl_fail("%s", none);
    ctl_script(conn, "commit", "COMMIT");
    PQclear(done);
    PQclear(place);
    PQfinish(conn);
    return 0;
}

static int retention_set(const struct ctl_options *o)
{
    char value[32];
    snprintf(value, sizeof value, "%lld", retention_read(o));
    return retention_change(o,
                            "INSERT INTO consign.dataset_retention (org, sandbox, dataset, retain_ms)"
                            " SELECT d.org, d.sandbox, d.dataset, $4::bigint FROM consign.dataset d"
                            " WHERE d.org = $1::int AND d.sandbox = $2::int AND d.dataset = $3 FOR KEY SHARE"
                            " ON CONFLICT (org, sandbox, dataset) DO UPDATE SET retain_ms = EXCLUDED.retain_ms",
                            4, value, "no such dataset");
}

static int retention_clear(const struct ctl_options *o)
{
    return retention_change(o,
                            "DELETE FROM consign.dataset_retention"
                            " WHERE org = $1::int AND sandbox = $2::int AND dataset = $3",
                            3, NULL, "the dataset has no retention");
}

static int retention_list(const struct ctl_options *o)
{
    const char *params[] = {ctl_option(o, "org")};
    PGconn *conn = ctl_connect_owner();
    PGresult *rows = ctl_query(conn, "SELECT o.ims_org_id, s.name, r.dataset, r.retain_ms,"
                               " round(r.retain_ms / 86400000.0, 2) FROM consign.dataset_retention r"
                               " JOIN consign.org o USING (org) JOIN consign.sandbox s USING (org, sandbox)"
                               " WHERE $1::text IS NULL OR o.ims_org_id = $1 ORDER BY o.ims_org_id, s.name, r.dataset", 1,
                               params);
    puts("org\tsandbox\tdataset\tms\tdays");
    ctl_print_rows(rows);
    PQfinish(conn);
    return 0;
}

int ctl_retention(const char *word, const struct ctl_options *options)
{
    if (strcmp(word, "set") == 0)
        return retention_set(options);
    return strcmp(word, "clear") == 0 ? retention_clear(options) : retention_list(options);
}
