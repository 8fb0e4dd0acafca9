/*
 * preview: the first rows that a run wrote, kept for clients to look at. A profile that is in several batches of its job
 * is one row here. Rows are the texts that the sinks get, as a line of a JSON file has them. Caller: run_row.
 *
 * The text has a line feed before every row, and nothing behind it for a row that did not fit; preview_keep.sql puts
 * those of an attempt and its helpers together. Memory is bounded, whatever the rows.
 */
#ifndef CONSIGN_EXPORT_PREVIEW_H
#define CONSIGN_EXPORT_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#define PREVIEW_ROWS 100u
#define PREVIEW_BYTES ((size_t)256 * 1024) /* of the rows together */

struct preview {
    struct str text;
    uint32_t rows;
    size_t row_at; /* where the row at hand begins */
    bool taking;   /* it is one of the first, and fits so far */
    bool empty;    /* it has no member yet */
    bool events;   /* its eventList is open */
};

#define PREVIEW_INIT ((struct preview){.text = STR_INIT(PREVIEW_BYTES + PREVIEW_ROWS + 1)})

/* As sink_row_begin() and its like (export/sink.h); beyond PREVIEW_ROWS they do nothing. */
void preview_row_begin(struct preview *p, const char *profile, size_t length);
void preview_row_event(struct preview *p, const char *event, size_t length);
void preview_row_end(struct preview *p);

/* What was kept, "" for nothing; good until the next row. */
const char *preview_text(const struct preview *p);

void preview_free(struct preview *p);

#endif
