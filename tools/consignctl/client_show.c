/*
 * client_show: what the commands of a client tell. See client_show.h.
 */
#include "consignctl/client_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consignctl/client.h"
#include "consignctl/client_text.h"
#include "lib/clock.h"
#include "lib/jsonio.h"

#define SHOW_CELLS 30
#define SHOW_EVERY_MS 100
#define SHOW_LINE_BYTES 4096

static bool show_drawn; /* a bar stands on the terminal */
static int64_t show_last_ms;

bool client_show_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* Tabs are ours, between the values of a line. */
__attribute__((format(printf, 2, 0))) static void show_print(FILE *out, const char *format, va_list args)
{
    char text[SHOW_LINE_BYTES], safe[SHOW_LINE_BYTES];
    vsnprintf(text, sizeof text, format, args);
    for (char *part = text, *end; part != NULL; part = end) {
        end = strchr(part, '\t');
        if (end != NULL)
            *end++ = '\0';
        fputs(client_text_safe(safe, sizeof safe, part), out);
        fputc(end != NULL ? '\t' : '\n', out);
    }
}

void client_show_end(void)
{
    if (show_drawn)
        fputs("\r\033[K", stderr);
    show_drawn = false;
}

void client_show_line(const char *format, ...)
{
    va_list args;
    client_show_end();
    va_start(args, format);
    show_print(stderr, format, args);
    va_end(args);
}

void client_show_result(const char *format, ...)
{
    va_list args;
    client_show_end();
    va_start(args, format);
    show_print(stdout, format, args);
    va_end(args);
}

_Noreturn void client_fail(enum client_exit status, const char *format, ...)
{
    va_list args;
    client_show_end();
    fflush(stdout);
    fputs("consignctl: ", stderr);
    va_start(args, format);
    show_print(stderr, format, args);
    va_end(args);
    exit((int)status);
}

void client_show_bar(double share, const char *format, ...)
{
    char cells[SHOW_CELLS + 1], text[256], safe[256];
    va_list args;
    int64_t now_ms = clock_monotonic_ms();
    if (!client_show_is_terminal() || (show_drawn && now_ms - show_last_ms < SHOW_EVERY_MS))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (int i = 0; i < SHOW_CELLS; i++)
        cells[i] = (i + 1) / (double)SHOW_CELLS <= share ? '#' : '.';
    cells[SHOW_CELLS] = '\0';
    if (share < 0)
        fprintf(stderr, "\r%s\033[K", client_text_safe(safe, sizeof safe, text));
    else
        fprintf(stderr, "\r[%s] %3d %%  %s\033[K", cells, (int)(share * 100), client_text_safe(safe, sizeof safe, text));
    show_drawn = true;
    show_last_ms = now_ms;
}

void client_show_json(struct json_object *document)
{
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    client_show_end();
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        /* SECURITY: json-c escapes C0 alone; the others stand in texts only */
        if (*p == 0x7f)
            fputs("\\u007f", stdout);
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            printf("\\u00%02x", *++p);
        else
            putchar(*p);
    }
    putchar('\n');
}
