/*
 * ctl: what the commands of consignctl share: their arguments and the operator's connection.
 */
#ifndef CONSIGN_TOOLS_CTL_H
#define CONSIGN_TOOLS_CTL_H

#include <libpq-fe.h>
#include <stdbool.h>

#define CTL_OPTIONS_MAX 16

/* --name value pairs, in the order given; a name may come more than once. */
struct ctl_options {
    int count;
    const char *name[CTL_OPTIONS_MAX];
    const char *value[CTL_OPTIONS_MAX];
};

/* The value of an option, or NULL. */
const char *ctl_option(const struct ctl_options *options, const char *name);
/* The value of an option that must be there; ends the program with a line on stderr otherwise. */
const char *ctl_need(const struct ctl_options *options, const char *name);

/* Ends the program with status 1 after one line on stderr. */
_Noreturn void ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connects by the setting database.operator; ends the program when it cannot. */
PGconn *ctl_connect(void);

/* The same, as consign_owner. */
PGconn *ctl_connect_owner(void);

/* Begins a transaction that sees one tenant's rows; `org` is the internal number, digits only. */
void ctl_begin_tenant(PGconn *conn, const char *org);

/* Runs a statement with text parameters; ends the program with the server's message when it fails.
 * The result is the caller's. */
PGresult *ctl_query(PGconn *conn, const char *text, int count, const char *const *params);

/* Prints rows with a tab between columns, and frees the result. */
void ctl_print_rows(PGresult *rows);

/* Runs a script of several statements in one transaction of the server's. */
void ctl_script(PGconn *conn, const char *what, const char *text);

/* migrate.c: brings the database to what the folder `sql` says; harmless when repeated. */
int ctl_migrate(const struct ctl_options *options);

/* registry.c: one verb on one kind of thing ("org", "create"). -1: no such verb. */
int ctl_registry(const char *kind, const char *verb, const struct ctl_options *options);

/* quota.c: "set" or "list". -1: no such verb, or options that are no quota. */
int ctl_quota(const char *verb, const struct ctl_options *options);

/* retention.c: "set", "clear" or "list". -1: no such verb. */
int ctl_retention(const char *verb, const struct ctl_options *options);

/* webhook.c: "create", "list", "rotate", "disable" or "enable". -1: no such verb. */
int ctl_webhook(const char *verb, const struct ctl_options *options);

/* work.c: shows what the spoolers have to do; runs job_cancel or job_retry on one job. */
int ctl_jobs(const struct ctl_options *options);
int ctl_job(const char *function, const struct ctl_options *options);

/* verify.c: compares the lake with the catalog; 1 when they differ. */
int ctl_verify(const struct ctl_options *options);

#endif
