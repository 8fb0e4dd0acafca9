/*
 * work: what the spoolers have to do, across all tenants: show it, cancel a job, have one tried again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"

/* The entries with the work that somebody does before the work that waits. A claimed entry whose lock nobody holds
 * is an orphan: its worker died, and the next free one takes it over. */
static const char WORK_LIST[] =
    "SELECT q.org, o.ims_org_id, s.name, CASE q.kind WHEN 'export' THEN 'export' ELSE q.task END,"
    " coalesce(q.job::text, q.batch),"
    " CASE WHEN q.cancel THEN 'cancelling' WHEN q.attempt IS NOT NULL THEN"
    "   CASE WHEN l.pid IS NULL THEN 'orphan' ELSE 'running' END"
    "   WHEN q.not_before_ms > consign.now_ms() THEN 'backoff' ELSE 'waiting' END,"
    " coalesce(l.pid::text, '-'), coalesce(q.attempt, '-'), q.attempts,"
    " round((consign.now_ms() - q.created_ms) / 1000.0, 1), coalesce(q.last_fault, '-'), q.sandbox"
    " FROM consign.work_queue q JOIN consign.org o USING (org) JOIN consign.sandbox s USING (org, sandbox)"
    " LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    "   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
    "   AND (l.classid::bigint << 32 | l.objid::bigint) = q.entry"
    " WHERE $1::text IS NULL OR o.ims_org_id = $1 ORDER BY q.attempt IS NULL, q.entry";

/* Columns of WORK_LIST that others than the printing ask for. */
enum { WORK_ORG = 0, WORK_FIRST_SHOWN = 1, WORK_KIND = 3, WORK_NAME = 4, WORK_LAST_SHOWN = 10, WORK_SANDBOX = 11 };

/* How far an export is: "phase done/estimated", or "-". */
static void work_progress(PGconn *conn, const PGresult *rows, int row, char *out, size_t size)
{
    snprintf(out, size, "-");
    if (strcmp(PQgetvalue(rows, row, WORK_KIND), "export") != 0)
        return;
    const char *params[] = {PQgetvalue(rows, row, WORK_ORG), PQgetvalue(rows, row, WORK_SANDBOX),
                            PQgetvalue(rows, row, WORK_NAME)};
    ctl_begin_tenant(conn, params[0]);
    PGresult *progress = ctl_query(conn,
                                   "SELECT p.phase || ' ' || p.profiles_done || '/' || p.profiles_estimated"
                                   " FROM consign.export_progress p"
                                   " WHERE p.org = $1::int AND p.sandbox = $2::int AND p.job = $3::bigint", 3, params);
    if (PQntuples(progress) == 1)
        snprintf(out, size, "%s", PQgetvalue(progress, 0, 0));
    PQclear(progress);
    ctl_script(conn, "commit", "COMMIT");
}

int ctl_jobs(const char *word, const struct ctl_options *options)
{
    (void)word;
    const char *params[] = {ctl_option(options, "org")};
    PGconn *conn = ctl_connect_owner();
    PGresult *rows = ctl_query(conn, WORK_LIST, 1, params);
    puts("org\tsandbox\ttask\tid\tstate\tbackend\tattempt\tattempts\tage_s\tlast_fault\tprogress");
    for (int row = 0; row < PQntuples(rows); row++) {
        char progress[128];
        for (int column = WORK_FIRST_SHOWN; column <= WORK_LAST_SHOWN; column++)
            printf("%s\t", PQgetvalue(rows, row, column));
        work_progress(conn, rows, row, progress, sizeof progress);
        puts(progress);
    }
    PQclear(rows);
    PQfinish(conn);
    return 0;
}

int ctl_job(const char *word, const struct ctl_options *options)
{
    const char *names[] = {ctl_need(options, "org"), ctl_need(options, "sandbox")}, *job = ctl_need(options, "job");
    if (strlen(job) > 18 || job[strspn(job, "0123456789")] != '\0')
        ctl_wrong("--job: a number");
    PGconn *conn = ctl_connect_owner();
    PGresult *place = ctl_query(conn, "SELECT s.org, s.sandbox FROM consign.sandbox s JOIN consign.org o USING (org)"
                                " WHERE o.ims_org_id = $1 AND s.name = $2", 2, names);
    if (PQntuples(place) != 1)
        ctl_fail("no such sandbox");
    const char *params[] = {PQgetvalue(place, 0, 0), PQgetvalue(place, 0, 1), job};
    char text[128];
    snprintf(text, sizeof text, "SELECT consign.job_%s($1::int, $2::int, $3::bigint)", word);
    ctl_begin_tenant(conn, params[0]);
    PGresult *answer = ctl_query(conn, text, 3, params);
    ctl_script(conn, "commit", "COMMIT");
    puts(PQgetvalue(answer, 0, 0));
    PQclear(answer);
    PQclear(place);
    PQfinish(conn);
    return 0;
}
