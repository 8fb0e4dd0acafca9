/*
 * client_show: what the commands of a client tell: how far they are on stderr (a bar on a terminal, else lines), results
 * on stdout.
 */
#ifndef CONSIGN_TOOLS_CLIENT_SHOW_H
#define CONSIGN_TOOLS_CLIENT_SHOW_H

#include <stdbool.h>

struct json_object;

/* Whether stderr is a terminal, so that a bar can be drawn. */
bool client_show_is_terminal(void);

/* A line on stderr, above the bar. */
void client_show_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Draws the bar at `share` (0 to 1; less than 0: nobody knows) with a text beside it, ten times a second at most; nothing
 * where there is no terminal. */
void client_show_bar(double share, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes the bar away. */
void client_show_end(void);

/* A line on stdout, without the control characters of the values. */
void client_show_result(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The document on stdout, as JSON on one line. */
void client_show_json(struct json_object *document);

#endif
