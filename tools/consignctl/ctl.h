/*
 * ctl: what an operator's commands of consignctl share: their arguments and the connection.
 */
#ifndef CONSIGN_TOOLS_CTL_H
#define CONSIGN_TOOLS_CTL_H

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>

#define CTL_OPTIONS_MAX 32
#define CTL_USAGE 2 /* exit status: the command line is wrong; nothing was done */

/* --name value pairs, in the order given; which there may be is said by the table of operator_commands.c. */
struct ctl_options {
    int count;
    const char *name[CTL_OPTIONS_MAX];
    const char *value[CTL_OPTIONS_MAX];
    int files;
    char *const *file; /* the words behind them */
};

/* operator_commands.c: runs the command that argv names behind --config FILE; its exit status. -1: it is none of these. */
int ctl_main(int argc, char **argv);

/* operator_commands.c: a line or two for each command. */
void ctl_list_commands(FILE *out);

/* operator_commands.c: ends the program with CTL_USAGE: what is wrong, then the command's usage. */
_Noreturn void ctl_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of an option, or NULL. */
const char *ctl_option(const struct ctl_options *options, const char *name);
/* The value of an option that the command's synopsis has outside brackets. */
const char *ctl_need(const struct ctl_options *options, const char *name);

/* One line on stderr. */
void ctl_say(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

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

/* The commands: `word` is the last one of the command's own ("create" of `org create`). They return the exit status; whatever
 * they cannot go on with ends the program by ctl_fail() or ctl_wrong(). */

/* migrate.c: brings the database to what the folder `sql` says; harmless when repeated. */
int ctl_migrate(const char *word, const struct ctl_options *options);

/* registry.c */
int ctl_org(const char *word, const struct ctl_options *options);
int ctl_sandbox(const char *word, const struct ctl_options *options);
int ctl_client(const char *word, const struct ctl_options *options);

/* quota.c, retention.c, webhook.c */
int ctl_quota(const char *word, const struct ctl_options *options);
int ctl_retention(const char *word, const struct ctl_options *options);
int ctl_webhook(const char *word, const struct ctl_options *options);

/* work.c: shows what the spoolers have to do; cancels one job, or has it tried again. */
int ctl_jobs(const char *word, const struct ctl_options *options);
int ctl_job(const char *word, const struct ctl_options *options);

/* verify.c: compares the lake with the catalog; 1 when they differ. */
int ctl_verify(const char *word, const struct ctl_options *options);

#endif
