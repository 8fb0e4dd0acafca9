/*
 * log: one line an event. See log.h.
 */
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

#define LOG_LINE_MAX 2048
#define LOG_VALUE_MAX 200

static const char *const LEVEL_NAMES[] = {"error", "warn", "info", "debug"};

static const char *process_name = "consign";
static enum log_level most_level = LOG_INFO;
static char context[256];

void log_open(const char *process, enum log_level most)
{
    process_name = process;
    most_level = most;
}

void log_context(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
}

bool log_level_known(const char *name)
{
    return log_level_parse(name) != LOG_INFO || strcmp(name, LEVEL_NAMES[LOG_INFO]) == 0;
}

enum log_level log_level_parse(const char *name)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(name, LEVEL_NAMES[i]) == 0)
            return (enum log_level)i;
    }
    return LOG_INFO;
}

const char *log_quote(const char *value)
{
    static char buffers[4][LOG_VALUE_MAX * 4 + 3];
    static unsigned turn;
    char *out = buffers[turn++ % 4];
    char *p = out;
    *p++ = '"';
    for (int i = 0; i < LOG_VALUE_MAX && value[i] != '\0'; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            p += sprintf(p, "\\x%02x", c);
        else
            *p++ = (char)c;
    }
    *p++ = '"';
    *p = '\0';
    return out;
}

/* The log is best effort: a reader that stands still must not stop the service. write() would wait for it. */
void log_line(const char *line, size_t length)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
        return;
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}

/* Builds the line and writes it at once: lines of several processes do not mix. */
static void __attribute__((format(printf, 3, 0)))
log_write(enum log_level level, const char *event, const char *format, va_list args)
{
    int saved = errno;
    char line[LOG_LINE_MAX];
    int64_t now = clock_wall_ms();
    int length = snprintf(line, sizeof line, "time=%" PRId64 ".%03d level=%s process=%s pid=%d %s%sevent=%s ",
                          now / 1000, (int)(now % 1000), LEVEL_NAMES[level], process_name, (int)getpid(), context,
                          context[0] != '\0' ? " " : "", event);
    if (length > 0 && length < LOG_LINE_MAX - 1)
        length += vsnprintf(line + length, sizeof line - (size_t)length, format, args);
    if (length > LOG_LINE_MAX - 2)
        length = LOG_LINE_MAX - 2;
    for (int i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20)
            line[i] = '?';
    }
    line[length++] = '\n';
    log_line(line, (size_t)length);
    errno = saved;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (level > most_level)
        return;
    va_list args;
    va_start(args, format);
    log_write(level, event, format, args);
    va_end(args);
}

void log_audit(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_write(LOG_INFO, "audit", format, args);
    va_end(args);
}
