/*
 * client_args: a command line read by the table of its command. See client_args.h.
 */
#include "consignctl/client_args.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_COLUMN 26 /* where the help of an option begins */
#define ARGS_LINE 110

/* What every command takes. */
static const struct client_option ARGS_COMMON[] = {
    {"profile", "NAME", "the login of that name; without it the environment, else the profile `default`", false, false},
    {"json", NULL, "prints JSON: one document", false, false},
    {"timeout", "SECONDS", "gives up after that long; without it after 60 s in which the service did nothing", false, false},
    {"cacert", "FILE", "certificates to trust instead of the system's (PEM)", false, false},
    {"insecure-http", NULL, "sends token and secret without TLS to a host that is not this one", false, false},
    {"help", NULL, "prints this", false, false},
    {NULL, NULL, NULL, false, false},
};

static const struct client_option *args_find(const struct client_option *table, const char *name, size_t length)
{
    for (; table->name != NULL; table++) {
        if (strlen(table->name) == length && strncmp(table->name, name, length) == 0)
            return table;
    }
    return NULL;
}

/* Writes the command's synopsis, its own options only, in lines of bounded length. */
static void args_synopsis(FILE *out, const struct client_command *command)
{
    int column = fprintf(out, "usage: consignctl %s", command->name);
    if (command->argument != NULL)
        column += fprintf(out, " %s", command->argument);
    for (const struct client_option *o = command->options; o->name != NULL; o++) {
        char text[128];
        snprintf(text, sizeof text, "%s--%s%s%s%s%s", o->needed ? "" : "[", o->name, o->value != NULL ? " " : "",
                 o->value != NULL ? o->value : "", o->many ? " ..." : "", o->needed ? "" : "]");
        if (column + (int)strlen(text) + 1 > ARGS_LINE)
            column = fprintf(out, "\n         ") - 1;
        column += fprintf(out, " %s", text);
    }
    fputs(" [OPTION ...]\n", out);
}

static void args_help(FILE *out, const struct client_option *table)
{
    for (; table->name != NULL; table++) {
        int column = fprintf(out, "  --%s %s", table->name, table->value != NULL ? table->value : "");
        fprintf(out, "%*s%s\n", column < ARGS_COLUMN ? ARGS_COLUMN - column : 1, "", table->help);
    }
}

_Noreturn void client_args_wrong(const struct client_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("consignctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    args_synopsis(stderr, command);
    exit(CLIENT_USAGE);
}

static _Noreturn void args_print_help(const struct client_command *command)
{
    args_synopsis(stdout, command);
    printf("%s\n\n", command->about);
    args_help(stdout, command->options);
    args_help(stdout, ARGS_COMMON);
    exit(CLIENT_OK);
}

/* Notes one option, which begins at argv[i] and may stand there as --name=value. Returns where it ends. */
static int args_take(struct client_args *out, int argc, char **argv, int i)
{
    const char *name = argv[i] + 2;
    size_t length = strcspn(name, "=");
    const struct client_option *option = args_find(out->command->options, name, length);
    if (option == NULL)
        option = args_find(ARGS_COMMON, name, length);
    if (option == NULL)
        client_args_wrong(out->command, "%s: no such option: %s", out->command->name, argv[i]);
    if (!option->many && client_args_has(out, option->name))
        client_args_wrong(out->command, "--%s is given twice", option->name);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    if (option->value == NULL && value != NULL)
        client_args_wrong(out->command, "--%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (++i == argc)
            client_args_wrong(out->command, "--%s: a value is missing: %s", option->name, option->value);
        value = argv[i];
    }
    if (value != NULL && *value == '\0')
        client_args_wrong(out->command, "--%s: the value is empty", option->name);
    out->given[out->count++] = (struct client_given){option, value};
    return i;
}

void client_args_read(const struct client_command *command, int argc, char **argv, struct client_args *out)
{
    *out = (struct client_args){.command = command, .given = calloc((size_t)argc + 1, sizeof *out->given)};
    if (out->given == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            args_print_help(command);
    }
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            i = args_take(out, argc, argv, i);
        else if (command->argument != NULL && out->argument == NULL)
            out->argument = argv[i];
        else
            client_args_wrong(command, "%s: one word too many: %s", command->name, argv[i]);
    }
    if (command->argument != NULL && out->argument == NULL)
        client_args_wrong(command, "%s: %s is missing", command->name, command->argument);
    for (const struct client_option *o = command->options; o->name != NULL; o++) {
        if (o->needed && !client_args_has(out, o->name))
            client_args_wrong(command, "--%s is required", o->name);
    }
}

const char *client_args_value(const struct client_args *args, const char *name)
{
    for (int i = 0; i < args->count; i++) {
        if (strcmp(args->given[i].option->name, name) == 0)
            return args->given[i].value;
    }
    return NULL;
}

bool client_args_has(const struct client_args *args, const char *name)
{
    for (int i = 0; i < args->count; i++) {
        if (strcmp(args->given[i].option->name, name) == 0)
            return true;
    }
    return false;
}

const char **client_args_values(const struct client_args *args, const char *name, int *count)
{
    const char **values = NULL;
    *count = 0;
    if (client_args_has(args, name)) {
        values = calloc((size_t)args->count, sizeof *values);
        if (values == NULL)
            client_fail(CLIENT_REFUSED, "no memory");
    }
    for (int i = 0; values != NULL && i < args->count; i++) {
        if (strcmp(args->given[i].option->name, name) == 0)
            values[(*count)++] = args->given[i].value;
    }
    return values;
}

int64_t client_args_number(const struct client_args *args, const char *name, int64_t least, int64_t most,
                           int64_t fallback)
{
    const char *text = client_args_value(args, name);
    if (text == NULL)
        return fallback;
    size_t digits = strspn(text, "0123456789");
    int64_t number = digits > 0 && digits < 16 ? strtoll(text, NULL, 10) : -1;
    if (text[digits] != '\0' || number < least || number > most)
        client_args_wrong(args->command, "--%s: a number from %lld to %lld", name, (long long)least, (long long)most);
    return number;
}

static void args_list_options(FILE *out, const struct client_option *table)
{
    for (; table->name != NULL; table++)
        fprintf(out, " --%s%s", table->name, table->value != NULL ? "=" : "");
}

void client_args_list(FILE *out, const struct client_command *command)
{
    fputs(command->name, out);
    if (command->argument != NULL)
        fprintf(out, " %s", command->argument);
    args_list_options(out, command->options);
    args_list_options(out, ARGS_COMMON);
    fputc('\n', out);
}
