/*
 * load_show: how far `consignctl load` is, on stderr: a bar on a terminal, else a line whenever a batch is done.
 * Caller: load.
 */
#ifndef CONSIGN_TOOLS_LOAD_SHOW_H
#define CONSIGN_TOOLS_LOAD_SHOW_H

#include <stdbool.h>
#include <stdint.h>

struct load_show {
    bool bar;
    int64_t began_ms;
    int64_t total_bytes; /* of all files */
    int64_t known_bytes; /* of them loaded by an earlier run; they say nothing of the rate */
    int64_t done_bytes;  /* loaded, the known ones among them */
    int64_t records;
};

void load_show_begin(struct load_show *show, int64_t total_bytes);

/* Draws the bar. */
void load_show_draw(const struct load_show *show);

/* A line about a batch, above the bar. */
void load_show_line(const struct load_show *show, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the bar's line. */
void load_show_end(const struct load_show *show);

#endif
