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
static char context[512];
static bool as_json;

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

/* ---- the line as JSON; nothing here may be called that a signal handler may not call ---- */

#define LOG_JSON_MAX (4 * LOG_LINE_MAX + 4) /* a blank and a word of one letter, 2 bytes, become 7; a byte within a text 2 */

/* Names whose values are ids or codes: text, though they may happen to be all digits, or more than a double holds. */
static const char *const TEXT_KEYS[] = {"req",     "job",    "batch", "dataset",  "attempt", "helper",
                                        "message", "client", "token", "sqlstate", "stream"};

static bool log_is(const char *bytes, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(bytes, word, length) == 0;
}

/* Whether JSON knows the text as a number, and a double holds it. */
static bool log_is_number(const char *text, size_t length)
{
    size_t i = length > 0 && text[0] == '-', first = i;
    while (i < length && text[i] >= '0' && text[i] <= '9')
        i++;
    if (i == first || i - first > 15 || (text[first] == '0' && i - first > 1))
        return false;
    if (i == length)
        return true;
    size_t point = i++;
    while (text[point] == '.' && i < length && text[i] >= '0' && text[i] <= '9')
        i++;
    return text[point] == '.' && i == length && i - point > 1 && i - first <= 16;
}

static char *log_put(char *p, const char *bytes, size_t length)
{
    *p++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            *p++ = '\\';
        *p++ = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    *p++ = '"';
    return p;
}

/* The length of the word or the text in quotes that a value is. A quote within a text is none that a blank follows. */
static size_t log_value_length(const char *value, size_t left)
{
    bool quoted = left > 0 && *value == '"';
    size_t n = quoted;
    while (n < left && (quoted ? value[n] != '"' || (n + 1 < left && value[n + 1] != ' ') : value[n] != ' '))
        n++;
    return quoted && n < left ? n + 1 : n;
}

static char *log_put_value(char *p, const char *key, size_t key_length, const char *value, size_t length)
{
    bool number = log_is_number(value, length);
    for (size_t i = 0; number && i < sizeof TEXT_KEYS / sizeof *TEXT_KEYS; i++)
        number = !log_is(key, key_length, TEXT_KEYS[i]);
    if (number || log_is(value, length, "-")) {
        const char *bytes = number ? value : "null";
        length = number ? length : 4;
        memcpy(p, bytes, length);
        return p + length;
    }
    if (length > 1 && value[0] == '"' && value[length - 1] == '"')
        return log_put(p, value + 1, length - 2);
    return log_put(p, value, length);
}

/* `line` in key=value form, with a newline at its end, as an object of JSON, likewise. */
static size_t log_to_json(const char *line, size_t length, char out[LOG_JSON_MAX])
{
    const char *end = line + length - 1;
    char *p = out;
    *p++ = '{';
    while (line < end) {
        size_t key = 0;
        while (line + key < end && line[key] != '=' && line[key] != ' ')
            key++;
        const char *value = line + key + (line + key < end && line[key] == '=');
        size_t got = value > line + key ? log_value_length(value, (size_t)(end - value)) : 0;
        if (key > 0) {
            if (p > out + 1)
                *p++ = ',';
            p = log_put(p, line, key);
            *p++ = ':';
            p = log_put_value(p, line, key, value, got);
        }
        line = value + got + 1;
    }
    *p++ = '}';
    *p++ = '\n';
    return (size_t)(p - out);
}

void log_as_json(bool on)
{
    as_json = on;
}

/* The log is best effort: a reader that stands still must not stop the service. write() would wait for it. */
void log_line(const char *line, size_t length)
{
    char json[LOG_JSON_MAX];
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
        return;
    if (as_json && length > 0 && length <= LOG_LINE_MAX) {
        length = log_to_json(line, length, json);
        line = json;
    }
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
