/*
 * client_args: a command line read by the table of its command. Callers: client_commands, and the commands for what
 * was given.
 */
#ifndef CONSIGN_TOOLS_CLIENT_ARGS_H
#define CONSIGN_TOOLS_CLIENT_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "consignctl/client.h"

struct client_option {
    const char *name;  /* without its dashes; NULL ends a table */
    const char *value; /* what the usage calls its value; NULL: it takes none */
    const char *help;
    bool needed;
    bool many; /* may be given more than once */
};

struct client_command {
    const char *name;     /* one or two words */
    const char *argument; /* what the usage calls it; NULL: it takes none */
    const char *about;
    const struct client_option *options; /* its own; those that all have are client_args's */
    enum client_exit (*run)(const struct client_args *args);
};

struct client_given {
    const struct client_option *option;
    const char *value; /* NULL: it takes none */
};

struct client_args {
    const struct client_command *command;
    const char *argument; /* NULL: the command takes none */
    struct client_given *given;
    int count;
};

/* Reads argv[0] ... argv[argc - 1], which come after the command's name. Ends the program with the usage on stdout for
 * --help, and with what is wrong and CLIENT_USAGE for everything that the table does not have. */
void client_args_read(const struct client_command *command, int argc, char **argv, struct client_args *out);

/* The value of an option, or NULL. */
const char *client_args_value(const struct client_args *args, const char *name);

/* Whether an option was given. */
bool client_args_has(const struct client_args *args, const char *name);

/* The values of an option that may come more than once, and their number; the array is the caller's, NULL when there
 * is none. */
const char **client_args_values(const struct client_args *args, const char *name, int *count);

/* The number that an option says; `fallback` when it was not given. Ends the program unless it is in bounds. */
int64_t client_args_number(const struct client_args *args, const char *name, int64_t least, int64_t most,
                           int64_t fallback);

/* Ends the program with CLIENT_USAGE: what is wrong, then the command's usage. */
_Noreturn void client_args_wrong(const struct client_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line of everything a command takes, for completion: "export get ID --json --timeout= ...". */
void client_args_list(FILE *out, const struct client_command *command);

#endif
