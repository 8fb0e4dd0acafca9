/*
 * quota: what an org, or one of its sandboxes, may take of the service (sql/schema/021_quota.sql, 039_inbox.sql): set it,
 * and show it with what is taken now.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"

#define QUOTA_DIGITS_MAX 18

static const struct quota_column {
    const char *option;
    const char *column;
    long long least, most;
} QUOTA_COLUMNS[] = {
    {"weight", "weight", 1, 1000},
    {"running", "running_most", 1, 1000000000},
    {"jobs", "live_most", 0, 1000000000},
    {"lake-bytes", "lake_bytes_most", 0, 999999999999999999},
    {"inbox-bytes", "inbox_bytes_most", 0, 999999999999999999},
};
#define QUOTA_COLUMNS_COUNT (sizeof QUOTA_COLUMNS / sizeof *QUOTA_COLUMNS)

/* The value for the database: the number, or NULL for `default`. */
static const char *quota_value(const struct quota_column *c, const char *given)
{
    if (strcmp(given, "default") == 0)
        return NULL;
    size_t length = strlen(given);
    bool number = length > 0 && length <= QUOTA_DIGITS_MAX && strspn(given, "0123456789") == length;
    long long n = number ? strtoll(given, NULL, 10) : -1;
    if (n < c->least || n > c->most)
        ctl_wrong("--%s: a number from %lld to %lld, or default", c->option, c->least, c->most);
    return given;
}

/* The internal numbers of the org and of the sandbox (0: none named); a result of one row, the caller's. */
static PGresult *quota_place(PGconn *conn, const struct ctl_options *o)
{
    const char *names[] = {ctl_need(o, "org"), ctl_option(o, "sandbox")};
    PGresult *place = ctl_query(conn, "SELECT o.org, coalesce(s.sandbox, 0) FROM consign.org o LEFT JOIN consign.sandbox s"
                                      " ON s.org = o.org AND s.name = $2 WHERE o.ims_org_id = $1"
                                      " AND (s.sandbox IS NOT NULL OR $2::text IS NULL)", 2, names);
    if (PQntuples(place) != 1)
        ctl_fail("no such %s", names[1] == NULL ? "org" : "sandbox");
    return place;
}

/* Ends the program unless some quota is named, and each with a value that it can have. */
static void quota_check(const struct ctl_options *o)
{
    int changes = 0;
    for (const struct quota_column *c = QUOTA_COLUMNS; c < QUOTA_COLUMNS + QUOTA_COLUMNS_COUNT; c++) {
        const char *given = ctl_option(o, c->option);
        if (given == NULL)
            continue;
        (void)quota_value(c, given);
        changes++;
    }
    if (changes == 0)
        ctl_wrong("--weight, --running, --jobs, --lake-bytes or --inbox-bytes is required");
}

static int quota_set(const struct ctl_options *o)
{
    quota_check(o);
    PGconn *conn = ctl_connect_owner();
    PGresult *place = quota_place(conn, o);
    const char *params[] = {PQgetvalue(place, 0, 0), PQgetvalue(place, 0, 1), NULL};
    ctl_script(conn, "begin", "BEGIN");
    for (const struct quota_column *c = QUOTA_COLUMNS; c < QUOTA_COLUMNS + QUOTA_COLUMNS_COUNT; c++) {
        char text[256];
        const char *given = ctl_option(o, c->option);
        if (given == NULL)
            continue;
        params[2] = quota_value(c, given);
        snprintf(text, sizeof text, "INSERT INTO consign.quota (org, sandbox, %s) VALUES ($1::int, $2::int, $3::bigint)"
                 " ON CONFLICT (org, sandbox) DO UPDATE SET %s = EXCLUDED.%s", c->column, c->column, c->column);
        PQclear(ctl_query(conn, text, 3, params));
    }
    PQclear(ctl_query(conn, "DELETE FROM consign.quota WHERE org = $1::int AND sandbox = $2::int AND num_nonnulls(weight,"
                            " running_most, live_most, lake_bytes_most, inbox_bytes_most) = 0", 2, params));
    ctl_script(conn, "commit", "COMMIT");
    PQclear(place);
    PQfinish(conn);
    return 0;
}

/* An org and its sandboxes, what each may have and what it has. */
static const char QUOTA_LIST[] =
    "SELECT $2::text, p.name, coalesce(q.weight, 1), (SELECT count(*) FROM consign.work_queue w"
    "   WHERE w.org = p.org AND (p.sandbox = 0 OR w.sandbox = p.sandbox) AND w.attempt IS NOT NULL),"
    " coalesce(q.running_most::text, '-'), (SELECT count(*) FROM consign.work_queue w"
    "   WHERE w.org = p.org AND (p.sandbox = 0 OR w.sandbox = p.sandbox) AND w.kind = 'export'),"
    " coalesce(q.live_most::text, CASE p.sandbox WHEN 0 THEN 'default' ELSE '-' END),"
    " (SELECT coalesce(sum(u.bytes), 0) FROM consign.lake_usage u"
    "   WHERE u.org = p.org AND (p.sandbox = 0 OR u.sandbox = p.sandbox)),"
    " coalesce(q.lake_bytes_most::text, '-'), i.bytes,"
    " coalesce(q.inbox_bytes_most::text, CASE p.sandbox WHEN 0 THEN 'default' ELSE '-' END), i.batches"
    " FROM (SELECT $1::int AS org, 0 AS sandbox, '-' AS name UNION ALL"
    "   SELECT s.org, s.sandbox, s.name FROM consign.sandbox s WHERE s.org = $1::int) p"
    " LEFT JOIN consign.quota q USING (org, sandbox) CROSS JOIN LATERAL ("
    "   SELECT count(*) AS batches, coalesce(sum(b.inbox_bytes), 0) AS bytes FROM consign.batch b"
    "   WHERE b.org = p.org AND (p.sandbox = 0 OR b.sandbox = p.sandbox) AND b.status IN ('loading', 'processing')) i"
    " ORDER BY p.sandbox <> 0, p.name";

static int quota_list(const struct ctl_options *o)
{
    const char *params[] = {ctl_option(o, "org")};
    PGconn *conn = ctl_connect_owner();
    PGresult *orgs = ctl_query(conn, "SELECT o.org, o.ims_org_id FROM consign.org o WHERE $1::text IS NULL"
                                     " OR o.ims_org_id = $1 ORDER BY o.ims_org_id", 1, params);
    if (params[0] != NULL && PQntuples(orgs) == 0)
        ctl_fail("no such org");
    puts("org\tsandbox\tweight\trunning\trunning_most\tjobs\tjobs_most\tlake_bytes\tlake_bytes_most"
         "\tinbox_bytes\tinbox_bytes_most\topen_batches");
    for (int org = 0; org < PQntuples(orgs); org++) {
        const char *one[] = {PQgetvalue(orgs, org, 0), PQgetvalue(orgs, org, 1)};
        ctl_begin_tenant(conn, one[0]);
        ctl_print_rows(ctl_query(conn, QUOTA_LIST, 2, one));
        ctl_script(conn, "commit", "COMMIT");
    }
    PQclear(orgs);
    PQfinish(conn);
    return 0;
}

int ctl_quota(const char *word, const struct ctl_options *options)
{
    return strcmp(word, "set") == 0 ? quota_set(options) : quota_list(options);
}
