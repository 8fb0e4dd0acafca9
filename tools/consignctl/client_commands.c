/*
 * client_commands: the one table of a client's commands and their options. Usage, --help and what bash completes come
 * from it; tools/checks/consignctl compares the man page and the completion with it.
 */
#include <stdio.h>
#include <string.h>

#include "consignctl/client.h"
#include "consignctl/client_args.h"

#define OPTIONS_END {NULL, NULL, NULL, false, false}

static const struct client_option LOGIN[] = {
    {"url", "URL", "where the service is, https://…", true, false},
    {"org", "ORG", "the organization's id", true, false},
    {"sandbox", "NAME", "the sandbox to work in", true, false},
    {"client-id", "ID", "the client's id", true, false},
    OPTIONS_END,
};

static const struct client_option DATASETS_LIST[] = {
    {"limit", "N", "at most so many, the newest (100)", false, false},
    OPTIONS_END,
};

static const struct client_option DATASETS_CREATE[] = {
    {"name", "NAME", "what to call it", true, false},
    {"format", "FORMAT", "parquet (what it is otherwise) or json, one object a line", false, false},
    {"compression", "HOW", "zstd (what it is otherwise) or none", false, false},
    {"idempotency-key", "KEY", "the same key finds the same dataset again, for 24 h", false, false},
    OPTIONS_END,
};

static const struct client_option NO_OPTIONS[] = {OPTIONS_END};

static const struct client_option EXPORT_CREATE[] = {
    {"dataset", "ID", "the dataset to export into (required, unless the body names it)", false, false},
    {"fields", "LIST", "only these dot paths, separated by commas", false, false},
    {"segment", "ID", "only profiles in this segment; several: in one of them", false, true},
    {"segment-per-batch", NULL, "a batch for each segment", false, false},
    {"from", "TIME", "only what was ingested later; RFC 3339", false, false},
    {"events", NULL, "with the profiles' events", false, false},
    {"merge-policy", "ID", "the merge policy (the sandbox's default)", false, false},
    {"body", "FILE", "a JSON request for all else; the options are put into it", false, false},
    {"idempotency-key", "KEY", "the same key finds the same job again, for 24 h", false, false},
    {"wait", NULL, "waits until the job has ended", false, false},
    OPTIONS_END,
};

static const struct client_option EXPORT_LIST[] = {
    {"status", "STATUS", "only jobs in this state: NEW, PROCESSING, SUCCEEDED, FAILED, …", false, false},
    {"limit", "N", "at most so many, the newest (100)", false, false},
    OPTIONS_END,
};

static const struct client_option EXPORT_DOWNLOAD[] = {
    {"dir", "DIR", "the folder to put the files into (.); it is made", false, false},
    {"parallel", "N", "so many files at a time (4)", false, false},
    OPTIONS_END,
};

static const struct client_command COMMANDS[] = {
    {"login", NULL, "Keeps what later commands need; the secret comes from CONSIGN_CLIENT_SECRET, the terminal or stdin.", LOGIN,
     client_login},
    {"datasets list", NULL, "Lists the sandbox's datasets.", DATASETS_LIST, client_datasets_list},
    {"datasets create", NULL, "Makes a dataset to export into and prints its id.", DATASETS_CREATE, client_datasets_create},
    {"datasets get", "ID", "Shows a dataset.", NO_OPTIONS, client_datasets_get},
    {"datasets preview", "ID", "Shows the first rows of a dataset, one a line.", NO_OPTIONS, client_datasets_preview},
    {"export create", NULL, "Creates an export job and prints its number.", EXPORT_CREATE, client_export_create},
    {"export get", "ID", "Shows an export job.", NO_OPTIONS, client_export_get},
    {"export list", NULL, "Lists export jobs.", EXPORT_LIST, client_export_list},
    {"export wait", "ID", "Waits until an export job has ended; 0 when it SUCCEEDED, else 3.", NO_OPTIONS, client_export_wait},
    {"export cancel", "ID", "Cancels an export job.", NO_OPTIONS, client_export_cancel},
    {"export download", "ID", "Downloads and checks the files of a job; goes on with what an earlier run began.",
     EXPORT_DOWNLOAD, client_export_download},
};

#define COMMANDS_COUNT (sizeof COMMANDS / sizeof *COMMANDS)

void client_list_commands(FILE *out)
{
    fputs("       consignctl COMMAND [--help], for clients of the service\n", out);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        fprintf(out, "  %-16s %-3s %s\n", COMMANDS[i].name, COMMANDS[i].argument == NULL ? "" : COMMANDS[i].argument,
                COMMANDS[i].about);
}

/* How many words of argv name the command; 0: it is another. */
static int command_matches(const struct client_command *command, int argc, char **argv)
{
    const char *second = strchr(command->name, ' ');
    size_t first = second == NULL ? strlen(command->name) : (size_t)(second - command->name);
    if (strlen(argv[1]) != first || strncmp(argv[1], command->name, first) != 0)
        return 0;
    if (second == NULL)
        return 1;
    return argc > 2 && strcmp(argv[2], second + 1) == 0 ? 2 : 0;
}

static int command_run(const struct client_command *command, int words, int argc, char **argv)
{
    struct client_args args;
    client_args_read(command, argc - 1 - words, argv + 1 + words, &args);
    return (int)command->run(&args);
}

int client_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--commands") == 0) {
        for (size_t i = 0; i < COMMANDS_COUNT; i++)
            client_args_list(stdout, &COMMANDS[i]);
        return CLIENT_OK;
    }
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        int words = command_matches(&COMMANDS[i], argc, argv);
        if (words > 0)
            return command_run(&COMMANDS[i], words, argc, argv);
    }
    /* `datasets` alone lists them */
    if (strcmp(argv[1], "datasets") == 0 && (argc == 2 || strncmp(argv[2], "--", 2) == 0))
        return command_run(&COMMANDS[1], 1, argc, argv);
    return -1;
}
