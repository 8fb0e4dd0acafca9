/*
 * store_figures: what the spoolers have to do and have done, as the database knows it (consign.metric_read()).
 *
 * Kept for all workers in shared memory and read again at most once in STORE_LOOK_MS by the whole pool, however often
 * somebody asks: looking costs as much as the queue is long. Each value is by itself; nothing is locked, and a worker
 * that dies while it looks only leaves the values of before. They are the whole installation's, the same from every pool.
 */
#ifndef CONSIGN_RESPONDER_STORE_FIGURES_H
#define CONSIGN_RESPONDER_STORE_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/str.h"

#define STORE_LOOK_MS 5000

struct store_figures;

/* NULL: no memory. Never freed: it lives as long as the pool. */
struct store_figures *store_figures_new(void);

/* Reads them anew if that is due at now_ms (monotonic). */
void store_figures_look(struct store_figures *s, struct db *db, struct arena *a, int64_t now_ms);

/* Writes them as metrics: whether the database was reached, and the rest if it was. */
void store_figures_write(const struct store_figures *s, struct str *out, bool open);

#endif
