/*
 * client: the commands of consignctl that a tenant uses: over HTTP, without the operator's settings or a database.
 *
 * What they share: the exit status, the one way out, and the commands themselves. Each function below runs one command
 * and returns its exit status; whatever it cannot go on with ends the program by client_fail().
 */
#ifndef CONSIGN_TOOLS_CLIENT_H
#define CONSIGN_TOOLS_CLIENT_H

#include <stdio.h>

/* README.md and consignctl(1) hold this table. */
enum client_exit {
    CLIENT_OK = 0,
    CLIENT_REFUSED = 1,    /* the request was refused, or something failed on this machine */
    CLIENT_USAGE = 2,      /* the command line is wrong; nothing was sent */
    CLIENT_JOB = 3,        /* the job is FAILED or CANCELLED */
    CLIENT_GAVE_UP = 4,    /* the service was not reached, or did not do it in time */
    CLIENT_WRONG_FILE = 5  /* a file is not what the manifest says, or the manifest is none */
};

/* Ends the program after one line on stderr; control characters of what the server said do not reach the terminal. */
_Noreturn void client_fail(enum client_exit status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* client_commands.c: runs the command that argv names. -1: argv[1] is none of these. */
int client_main(int argc, char **argv);

/* client_commands.c: a line for each command. */
void client_list_commands(FILE *out);

struct client_args;

/* client_login.c */
enum client_exit client_login(const struct client_args *args);

/* client_datasets.c */
enum client_exit client_datasets_list(const struct client_args *args);
enum client_exit client_datasets_create(const struct client_args *args);
enum client_exit client_datasets_get(const struct client_args *args);
enum client_exit client_datasets_preview(const struct client_args *args);

/* client_export.c */
enum client_exit client_export_create(const struct client_args *args);
enum client_exit client_export_get(const struct client_args *args);
enum client_exit client_export_list(const struct client_args *args);
enum client_exit client_export_wait(const struct client_args *args);
enum client_exit client_export_cancel(const struct client_args *args);

/* client_download.c */
enum client_exit client_export_download(const struct client_args *args);

#endif
