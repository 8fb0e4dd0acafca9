/*
 * load_show: how far `consignctl load` is. See load_show.h.
 */
#include "consignctl/load_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clock.h"

#define SHOW_CELLS 30

void load_show_begin(struct load_show *s, int64_t total_bytes)
{
    *s = (struct load_show){
        .bar = isatty(STDERR_FILENO) == 1, .began_ms = clock_monotonic_ms(), .total_bytes = total_bytes};
}

/* Bytes a second of this run. */
static double show_rate(const struct load_show *s)
{
    double seconds = (double)(clock_monotonic_ms() - s->began_ms) / 1000;
    return seconds > 0 ? (double)(s->done_bytes - s->known_bytes) / seconds : 0;
}

void load_show_draw(const struct load_show *s)
{
    if (!s->bar)
        return;
    char cells[SHOW_CELLS + 1], left[32] = "--:--";
    double rate = show_rate(s), share = s->total_bytes > 0 ? (double)s->done_bytes / (double)s->total_bytes : 1;
    for (int i = 0; i < SHOW_CELLS; i++)
        cells[i] = (i + 1) / (double)SHOW_CELLS <= share ? '#' : '.';
    cells[SHOW_CELLS] = '\0';
    if (rate > 0) {
        long seconds = (long)((double)(s->total_bytes - s->done_bytes) / rate);
        snprintf(left, sizeof left, "%ld:%02ld", seconds / 60, seconds % 60);
    }
    fprintf(stderr, "\r[%s] %3d %%  %.1f of %.1f MB  %.1f MB/s  %lld records  %s left \033[K", cells,
            (int)(share * 100), (double)s->done_bytes / 1e6, (double)s->total_bytes / 1e6, rate / 1e6,
            (long long)s->records, left);
}

void load_show_line(const struct load_show *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (s->bar)
        fputs("\r\033[K", stderr);
    vfprintf(stderr, format, args);
    if (!s->bar)
        fprintf(stderr, "; %.1f of %.1f MB, %.1f MB/s", (double)s->done_bytes / 1e6, (double)s->total_bytes / 1e6,
                show_rate(s) / 1e6);
    fputc('\n', stderr);
    va_end(args);
    load_show_draw(s);
}

void load_show_end(const struct load_show *s)
{
    if (s->bar)
        fputc('\n', stderr);
}
