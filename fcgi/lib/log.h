/*
 * log: one line an event, key=value, to stderr, or the same as an object of JSON.
 *
 * Every line starts with time, level, process and pid, then the context set by log_context() (the
 * request id, org, sandbox and job that the process works on), then event= and what the caller adds.
 *
 * SECURITY: a value that comes from outside goes through log_quote(); whatever slips past it, no
 * byte below 0x20 reaches the log, so nobody can forge a line. Never log a token, a body or an SQL
 * parameter.
 */
#ifndef CONSIGN_LIB_LOG_H
#define CONSIGN_LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fault.h"

/* Names the process in every line and sets the loudest level that is written. */
void log_open(const char *process, enum log_level most);

/* Whether every line from here on is an object of JSON: the same names and values. Numbers are numbers, `-` is null,
 * everything else is text, escaped as it is in the other form. */
void log_as_json(bool on);

/* The context of the lines that follow, as ready key=value text; "" for none. At most 511 bytes. */
void log_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes one line. `format` is further key=value text, "" for none. Keeps errno. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for event=audit, whatever the loudest level is. */
void log_audit(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a ready line in key=value form with its newline, or drops it when nobody takes it (a full pipe). Safe in a signal handler. */
void log_line(const char *line, size_t length);

/* `value` in quotes with everything but plain ASCII escaped, cut after 200 bytes. The text lies in
 * one of four buffers that are used in turn: good for four values in one line. */
const char *log_quote(const char *value);

/* Whether the name is one of "error", "warn", "info", "debug". */
bool log_level_known(const char *name);

/* The level of that name; LOG_INFO for anything else. */
enum log_level log_level_parse(const char *name);

#endif
