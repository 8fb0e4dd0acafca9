/*
 * operator_commands: the one table of an operator's commands and what each takes. The usage comes from it;
 * tools/checks/consignctl compares the man page and the completion with it.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "consignctl/load.h"
#include "lib/conf.h"

/* The synopsis is the rule. What it does not name is refused; --name VALUE has to be there, [--name VALUE] may be left out,
 * {--name VALUE|--other VALUE} the command asks for itself; "..." behind a value: it may come several times. FILE ... takes
 * the words behind the options. */
struct ctl_command {
    const char *kind;
    const char *verb; /* NULL: a command of one word */
    const char *synopsis;
    int (*run)(const char *word, const struct ctl_options *options); /* with its last word */
};

static const struct ctl_command COMMANDS[] = {
    {"migrate", NULL, "--sql DIR", ctl_migrate},
    {"org", "create", "--id ID --name NAME", ctl_org},
    {"org", "list", "", ctl_org},
    {"org", "disable", "--id ID", ctl_org},
    {"org", "enable", "--id ID", ctl_org},
    {"sandbox", "create", "--org ID --name NAME", ctl_sandbox},
    {"sandbox", "list", "--org ID", ctl_sandbox},
    {"sandbox", "disable", "--org ID --name NAME", ctl_sandbox},
    {"sandbox", "enable", "--org ID --name NAME", ctl_sandbox},
    {"client", "create", "--org ID ... --name NAME --rights all|RIGHT,RIGHT,...", ctl_client},
    {"client", "list", "[--org ID]", ctl_client},
    {"client", "rights", "--id CLIENT_ID --rights all|RIGHT,RIGHT,...", ctl_client},
    {"client", "rotate", "--id CLIENT_ID", ctl_client},
    {"client", "disable", "--id CLIENT_ID", ctl_client},
    {"client", "enable", "--id CLIENT_ID", ctl_client},
    {"quota", "set",
     "--org ID [--sandbox NAME] [--weight N|default] [--running N|default]\n"
     "          [--jobs N|default] [--lake-bytes N|default] [--inbox-bytes N|default]", ctl_quota},
    {"quota", "list", "[--org ID]", ctl_quota},
    {"retention", "set", "--org ID --sandbox NAME --dataset ID {--days N|--hours N|--ms N}", ctl_retention},
    {"retention", "clear", "--org ID --sandbox NAME --dataset ID", ctl_retention},
    {"retention", "list", "[--org ID]", ctl_retention},
    {"webhook", "create", "--org ID --sandbox NAME --name NAME --url URL", ctl_webhook},
    {"webhook", "list", "[--org ID]", ctl_webhook},
    {"webhook", "rotate", "--org ID --sandbox NAME --name NAME [--force yes]", ctl_webhook},
    {"webhook", "disable", "--org ID --sandbox NAME --name NAME", ctl_webhook},
    {"webhook", "enable", "--org ID --sandbox NAME --name NAME", ctl_webhook},
    {"jobs", NULL, "[--org ID]", ctl_jobs},
    {"cancel", NULL, "--org ID --sandbox NAME --job NUMBER", ctl_job},
    {"retry", NULL, "--org ID --sandbox NAME --job NUMBER", ctl_job},
    {"verify", NULL, "[--org ID]", ctl_verify},
    {"load", NULL,
     "--dataset ID [--format json|csv] [--delimiter C] [--encoding identity|gzip|zstd]\n"
     "          [--batch-bytes N] [--again TEXT] FILE ...", ctl_load},
};

#define COMMANDS_COUNT (sizeof COMMANDS / sizeof *COMMANDS)

static const struct ctl_command *the_command; /* that runs, for ctl_wrong() */

static void command_print(FILE *out, const char *before, const struct ctl_command *command)
{
    fprintf(out, "%s%s", before, command->kind);
    if (command->verb != NULL)
        fprintf(out, " %s", command->verb);
    fprintf(out, "%s%s\n", *command->synopsis == '\0' ? "" : " ", command->synopsis);
}

void ctl_list_commands(FILE *out)
{
    fputs("usage: consignctl --config FILE COMMAND, for operators\n", out);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        command_print(out, "  ", &COMMANDS[i]);
}

_Noreturn void ctl_wrong(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctl_say(format, args);
    va_end(args);
    command_print(stderr, "usage: consignctl --config FILE ", the_command);
    exit(CTL_USAGE);
}

/* What stands behind the option's name in the synopsis; NULL: the command has no such option. */
static const char *command_find(const struct ctl_command *command, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strstr(command->synopsis, "--"); at != NULL; at = strstr(at, "--")) {
        at += 2;
        if (strncmp(at, name, length) == 0 && at[length] == ' ')
            return at + length;
    }
    return NULL;
}

static bool command_takes_many(const char *behind)
{
    return strncmp(behind + 1 + strcspn(behind + 1, " ]}|"), " ...", 4) == 0;
}

/* Ends the program when an option is missing that has to be there. */
static void command_check_needed(const struct ctl_command *command, const struct ctl_options *given)
{
    for (const char *at = strstr(command->synopsis, "--"); at != NULL; at = strstr(at + 2, "--")) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 2, " "), at + 2);
        if ((at == command->synopsis || at[-1] == ' ') && ctl_option(given, name) == NULL)
            ctl_wrong("--%s is required", name);
    }
}

/* Reads what comes after the command's words. Ends the program with what is wrong for all that the synopsis does not have. */
static void command_read(const struct ctl_command *command, int argc, char **argv, struct ctl_options *out)
{
    bool files = strstr(command->synopsis, "FILE ...") != NULL;
    int i = 0;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        const char *name = argv[i] + 2, *behind = command_find(command, name);
        if (behind == NULL)
            ctl_wrong("no such option: --%s", name);
        if (!command_takes_many(behind) && ctl_option(out, name) != NULL)
            ctl_wrong("--%s is given twice", name);
        if (i + 1 == argc || *argv[i + 1] == '\0')
            ctl_wrong("--%s: a value is missing", name);
        if (out->count == CTL_OPTIONS_MAX)
            ctl_wrong("more than %d options", CTL_OPTIONS_MAX);
        out->name[out->count] = name;
        out->value[out->count++] = argv[i + 1];
    }
    if (i < argc && !files)
        ctl_wrong("one word too many: %s", argv[i]);
    command_check_needed(command, out);
    if (i == argc && files)
        ctl_wrong("FILE is missing");
    out->files = argc - i;
    out->file = argv + i;
}

int ctl_main(int argc, char **argv)
{
    struct ctl_options options = {0};
    int words = 0;
    for (size_t i = 0; i < COMMANDS_COUNT && words == 0; i++) {
        the_command = &COMMANDS[i];
        if (argc > 3 && strcmp(argv[3], the_command->kind) == 0) {
            if (the_command->verb == NULL)
                words = 1;
            else if (argc > 4 && strcmp(argv[4], the_command->verb) == 0)
                words = 2;
        }
    }
    if (words == 0)
        return -1;
    command_read(the_command, argc - 3 - words, argv + 3 + words, &options);
    if (conf_load(argv[2]) != FAULT_NONE)
        return CTL_USAGE;
    return the_command->run(argv[2 + words], &options);
}
